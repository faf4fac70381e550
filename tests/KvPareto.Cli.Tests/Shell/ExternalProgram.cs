using System.ComponentModel;
using System.Diagnostics;

namespace KvPareto.Cli.Tests.Shell;

/// <summary>A program of the machine's, where it has it.</summary>
internal static class ExternalProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Its exit code and what it wrote, messages included; skips the test where it is not there.</summary>
    public static async Task<(int Code, string Output)> Run(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"there is no {program} here");
            throw;
        }
        using (process)
        {
            using var patience = new CancellationTokenSource(Patience);
            var messages = process.StandardError.ReadToEndAsync(patience.Token);
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output + await messages);
        }
    }
}

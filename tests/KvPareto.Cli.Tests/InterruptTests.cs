using System.Diagnostics;
using System.Globalization;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

/// <summary>A sweep that is told to stop says how to go on, and leaves what it measured.</summary>
public class InterruptTests
{
    // Of many trials, so that there is something to interrupt once one has ended, however late the signal comes.
    private const string Config = """
        name: interrupted
        models: [embedded:llama]
        tasks: [{task: embedded, kind: fact, samples: 8, length: 100}]
        axes:
          weights: [w16, w8, w4]
          cache: [k8v8, k8v4, k4v4, k4v2, k2v2]
          granularity: [t64]
          chunk: [16, 32, 64, 128]
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("INT", 2)]
    [InlineData("TERM", 15)]
    public async Task Signal_EndsASweepThatCanBeResumed(string signal, int number)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("sends POSIX signals by kill");
        using var folder = new ScratchFolder();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Patience);
        var config = folder.Write("sweep.yaml", Config);
        string[] command = ["dotnet", typeof(KvParetoCommand).Assembly.Location, "sweep", config, "--out", folder["run"]];
        // What a script begins in the background ignores SIGINT, and so does all that it begins in turn.
        if (IsIgnored(number)) command = ["env", $"--default-signal={signal}", .. command];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var sweep = Process.Start(start)!;
        try
        {
            // A line for each trial that has ended.
            for (var line = ""; !line.StartsWith('['); line = (await sweep.StandardError.ReadLineAsync(timeout.Token))!.Trim()) { }
            using (var kill = Process.Start("kill", [$"-{signal}", $"{sweep.Id}"])) await kill.WaitForExitAsync(timeout.Token);
            var error = await sweep.StandardError.ReadToEndAsync(timeout.Token);
            await sweep.WaitForExitAsync(timeout.Token);
            Assert.Equal(130, sweep.ExitCode);
            Assert.Contains(
                $"interrupted; nothing measured is lost: go on with --out {folder["run"]} --resume", error, StringComparison.Ordinal);
            Assert.Contains("finished", await File.ReadAllTextAsync(folder["run/journal.jsonl"], timeout.Token), StringComparison.Ordinal);
        }
        finally
        {
            if (!sweep.HasExited) sweep.Kill();
        }
    }

    private static bool IsIgnored(int signal)
    {
        const string Mask = "SigIgn:";
        var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith(Mask, StringComparison.Ordinal));
        return (ulong.Parse(line.AsSpan(Mask.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) != 0;
    }
}

using System.Diagnostics;
using System.Globalization;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

/// <summary>A sweep that is told to stop says how to go on, and leaves what it measured; what makes a folder leaves nothing.</summary>
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
        using var folder = new ScratchFolder();
        // A line for each trial that has ended.
        var (code, error) = await Interrupted(
            signal, number, "[", "sweep", folder.Write("sweep.yaml", Config), "--out", folder["run"]);
        Assert.Equal(130, code);
        Assert.Contains(
            $"interrupted; nothing measured is lost: go on with --out {folder["run"]} --resume", error, StringComparison.Ordinal);
        Assert.Contains("finished", File.ReadAllText(folder["run/journal.jsonl"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 2)]
    [InlineData("TERM", 15)]
    public async Task Signal_LeavesNothingOfAFolderThatIsBeingMade(string signal, int number)
    {
        using var folder = new ScratchFolder();
        var texts = folder.Write("texts.txt", string.Concat(Enumerable.Range(0, 2_000).Select(i => $"The fox met {i % 97} geese. ")));
        var (code, error) = await Interrupted(
            signal, number, "layer 1/", "quantize", "embedded:llama", "--group", "32", "--calibration", texts, "--samples", "16",
            "--threads", "1", "--out", folder["made/model"]);
        Assert.Equal(130, code);
        Assert.Contains($"interrupted; nothing was written to {folder["made/model"]}", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder["made"]));
    }

    // Sends the signal once a line of standard error begins so.
    private static async Task<(int Code, string Error)> Interrupted(string signal, int number, string line, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("sends POSIX signals by kill");
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Patience);
        string[] command = ["dotnet", typeof(KvParetoCommand).Assembly.Location, .. arguments];
        // What a script begins in the background ignores SIGINT, and so does all that it begins in turn.
        if (IsIgnored(number)) command = ["env", $"--default-signal={signal}", .. command];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            while (!(await process.StandardError.ReadLineAsync(timeout.Token))!.Trim().StartsWith(line, StringComparison.Ordinal)) { }
            using (var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"])) await kill.WaitForExitAsync(timeout.Token);
            var error = await process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return (process.ExitCode, error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static bool IsIgnored(int signal)
    {
        const string Mask = "SigIgn:";
        var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith(Mask, StringComparison.Ordinal));
        return (ulong.Parse(line.AsSpan(Mask.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) != 0;
    }
}

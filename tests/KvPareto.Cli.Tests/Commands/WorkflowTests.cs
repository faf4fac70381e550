using System.Diagnostics;
using System.Text.RegularExpressions;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

/// <summary>
/// The steps of the workflow in docs/ci.md, as the document has them, in a shell: on the embedded model, with a baseline of its own run and
/// with one that it falls short of. Its build is that of these tests.
/// </summary>
public sealed partial class WorkflowTests : IDisposable
{
    private const string Program = "src/KvPareto.Cli/bin/Release/net10.0/kvpareto";

    private const string Config = """
        models: [embedded:llama]
        tasks: [{task: embedded, kind: fact, samples: 2, length: 100}]
        settings: [w16a16-k8v8-t64]
        """;

    private readonly ScratchFolder _temp = new(inMemory: false);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Steps_AreThoseThatTheTextSpeaksOf()
    {
        var steps = Steps();
        Assert.InRange(steps.Count, 3, 10);
        Assert.StartsWith("dotnet build -c Release src/KvPareto.Cli", steps[0], StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(TestData.RepositoryRoot, "src", "KvPareto.Cli")));
        Assert.All(steps.Skip(1), step => Assert.StartsWith(Program + " ", step, StringComparison.Ordinal));
    }

    [Fact]
    public void Steps_GuardAFrontier()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("runs a POSIX shell");
        _temp.Write("frontier.yaml", Config);
        WriteProgram();
        var (steps, check) = (Steps()[1..^1], Steps()[^1]);
        foreach (var step in steps) Assert.Equal((0, ""), Shell(step));
        Assert.True(File.Exists(_temp["run/results.csv"]));

        // The document's own line makes a baseline of it.
        Assert.Equal((0, ""), Shell(BaselineLine().Match(Document()).Groups[1].Value));
        Assert.Equal((0, ""), Shell(check));

        var baseline = File.ReadAllText(_temp["frontier-baseline.csv"]);
        File.WriteAllText(
            _temp["frontier-baseline.csv"], baseline.Replace("w16a16-k8v8-t64", "w16a16-k4v4-t64", StringComparison.Ordinal));
        var (code, error) = Shell(check);
        Assert.Equal(3, code);
        Assert.Contains("w16a16-k4v4-t64\n    has no result", error, StringComparison.Ordinal);
    }

    // What the step of building leaves, under the name that the others call it by.
    private void WriteProgram()
    {
        var script = _temp.Write(Program, $"#!/bin/sh\nexec dotnet '{typeof(KvParetoCommand).Assembly.Location}' \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    // As GitHub runs a step: bash, ended by the first failing command. Errors alone; progress and paths are not looked at.
    private (int Code, string Error) Shell(string step)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-e", "-o", "pipefail", "-c", step])
        {
            WorkingDirectory = _temp.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? "" : error + output.Result);
    }

    private static string Document() => File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "ci.md"));

    private static List<string> Steps() => [.. Step().Matches(Document()).Select(step => step.Groups[1].Value)];

    [GeneratedRegex(@"^ *- run: (.+)$", RegexOptions.Multiline)]
    private static partial Regex Step();

    [GeneratedRegex(@"is a commit: `([^`]+)`")]
    private static partial Regex BaselineLine();
}

using KvPareto.Cli.Terminal;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using Spectre.Console;

namespace KvPareto.Cli.Tests.Terminal;

public class SweepProgressTests
{
    private static readonly TrialResult Result = new()
    {
        TrialId = "0123456789abcdef",
        Model = "embedded:llama",
        ModelDigest = "",
        Setting = "w16a16-k4v4-t64",
        Status = TrialStatus.Ok,
        Scores = [],
        Score = 97.5,
    };

    private static readonly SweepEvent[] Events =
    [
        new SweepPlanned(2, 0, 20, 0),
        new TrialBegun(1, 2, "embedded:llama", "w16a16-k4v4-t64", 10, 0),
        new SampleMeasured(1, "embedded:fact", 1, 5, 10, 5, 20) { Left = TimeSpan.FromSeconds(90.5) },
        new TrialEnded(1, 2, Result, 10, 20) { Left = TimeSpan.FromSeconds(62.9) },
        new SweepWaiting(1, "process 7 on host"),
        new TrialLeft(2, 10, 20, 20),
    ];

    [Fact]
    public void Show_OnATerminalKeepsEndedTrialsAndClearsTheRest()
    {
        var text = Shown(columns: 80);
        Assert.StartsWith("[----------]   0 %  0:00 gone, - left\nstarting\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "\e[J   0:00 [  1/2] embedded:llama w16a16-k4v4-t64  score  97.50  peak       0 B\n", text, StringComparison.Ordinal);
        Assert.Contains("[##########] 100 %", text, StringComparison.Ordinal);
        Assert.Contains("\nwaiting for 1 trial that another worker has: process 7 on host\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\e[2A\e[J", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_ElsewhereWritesALineATrial()
    {
        var lines = Shown(columns: null).TrimEnd().Split('\n');
        Assert.Equal("2 trials, 20 samples; 0 trials done before", lines[0]);
        Assert.StartsWith(
            "[  1/2] embedded:llama    w16a16-k4v4-t64                  score  97.50  peak       0 B  0:00 gone, 1:02 left", lines[1],
                StringComparison.Ordinal);
        Assert.Equal("waiting for 1 trial that another worker has: process 7 on host", lines[2]);
        Assert.Equal(3, lines.Length);
    }

    [Fact]
    public void Planned_OfOneTrial_IsSaidOfOne() =>
        Assert.Equal("1 trial, 1 sample (at most 1 sample of each task: --limit); 1 trial done before",
            TrialText.Planned(new(1, 1, 1, 1) { Limit = 1 }));

    private static string Shown(int? columns)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
        });
        var context = new CommandContext(Stream.Null, TextWriter.Null, output, console) { ErrorWidth = () => columns };
        var display = SweepProgress.On(context);
        foreach (var value in Events) display.Report(value);
        (display as IDisposable)?.Dispose();
        return output.ToString().Replace("\r\n", "\n", StringComparison.Ordinal);
    }
}

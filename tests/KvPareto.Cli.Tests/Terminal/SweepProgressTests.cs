using KvPareto.Cli.Terminal;
using KvPareto.Sweep;
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
        new SampleMeasured(1, "embedded:fact", 1, 5, 10, 5, 20),
        new TrialEnded(1, 2, Result, 10, 20),
        new SweepWaiting(1, "process 7 on host"),
        new TrialLeft(2, 20, 20),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Show_TakesEveryEvent(bool terminal)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = terminal ? AnsiSupport.Yes : AnsiSupport.No,
            Interactive = terminal ? InteractionSupport.Yes : InteractionSupport.No,
        });
        var expected = new RunHistory("name", 1, "w16a16-k16v16", 2, []);
        var history = SweepProgress.Show(new CommandContext(Stream.Null, TextWriter.Null, output, console), progress =>
        {
            foreach (var value in Events) progress.Report(value);
            return expected;
        });
        Assert.Same(expected, history);
        // Bars are drawn by a timer and cleared at the end; lines are written as they come.
        Assert.Equal(!terminal, output.ToString().Contains("[  1/2] embedded:llama", StringComparison.Ordinal));
    }
}

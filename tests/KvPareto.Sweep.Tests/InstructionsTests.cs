using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Runs;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests;

/// <summary>Which instructions a trial was measured with is known from the journals, whichever process ended it.</summary>
public class InstructionsTests
{
    private const string Consequence = ": scores of settings with very few bits may differ by that alone";

    private static readonly FakeEngine Wide = new() { Device = "a wide one, wide", Instructions = "wide" };

    [Fact]
    public void Run_SaysThemOfEachTrial()
    {
        using var temp = new ScratchFolder();
        var history = FakeSweep.Run(temp["run"], new FakeEngine());
        Assert.All(history.Results, result => Assert.Equal(("none", "fingers"), (result.Device, result.Instructions)));
        Assert.Empty(history.Messages);
        Assert.Contains("\"instructions\": \"fingers\"", File.ReadAllText(RunFile.PathOf(temp["run"])), StringComparison.Ordinal);
    }

    [Fact]
    public void ResumedElsewhere_SaysBothOfTheTrialBetween_AndWarns()
    {
        using var temp = new ScratchFolder();
        Kill(temp["run"], 17);
        var history = FakeSweep.Run(temp["run"], Wide, resume: true);
        Assert.Equal(
            [.. Enumerable.Repeat("fingers", 3), "fingers + wide", .. Enumerable.Repeat("wide", 6)],
            history.Results.Select(result => result.Instructions!).Order().ToArray());
        Assert.Contains(history.Results, result => result.Device == "a wide one, wide + none");
        Assert.Equal([$"trials were measured with fingers and with wide{Consequence}"], history.Messages);
    }

    [Fact]
    public void Workers_OfOneFolderEachHaveTheirOwn()
    {
        using var temp = new ScratchFolder();
        Kill(temp["run"], 20, worker: "a");
        FakeSweep.Run(temp["run"], Wide, worker: "b");
        var words = RunHistory.Read(temp["run"]).Results.Select(result => result.Instructions).ToList();
        Assert.Equal((4, 6), (words.Count(text => text == "fingers"), words.Count(text => text == "wide")));
    }

    /// <summary>Versions before did not write them.</summary>
    [Fact]
    public void EarlierFolders_SayNothing()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine { Instructions = null! });
        Assert.All(RunHistory.Read(temp["run"]).Results, result => Assert.Null(result.Instructions));
    }

    [Fact]
    public void MergedRuns_WarnWhereTheyDiffer()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine());
        FakeSweep.Run(temp["b"], Wide);
        FakeSweep.Run(temp["c"], new FakeEngine());
        Assert.Contains(
            $"trials were measured with fingers and with wide{Consequence}", RunMerge.Read([temp["a"], temp["b"]]).Messages);
        Assert.Empty(RunMerge.Read([temp["a"], temp["c"]]).Messages);
    }

    // Five samples a trial.
    private static void Kill(string folder, int sample, string? worker = null)
    {
        var engine = new FakeEngine { Before = (number, _, _) => { if (number == sample) throw new TimeoutException(); } };
        Assert.Throws<TimeoutException>(() => FakeSweep.Run(folder, engine, worker: worker));
    }
}

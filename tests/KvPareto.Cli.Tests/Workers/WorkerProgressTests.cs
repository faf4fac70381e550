using KvPareto.Cli.Workers;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;

namespace KvPareto.Cli.Tests.Workers;

/// <summary>Two workers on a sweep of three trials with ten samples each, as one.</summary>
public class WorkerProgressTests
{
    private readonly Recorder _told = new();

    private readonly WorkerProgress _progress;

    public WorkerProgressTests()
    {
        _progress = new(_told);
        _progress.Report("a", new SweepPlanned(3, 0, 30, 0));
    }

    [Fact]
    public void Samples_AreCountedTogether()
    {
        _progress.Report("b", new SweepPlanned(3, 0, 30, 0));
        Assert.Single(_told.Events);
        _progress.Report("a", Begun(1));
        _progress.Report("b", Begun(2));
        _progress.Report("a", Measured(1, 1));
        _progress.Report("b", Measured(2, 1));
        _progress.Report("b", Measured(2, 2));
        Assert.Equal([1L, 2L, 3L], _told.Events.OfType<SampleMeasured>().Select(measured => measured.SamplesDone));
        Assert.Equal(["a", "b", "b"], _told.Events.OfType<SampleMeasured>().Select(measured => measured.Worker));
        _progress.Report("b", new TrialEnded(2, 3, Result, 10, 30) { TrialSamples = 10 });
        Assert.Equal(11, Assert.IsType<TrialEnded>(_told.Events[^1]).SamplesDone);
    }

    [Fact]
    public void TrialOfAnother_IsCountedOnce()
    {
        _progress.Report("a", Begun(1));
        _progress.Report("a", new TrialEnded(1, 3, Result, 10, 30) { TrialSamples = 10 });
        var count = _told.Events.Count;
        _progress.Report("b", new TrialLeft(1, 10, 10, 30));
        Assert.Equal(count, _told.Events.Count);
        _progress.Report("b", new TrialLeft(3, 10, 20, 30));
        _progress.Report("a", new TrialLeft(3, 10, 20, 30));
        Assert.Equal(20, Assert.IsType<TrialLeft>(_told.Events[^1]).SamplesDone);
        Assert.Equal(count + 1, _told.Events.Count);
    }

    /// <summary>Who takes a trial over goes on with its samples.</summary>
    [Fact]
    public void DeadWorkersSamples_AreThoseOfWhoTakesItOver()
    {
        _progress.Report("a", Begun(1));
        _progress.Report("a", Measured(1, 4));
        _progress.Report("a", new WorkerGone(137, "signal 9", 1));
        Assert.Equal("a", _told.Events[^1].Worker);
        _progress.Report("b", Begun(1) with { SamplesDone = 4 });
        _progress.Report("b", Measured(1, 5));
        Assert.Equal(5, Assert.IsType<SampleMeasured>(_told.Events[^1]).SamplesDone);
    }

    /// <summary>Each worker counts its own samples and learns of the other's when it takes its next range: none is counted twice.</summary>
    [Fact]
    public void SamplesOfASharedTrial_AreCountedOnce()
    {
        _progress.Report("a", Begun(1));
        foreach (var done in new[] { 1, 2, 3 }) _progress.Report("a", Measured(1, done));
        _progress.Report("b", Begun(1) with { SamplesDone = 3 });
        _progress.Report("b", Measured(1, 4));
        _progress.Report("a", Measured(1, 4));
        _progress.Report("b", Measured(1, 5));
        _progress.Report("a", Measured(1, 7));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], _told.Events.OfType<SampleMeasured>().Select(measured => measured.TrialSamplesDone));
        Assert.Equal(7, Assert.IsType<SampleMeasured>(_told.Events[^1]).SamplesDone);
        _progress.Report("a", new TrialEnded(1, 3, Result, 10, 30) { TrialSamples = 10 });
        _progress.Report("b", new TrialLeft(1, 10, 10, 30));
        Assert.Equal(10, Assert.IsType<TrialEnded>(_told.Events[^1]).SamplesDone);
    }

    /// <summary>A search measures a trial in several goes, and may drop one that nobody here has begun.</summary>
    [Fact]
    public void TrialLeftInPart_KeepsItsSamples_AndADroppedOneHasAll()
    {
        _progress.Report("a", Begun(1));
        _progress.Report("a", Measured(1, 3));
        _progress.Report("a", Begun(2));
        _progress.Report("a", Measured(2, 1));
        Assert.Equal(4, Assert.IsType<SampleMeasured>(_told.Events[^1]).SamplesDone);
        _progress.Report("b", new TrialEnded(3, 3, Result, 10, 30) { TrialSamples = 10 });
        Assert.Equal(14, Assert.IsType<TrialEnded>(_told.Events[^1]).SamplesDone);
    }

    /// <summary>29 missing samples would take one 58 s, 28 the other 28 s: together they make 1.5 a second. One that waits helps no
    /// more, and where nothing is missing nothing is left.</summary>
    [Fact]
    public void Left_IsThatOfAllTogether()
    {
        _progress.Report("a", Begun(1));
        _progress.Report("b", Begun(2));
        _progress.Report("a", Measured(1, 1) with { LeftAlone = TimeSpan.FromSeconds(58) });
        Assert.Equal(58, _told.Events[^1].Left!.Value.TotalSeconds, 3);
        _progress.Report("b", Measured(2, 1) with { LeftAlone = TimeSpan.FromSeconds(28) });
        Assert.Equal(28 / 1.5, _told.Events[^1].Left!.Value.TotalSeconds, 3);
        _progress.Report("b", Measured(2, 4));
        Assert.Equal(25 / 1.5, _told.Events[^1].Left!.Value.TotalSeconds, 3);
        _progress.Report("a", new SweepWaiting(1, "process 1"));
        _progress.Report("b", Measured(2, 5));
        Assert.Equal(24, _told.Events[^1].Left!.Value.TotalSeconds, 3);
        foreach (var trial in new[] { 1, 2, 3 }) _progress.Report("b", new TrialEnded(trial, 3, Result, 10, 30) { TrialSamples = 10 });
        Assert.Equal(TimeSpan.Zero, _told.Events[^1].Left);
    }

    private static TrialResult Result { get; } = new()
    { TrialId = "", Model = "m", ModelDigest = "", Setting = "s", Status = TrialStatus.Ok, Scores = [] };

    private static TrialBegun Begun(int trial) => new(trial, 3, "m", "s", 10, 0);

    private static SampleMeasured Measured(int trial, int done) => new(trial, "t", 1, done, 10, done, 30);

    private sealed class Recorder : IProgress<SweepEvent>
    {
        public List<SweepEvent> Events { get; } = [];

        public void Report(SweepEvent value) => Events.Add(value);
    }
}

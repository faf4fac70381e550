using KvPareto.Sweep.Cluster;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

/// <summary>One trial of forty samples and more than one worker.</summary>
public sealed class SharedTrialTests : IDisposable
{
    private const int Samples = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly LeaseTimes Eager = new(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(300));

    // Its heart stands still: it is dead for whoever looks long enough.
    private static readonly LeaseTimes Never = new(TimeSpan.FromDays(1), TimeSpan.FromDays(1))
    { Look = TimeSpan.FromMilliseconds(5) };

    private readonly ScratchFolder _temp = new();

    private string Folder => _temp["run"];

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task TwoWorkers_MeasureATrialTogether_AsOneWould()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        var (a, b, log, other) = await Together(new FakeEngine());

        Assert.Equal(Samples, a.Generated + b.Generated);
        Assert.InRange(b.Generated, 1, Samples - 2);
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(other));
        Assert.Empty(RunHistory.Read(Folder).Messages);
        AssertAsWhole(whole, log);
        // Both were there from the first.
        var measured = JournalReader.Read(Folder).HostsOf(log.Results[0]);
        Assert.Equal(2, measured.Count);
    }

    /// <summary>The trial's peak is the highest of all that took part.</summary>
    [Fact]
    public async Task Peak_IsTheHighestOfAll_AlsoWhereTheHelperMeasuredIt()
    {
        Dictionary<string, long> peaks = [];
        var (_, _, log, _) = await Together(new FakeEngine());
        foreach (var record in SampleLog.Read(RunPaths.Samples(Folder, log.Results[0].TrialId)).Records)
            peaks[record.Sample] = record.Peaks.Inference.Total;
        Assert.Equal(Samples, peaks.Count);
        Assert.Equal(peaks.Values.Max(), log.Results[0].Peaks.Inference.Total);
    }

    [Fact]
    public async Task AHelperThatStandsStill_LosesItsRange_AndWritesNothingWhenItWakes()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        using var done = new ManualResetEventSlim();
        using var still = new ManualResetEventSlim();
        var b = new FakeEngine
        {
            Before = (number, _, _) =>
            {
                if (number != 1) return;
                still.Set();
                Assert.True(done.Wait(Patience));
            },
        };
        var helper = Task.CompletedTask;
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b", Never);
            if (number == 2) Assert.True(still.Wait(Patience));
        };
        var log = Run(Folder, a, "a", Eager);
        done.Set();
        await helper;

        // The one sample that it had measured counts; that at which it stood was measured by the other.
        Assert.Equal((Samples - 1, 2), (a.Generated, b.Generated));
        AssertAsWhole(whole, log);
    }

    [Fact]
    public async Task AHolderThatDies_IsFollowedByItsHelper()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        var b = new FakeEngine();
        var helper = Task.FromResult<RunHistory>(null!);
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b");
            if (number != 2) return;
            Assert.True(SpinWait.SpinUntil(() => b.Generated > 1, Patience));
            throw new Killed();
        };
        Assert.Throws<Killed>(() => Run(Folder, a, "a"));
        var log = await helper;

        Assert.Equal((3, Samples - 2), (a.Generated, b.Generated));
        AssertAsWhole(whole, log);
    }

    [Fact]
    public async Task AHolderThatStandsStill_LosesTrialAndRange_AndWritesNothingWhenItWakes()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        var b = new FakeEngine();
        var helper = Task.FromResult<RunHistory>(null!);
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b", Eager);
            if (number == 2) Assert.True(helper.Wait(Patience));
        };
        var log = Run(Folder, a, "a", Never);
        await helper;

        Assert.Equal((3, Samples - 2), (a.Generated, b.Generated));
        AssertAsWhole(whole, log);
    }

    [Fact]
    public async Task FourWorkers_MeasureNothingTwice()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        var engines = Enumerable.Range(0, 4).Select(_ => new FakeEngine { Before = (_, _, _) => Thread.Sleep(20) }).ToArray();
        await Task.WhenAll(engines.Select((engine, i) => Start(engine, $"w{i}")));
        Assert.Equal(Samples, engines.Sum(engine => engine.Generated));
        AssertAsWhole(whole, RunHistory.Read(Folder));
    }

    /// <summary>All die while they share it; status and the next run know what each has measured.</summary>
    [Fact]
    public async Task WhenAllDie_TheNextRunMeasuresTheRest()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        var seen = await BothDie();
        Assert.Equal(5, Assert.Single(seen.Held).Samples);
        Assert.Equal(2, RunPaths.Logs(Folder).Count);
        Assert.DoesNotContain(RunHistory.Read(Folder).Messages, message => message.Contains("not read", StringComparison.Ordinal));

        var last = new FakeEngine();
        var log = FakeSweep.Run(Folder, last, OneTrial, resume: true, tasks: Tasks);
        Assert.Equal(Samples - 5, last.Generated);
        AssertAsWhole(whole, log);
    }

    /// <summary>What a dead helper has of a trial that the next config does not have is not lost either.</summary>
    [Fact]
    public async Task SamplesOfAHelper_ServeTheNextConfig()
    {
        await BothDie();

        var last = new FakeEngine();
        FakeSweep.Run(Folder, last, OneTrial, resume: true, tasks: [.. Tasks, new("counts", new FakeTask("counts", 2))]);
        Assert.Equal(Samples + 2 - 5, last.Generated);
    }

    /// <summary>A device without room for a trial that fits where it is held does not make it fail.</summary>
    [Fact]
    public async Task AHelperThatFails_LeavesTheTrialToItsHolder()
    {
        var whole = Run(_temp["whole"], new FakeEngine());
        var b = new FakeEngine { Before = (_, _, _) => throw new InsufficientMemoryException("full") };
        var (a, _, log, _) = await Together(b);
        Assert.Equal((Samples, 1), (a.Generated, b.Generated));
        AssertAsWhole(whole, log);
    }

    [Fact]
    public async Task ATrialThatFails_EndsForItsHelperToo_AndItsCostIsThatOfBoth()
    {
        var b = new FakeEngine { Before = (_, _, _) => Thread.Sleep(5) };
        var helper = Task.FromResult<RunHistory>(null!);
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b");
            if (number != 2) return;
            Assert.True(SpinWait.SpinUntil(() => b.Generated > 1, Patience));
            throw new InsufficientMemoryException("full");
        };
        var result = Assert.Single(Run(Folder, a, "a").Results);
        await helper;

        Assert.Equal(TrialStatus.Failed, result.Status);
        Assert.Contains("out of memory: full", result.Failure, StringComparison.Ordinal);
        Assert.InRange(result.Samples, 3, Samples - 1);
        Assert.Equal(SampleLog.Read(RunPaths.Samples(Folder, result.TrialId)).Records.Count, result.Samples);
        Assert.Empty(RunHistory.Read(Folder).Messages);
        Assert.Single(Directory.GetFiles(RunPaths.Samples(Folder)));
    }

    /// <summary>Figures of different devices, or instructions, do not mix within a trial.</summary>
    [Theory]
    [InlineData("none", "toes")]
    [InlineData("another", "fingers")]
    public async Task AWorkerOnAnotherDevice_OnlyWaits(string device, string instructions)
    {
        var b = new FakeEngine { Device = device, Instructions = instructions };
        using var waiting = new ManualResetEventSlim();
        var helper = Task.FromResult<RunHistory>(null!);
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Task.Run(() => FakeSweep.Run(
                Folder, b, OneTrial, worker: "b", tasks: Tasks, progress: new Signal(waiting)));
            if (number == 2) Assert.True(waiting.Wait(Patience));
        };
        Run(Folder, a, "a");
        Assert.Single((await helper).Results);
        Assert.Equal((Samples, 0), (a.Generated, b.Generated));
    }

    [Fact]
    public async Task TheNextConfig_IsRefused_WhileAHelperIsAtWork()
    {
        var b = new FakeEngine();
        string? refused = null;
        b.Before = (number, _, _) =>
        {
            if (number != 1) return;
            // The holder is gone; its helper is not.
            Assert.True(SpinWait.SpinUntil(() => Directory.GetFiles(_temp["run/leases"], "*-open.*").Length == 0, Patience));
            refused = Assert.Throws<ConfigException>(() => FakeSweep.Run(
                Folder, new FakeEngine(), OneTrial, worker: "c", tasks: [new("counts", new FakeTask("counts", 2))])).Message;
        };
        var helper = Task.FromResult<RunHistory>(null!);
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b");
            if (number != 2) return;
            Assert.True(SpinWait.SpinUntil(() => b.Generated > 1, Patience));
            throw new Killed();
        };
        Assert.Throws<Killed>(() => Run(Folder, a, "a"));
        await helper;
        Assert.Contains(" is at work on w16a16-k16v16 of one (trial ", refused, StringComparison.Ordinal);
    }

    /// <summary>A helper's log that is damaged is refused by its name, and mended by its name.</summary>
    [Fact]
    public async Task ADamagedLogOfAHelper_IsRefused_AndMended()
    {
        await BothDie();
        var log = RunPaths.Logs(Folder).Single(log => log.Path != RunPaths.Samples(Folder, log.Trial)).Path;
        File.WriteAllText(log, File.ReadAllText(log).Replace("\"newTokens\":3", "\"newTokens\":4", StringComparison.Ordinal));
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(Folder, new FakeEngine(), OneTrial, resume: true, tasks: Tasks));
        Assert.StartsWith($"{log}:1: not a sample (its checksum does not fit)", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, RunRepair.Mend(Folder).Count);
        var last = new FakeEngine();
        FakeSweep.Run(Folder, last, OneTrial, resume: true, tasks: Tasks);
        Assert.Equal(Samples - 2, last.Generated);
    }

    // The helper joins while the first is at its second sample, and has begun with one before the third.
    private async Task<(FakeEngine A, FakeEngine B, RunHistory Log, RunHistory Other)> Together(FakeEngine b)
    {
        var (a, helper) = (new FakeEngine(), Task.FromResult<RunHistory>(null!));
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b");
            if (number == 2) Assert.True(SpinWait.SpinUntil(() => b.Generated > 0, Patience));
        };
        var log = Run(Folder, a, "a");
        return (a, b, log, await helper);
    }

    // After two samples of the holder and three of its helper; the progress is that before the holder dies.
    private async Task<RunProgress> BothDie()
    {
        var b = new FakeEngine { Before = (number, _, _) => { if (number == 3) throw new Killed(); } };
        var helper = Task.FromResult<RunHistory>(null!);
        RunProgress? seen = null;
        var a = new FakeEngine();
        a.Before = (number, _, _) =>
        {
            if (number == 1) helper = Join(b, "b");
            if (number != 2) return;
            Assert.True(SpinWait.SpinUntil(() => helper.IsFaulted, Patience));
            seen = RunProgress.Read(Folder);
            throw new Killed();
        };
        Assert.Throws<Killed>(() => Run(Folder, a, "a"));
        await Assert.ThrowsAsync<Killed>(() => helper);
        return seen!;
    }

    private static SweepConfig OneTrial { get; } = SweepConfigReader.Read("one.yaml", """
        name: one
        models: [{name: one, path: .}]
        tasks: [{task: embedded, kind: fact, samples: 3, length: 100}]
        settings: [w16a16-k16v16]
        timing: {repeats: 1}
        """, AppContext.BaseDirectory, []);

    private static IReadOnlyList<SweepTask> Tasks { get; } = [new("facts", new FakeTask("facts", Samples))];

    private static RunHistory Run(string folder, FakeEngine engine, string? worker = null, LeaseTimes? leases = null) =>
        FakeSweep.Run(folder, engine, OneTrial, worker: worker, leases: leases, tasks: Tasks);

    private Task<RunHistory> Start(FakeEngine engine, string worker, LeaseTimes? leases = null) =>
        Task.Run(() => Run(Folder, engine, worker, leases));

    // Its first wish is there before whoever holds the trial goes on.
    private Task<RunHistory> Join(FakeEngine engine, string worker, LeaseTimes? leases = null)
    {
        var helper = Start(engine, worker, leases);
        Assert.True(SpinWait.SpinUntil(
            () => Directory.GetFiles(_temp["run/leases"], "*-?.1").Concat(Directory.GetFiles(_temp["run/leases"], "*-??.1"))
                .Any(file => RunPaths.TrialOfRange(Path.GetFileName(file)) is not null), Patience));
        return helper;
    }

    // The results and the log's lines of one worker, in the same order, but for the times; one log, and nobody holds anything.
    private void AssertAsWhole(RunHistory whole, RunHistory shared)
    {
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(shared));
        var log = Assert.Single(Directory.GetFiles(RunPaths.Samples(Folder)));
        Assert.Equal(Lines(Path.Combine(RunPaths.Samples(_temp["whole"]), Path.GetFileName(log))), Lines(log));
        Assert.Empty(Directory.GetFileSystemEntries(_temp["run/leases"]));

        static IEnumerable<string> Lines(string path) => SampleLog.Read(path).Records.Select(record =>
            System.Text.Encoding.UTF8.GetString(JournalJson.WriteLine(record with { TtftMs = 0, TpotMs = null, WarmUp = false })));
    }

    private sealed class Killed : Exception;

    private sealed class Signal(ManualResetEventSlim waiting) : IProgress<SweepEvent>
    {
        public void Report(SweepEvent value)
        {
            if (value is SweepWaiting) waiting.Set();
        }
    }
}

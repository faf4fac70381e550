using KvPareto.Sweep.Cluster;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Cluster;

public class RunProgressTests
{
    [Fact]
    public void Read_TellsWhatIsDoneHeldAndWaiting_WhileARunGoesOn()
    {
        using var temp = new ScratchFolder();
        RunProgress? seen = null;
        using var source = new CancellationTokenSource();
        var engine = new FakeEngine
        {
            Before = (number, _, _) =>
            {
                if (number != 12) return;
                seen = RunProgress.Read(temp["run"]);
                source.Cancel();
            },
            Cancellation = source.Token,
        };
        Assert.Throws<OperationCanceledException>(() => FakeSweep.Run(temp["run"], engine, worker: "a"));

        var here = $"process {Environment.ProcessId} on {Environment.MachineName}";
        Assert.Equal(("fake", FakeSweep.Trials, 2, 7), (seen!.Name, seen.Planned, seen.Done, seen.Waiting));
        Assert.Equal([here], seen.Workers);
        var held = Assert.Single(seen.Held);
        Assert.Equal((2, 5, here, false), (held.Samples, held.Planned, held.Holder, held.IsQuiet));
        Assert.EndsWith(" of one", held.Trial, StringComparison.Ordinal);
        // Seven trials and three fifths of one.
        Assert.Equal(seen.TrialTime!.Value * 7.6, seen.Left!.Value);

        var after = RunProgress.Read(temp["run"]);
        Assert.Equal((2, 0, 8, null), (after.Done, after.Held.Count, after.Waiting, after.Left));
        Assert.Empty(after.Workers);
    }

    [Fact]
    public void Read_TellsRepeatsApart()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Before = (_, setting, _) => { if (setting.Cache.Keys.Bits == 16) throw new InsufficientMemoryException("full"); },
        };
        FakeSweep.Run(temp["run"], engine, FakeSweep.Config(baselineRepeats: 1));
        Assert.Equal(
            ["w16a16-k16v16 of one", "w16a16-k16v16 of one, repeat 1", "w16a16-k16v16 of two", "w16a16-k16v16 of two, repeat 1"],
            RunProgress.Read(temp["run"]).Failed.Select(failed => failed.Trial));
    }

    /// <summary>Two processes that help, one with two ranges, and the holder's own.</summary>
    [Fact]
    public void Read_CountsThoseThatHelp()
    {
        using var temp = new ScratchFolder();
        using var source = new CancellationTokenSource();
        RunProgress? seen = null;
        var engine = new FakeEngine
        {
            Before = (number, _, _) =>
            {
                if (number != 12) return;
                var trial = Directory.GetFiles(temp["run/leases"]).Select(file => Path.GetFileNameWithoutExtension(file))
                    .Single(TextHash.IsId);
                var elsewhere = LeaseHolder.Here() with { Scope = "elsewhere", Machine = "node7", Process = 7 };
                Write($"{trial}-open", LeaseHolder.Here());
                foreach (var range in new[] { 1, 2 }) Write($"{trial}-{range}", elsewhere);
                Write($"{trial}-12", elsewhere with { Process = 8 });
                seen = RunProgress.Read(temp["run"]);
                source.Cancel();
            },
            Cancellation = source.Token,
        };
        Assert.Throws<OperationCanceledException>(() => FakeSweep.Run(temp["run"], engine, worker: "a"));
        var held = Assert.Single(seen!.Held);
        Assert.Equal((2, 2), (held.Samples, held.Helpers));
        Assert.Equal(seen.TrialTime!.Value * (7.6 / 3), seen.Left!.Value);

        void Write(string lease, LeaseHolder holder) =>
            temp.Write($"run/leases/{lease}.1", System.Text.Json.JsonSerializer.Serialize(holder) + "\n");
    }

    [Fact]
    public void Read_NamesWhatFailed()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], FakeEngine.FailingAtTwoBits());
        var progress = RunProgress.Read(temp["run"]);
        Assert.Equal((8, 0), (progress.Done, progress.Waiting));
        Assert.Equal(
            ["w4a16-k2v2-t64 of one", "w4a16-k2v2-t64 of two"], progress.Failed.Select(failure => failure.Trial));
        Assert.All(progress.Failed, failure => Assert.Contains("full", failure.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void HolderThatShowsNothing_IsQuiet()
    {
        using var temp = new ScratchFolder();
        using var source = new CancellationTokenSource();
        RunProgress? seen = null;
        var engine = new FakeEngine
        {
            Before = (number, _, _) =>
            {
                if (number != 2) return;
                foreach (var lease in Directory.GetFiles(temp["run/leases"]))
                    File.SetLastWriteTimeUtc(lease, DateTime.UtcNow.AddMinutes(-2));
                seen = RunProgress.Read(temp["run"]);
                source.Cancel();
            },
            Cancellation = source.Token,
        };
        var still = new LeaseTimes(TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        Assert.Throws<OperationCanceledException>(() => FakeSweep.Run(temp["run"], engine, leases: still));
        Assert.True(Assert.Single(seen!.Held).IsQuiet);
        Assert.Null(seen.Left);
    }

    [Fact]
    public void FolderWithoutARun_IsRefused()
    {
        using var temp = new ScratchFolder();
        Assert.Contains("there is no such folder", Assert.Throws<ConfigException>(() => RunProgress.Read(temp["x"])).Message,
            StringComparison.Ordinal);
        Directory.CreateDirectory(temp["empty"]);
        Assert.Contains("holds no run", Assert.Throws<ConfigException>(() => RunProgress.Read(temp["empty"])).Message,
            StringComparison.Ordinal);
    }
}

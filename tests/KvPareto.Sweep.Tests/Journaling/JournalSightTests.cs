using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Tests.Reports;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Journaling;

public class JournalSightTests
{
    [Fact]
    public void Read_SeesWhatOthersAppend()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new(), worker: "a");
        var sight = new JournalSight(temp["run"]);
        Assert.Equal(FakeSweep.Trials, sight.Read().Results().Count);
        FakeSweep.Run(temp["run"], new(), FakeSweep.Config("w16a16-k8v8-t64, w4a16-k8v8-t128"), worker: "b");
        var (seen, read) = (sight.Read(), JournalReader.Read(temp["run"]));
        Assert.Equal(read.Results().Select(result => result.TrialId), seen.Results().Select(result => result.TrialId));
        Assert.Equal(read.Runs.Select(run => run.ConfigDigest), seen.Runs.Select(run => run.ConfigDigest));
    }

    /// <summary>A worker asks after every trial: what it has read of thousands of results it does not read again.</summary>
    [Fact]
    public void Read_ReadsOnlyWhatIsNew()
    {
        using var temp = new ScratchFolder();
        using var leases = new LeaseBook(temp["leases"], LeaseTimes.Default);
        using var lease = leases.TryTake("journal")!;
        using var journal = Journal.Open(temp["journal.jsonl"], lease);
        var sight = new JournalSight(temp.Root);
        Assert.Empty(sight.Read().WithResult);
        journal.TrialEnded(SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("niah", [1])));
        Assert.Single(sight.Read().WithResult);
        using (var file = new FileStream(temp["journal.jsonl"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.WriteByte((byte)'!');
        journal.TrialEnded(SomeTrial.Ok("m", "w16a16-k8v8-t64", 1000, ("niah", [1])));
        Assert.Equal(2, sight.Read().WithResult.Count);
        Assert.Throws<ConfigException>(() => JournalReader.Read(temp.Root));
    }
}

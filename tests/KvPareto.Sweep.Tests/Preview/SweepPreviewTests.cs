using KvPareto.Cpu;
using KvPareto.Sweep.Preview;
using KvPareto.Sweep.Results;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Preview;

public class SweepPreviewTests
{
    [Fact]
    public void Fresh_IsEveryTrialInTheOrderOfReports_AndWritesNothing()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine { Room = 2000, Predicting = trial => trial.Spec.Setting.Cache.Keys.Bits == 16 ? 2001 : 1999 };
        var preview = Of(temp["run"], engine);
        Assert.Equal(
            ["one w16a16-k16v16 5 0 False", "one w4a16-k8v8-t64 5 0 True", "one w16a16-k8v8-t64 5 0 True"],
            preview.Trials.Take(3).Select(trial => $"{trial.Model} {trial.Setting} {trial.Samples} {trial.SamplesDone} {trial.Fits}"));
        Assert.Equal((FakeSweep.Trials, 2000L, null), (preview.Trials.Count, preview.RoomBytes, preview.Left));
        Assert.Equal(0, engine.Generated + engine.Loads.Count);
        Assert.Empty(Directory.GetFileSystemEntries(temp.Root));
    }

    /// <summary>Its trials are those that a sweep then has.</summary>
    [Fact]
    public void Trials_AreTheSweeps()
    {
        using var temp = new ScratchFolder();
        var preview = Of(temp["run"], new FakeEngine(), limit: 2);
        var history = FakeSweep.Run(temp["run"], new FakeEngine(), limit: 2);
        Assert.Equal(history.Results.Select(result => result.TrialId), preview.Trials.Select(trial => trial.Id));
        Assert.Equal(history.Results.Select(result => result.Samples), preview.Trials.Select(trial => trial.Samples));
    }

    [Fact]
    public void Interrupted_SaysWhatIsMissing_AndHowLongItTakes()
    {
        using var temp = new ScratchFolder();
        var killed = new FakeEngine { Before = (number, _, _) => { if (number == 17) throw new TimeoutException(); } };
        Assert.Throws<TimeoutException>(() => FakeSweep.Run(temp["run"], killed));
        var before = Snapshot(temp.Root);
        var preview = Of(temp["run"], new FakeEngine(), resume: true);
        Assert.Equal(17, preview.Trials.Sum(trial => trial.SamplesDone));
        Assert.Equal(3, preview.Trials.Count(trial => trial.Status == TrialStatus.Ok));
        Assert.All(preview.Trials.Where(trial => trial.Status is not null), trial => Assert.Equal(TimeSpan.Zero, trial.Left));
        Assert.All(preview.Trials.Where(trial => trial.Status is null), trial => Assert.True(trial.Left > TimeSpan.Zero));
        Assert.Equal(preview.Trials.Sum(trial => trial.Left!.Value.TotalSeconds), preview.Left!.Value.TotalSeconds, 6);
        Assert.Equal(before, Snapshot(temp.Root));
        Assert.Null(Of(temp["run"], new FakeEngine { Device = "another" }, resume: true).Left);
    }

    [Fact]
    public void RaisedLimit_CountsWhatIsTakenOver()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), limit: 1);
        var preview = Of(temp["run"], new FakeEngine(), resume: true, limit: 2);
        Assert.All(preview.Trials, trial => Assert.Equal((4, 2, null), (trial.Samples, trial.SamplesDone, trial.Status)));
    }

    [Fact]
    public void Mistakes_AreTheSweeps()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine());
        var error = Assert.Throws<ConfigException>(() => Of(temp["run"], new FakeEngine()));
        Assert.Contains("is not empty", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GroupOfMadeWeights_ThatFitsNoWidth_IsNamedByItsKey()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        File.WriteAllText(temp["text.txt"], "Some text.");
        var config = Variants.Config(
            temp, "[{name: tiny, path: model, weights: [w16, awq: {group: 128, calibration: text.txt}]}]",
            tasks: "{task: embedded, kind: fact, samples: 2, length: 96}");
        using var backend = new CpuBackend(1);
        var problem = Assert.Throws<ConfigException>(() => SweepPreview.Of(config, new() { Backend = backend, Folder = temp["run"] }));
        Assert.Contains("key 'models[0].weights[1].awq': ", problem.Message, StringComparison.Ordinal);
        Assert.Contains(": group 128 does not divide", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsToBeMade_AreNotMade()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        using var backend = new CpuBackend(1);
        var config = Variants.Config(
            temp, "[{name: tiny, path: model, weights: [w16, awq: {group: 64, calibration: text.txt, samples: 3, tokens: 50}]}]",
            tasks: "{task: embedded, kind: fact, samples: 2, length: 96}");
        var preview = SweepPreview.Of(config, new() { Backend = backend, Folder = temp["run"] });
        Assert.Equal(
            ["w16a16-k16v16", "w16a16-k8v8-t32", "awq4g64a16-k16v16", "awq4g64a16-k8v8-t32"],
            preview.Trials.Select(trial => trial.Setting));
        Assert.All(preview.Trials, trial => Assert.True(trial.PredictedPeakBytes > 0));
        Assert.True(preview.Trials[2].PredictedPeakBytes < preview.Trials[0].PredictedPeakBytes);
        Assert.False(Directory.Exists(temp["run"]));
    }

    private static SweepPreview Of(string folder, FakeEngine engine, bool resume = false, int? limit = null) => SweepPreview.Of(
        FakeSweep.Config(), new() { Backend = null!, Folder = folder, Resume = resume, Limit = limit }, engine, FakeSweep.Tasks);

    private static string[] Snapshot(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order()
        .Select(file => $"{file} {Convert.ToHexString(File.ReadAllBytes(file))}")];
}

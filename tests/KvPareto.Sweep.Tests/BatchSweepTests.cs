using System.Text.Json.Nodes;
using KvPareto.Cpu;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

/// <summary>Sweeps whose samples are answered together.</summary>
public class BatchSweepTests
{
    private const int Samples = FakeSweep.LongSamples;
    private const int Alone = FakeSweep.LongTimed;

    private sealed class Killed : Exception;

    private sealed class Late : TimeProvider
    {
        public long Now { get; set; }

        public override long GetTimestamp() => Now;

        public override long TimestampFrequency => 1;
    }

    [Theory]
    [InlineData(3, 8, 3)]
    [InlineData(8, 3, 3)]
    [InlineData(64, 64, 4)]
    [InlineData(8, 1, 0)]
    public void Run_GivesTheSame_WithAsManyAsConfigAndDeviceHave(int size, int device, int together)
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["alone"], new FakeEngine(), tasks: FakeSweep.LongTasks));
        var engine = new FakeEngine { MostTogether = device };
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config(batchSize: size), tasks: FakeSweep.LongTasks);
        Assert.Equal(whole, FakeSweep.WithoutTimes(history));
        Assert.Equal((FakeSweep.Trials * Samples, together), (engine.Generated, engine.MostUnderWay));
        foreach (var result in history.Results)
        {
            var records = Records(temp["run"], result.TrialId);
            Assert.Equal(together == 0 ? 0 : Samples - Alone, records.Count(record => record.BatchSize is not null));
            Assert.All(records.Where(record => record.BatchSize is not null), record => Assert.Equal(Math.Min(size, device), record.BatchSize));
            double[] timed = [.. records.Where(record => record is { BatchSize: null, WarmUp: false }).Select(record => record.TpotMs!.Value)];
            Assert.Equal(SampleStatistics.Median(timed), result.TpotMs);
        }
    }

    [Fact]
    public void Run_WithALongWarmUp_HasATimePerToken()
    {
        using var temp = new ScratchFolder();
        IReadOnlyList<SweepTask> tasks = [new("facts", new FakeTask("facts", 9))];
        var config = FakeSweep.Config(batchSize: 3) with { WarmUp = 6 };
        var history = FakeSweep.Run(temp["run"], new FakeEngine { MostTogether = 3 }, config, tasks: tasks);
        Assert.All(history.Results, result => Assert.NotNull(result.TpotMs));
        Assert.Equal(2, Records(temp["run"], history.Results[0].TrialId).Count(record => record.BatchSize is not null));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(2)]
    public void Run_WithoutRoomForMore_GoesOnWithFewer(int room)
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["alone"], new FakeEngine(), tasks: FakeSweep.LongTasks));
        var engine = new FakeEngine { MostTogether = 8, RoomTogether = () => room };
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config(batchSize: 8), tasks: FakeSweep.LongTasks);
        Assert.Equal(whole, FakeSweep.WithoutTimes(history));
        Assert.Equal((FakeSweep.Trials * Samples, Math.Max(0, room)), (engine.Generated, engine.MostUnderWay));
        Assert.Equal(room > 0, Records(temp["run"], history.Results[0].TrialId).Any(record => record.BatchSize is not null));
    }

    [Fact]
    public void Run_WithASampleTooLargeForCompany_AnswersThatAlone()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["alone"], new FakeEngine(), tasks: FakeSweep.LongTasks));
        var engine = new FakeEngine { MostTogether = 8, IsLarge = sample => sample.Id is "facts-5" or "counts-4" };
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config(batchSize: 3), tasks: FakeSweep.LongTasks);
        Assert.Equal(whole, FakeSweep.WithoutTimes(history));
        Assert.Equal(Samples - Alone - 2, Records(temp["run"], history.Results[0].TrialId).Count(record => record.BatchSize is not null));
    }

    [Fact]
    public void Run_KilledAtAnySample_LosesThoseUnderWay_AndEndsWithTheSame()
    {
        using var temp = new ScratchFolder();
        var config = FakeSweep.Config("w4a16-k8v8-t64", batchSize: 3);
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine { MostTogether = 3 }, config, tasks: FakeSweep.LongTasks));
        for (var kill = 0; kill < 4 * Samples; kill++)
        {
            var (folder, at) = (temp[$"killed{kill}"], kill);
            var killed = new FakeEngine
            {
                MostTogether = 3,
                Before = (number, _, _) => { if (number == at) throw new Killed(); },
            };
            Assert.Throws<Killed>(() => FakeSweep.Run(folder, killed, config, tasks: FakeSweep.LongTasks));
            var engine = new FakeEngine { MostTogether = 3 };
            Assert.Equal(whole, FakeSweep.WithoutTimes(FakeSweep.Run(folder, engine, config, resume: true, tasks: FakeSweep.LongTasks)));
            // Two under way, and what ended with its first token since the last step.
            Assert.InRange(engine.Generated, 4 * Samples - kill, 4 * Samples - kill + 2 + 3);
        }
    }

    [Fact]
    public void Budget_IsOver_ThoseBegunAreEnded()
    {
        using var temp = new ScratchFolder();
        var clock = new Late();
        var engine = new FakeEngine
        {
            MostTogether = 4,
            Before = (number, _, _) => { if (number == Alone + 2) clock.Now = 100; },
        };
        var history = FakeSweep.Run(
            temp["run"], engine, FakeSweep.Config(batchSize: 4), tasks: FakeSweep.LongTasks, budget: TimeSpan.FromSeconds(50), clock: clock);
        Assert.Equal(Alone + 3, engine.Generated);
        Assert.Empty(history.Results);
        Assert.Equal(Alone + 3, Directory.GetFiles(temp["run/samples"]).Sum(file => File.ReadLines(file).Count(IsSample)));

        static bool IsSample(string line) => JsonNode.Parse(line)!["prediction"] is not null;
    }

    [Fact]
    public void Failure_OfOneUnderWay_IsTheTrials()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            MostTogether = 4,
            Before = (_, setting, sample) =>
            {
                if (sample.Id == "counts-5" && setting.Cache.Keys.Bits == 2) throw new NotFiniteNumberException("the logits are not finite");
            },
        };
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config(batchSize: 4), tasks: FakeSweep.LongTasks);
        Assert.All(history.Results, result => Assert.Equal(
            result.Setting.Contains("k2", StringComparison.Ordinal) ? "not a number: the logits are not finite" : null, result.Failure));
    }

    [Fact]
    public void RealModel_AnswersAndTakesMemoryAsAlone()
    {
        using var temp = new ScratchFolder();
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, MaxPositions = 1024 }.Write(temp["model"]);
        temp.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        var (alone, together) = (Run(1), Run(5));
        Assert.Equal(FakeSweep.WithoutTimes(alone), FakeSweep.WithoutTimes(together));
        Assert.All(together.Results, result => Assert.Equal(result.PredictedPeakBytes, result.Peaks.Inference.Total));
        foreach (var result in alone.Results)
        {
            var (before, now) = (Ordered(temp["run1"], result.TrialId), Ordered(temp["run5"], result.TrialId));
            Assert.Equal(before.Select(Untimed), now.Select(Untimed));
            Assert.Equal(8 - TimedSamples.OfPart, now.Count(record => record.BatchSize == 5));
            Assert.Contains(now, record => record is { BatchSize: 5, NewTokens: > 1, TpotMs: > 0 });
        }

        RunHistory Run(int size)
        {
            using var backend = new CpuBackend(2);
            var config = SweepConfig.Load(temp.Write("sweep.yaml", $$"""
                models: [model]
                tasks: [{task: embedded, kind: fact, samples: 8, length: 96}]
                settings: [w16a16-k8v8-t32-c64, w4g32a16-k2v2-t32-c64]
                batch_size: {{size}}
                """));
            return SweepRunner.Run(
                config, new SweepOptions { Backend = backend, Folder = temp[$"run{size}"] }, null, TestContext.Current.CancellationToken);
        }

        static SampleRecord Untimed(SampleRecord record) =>
            record with { TtftMs = 0, TpotMs = null, BatchSize = null, References = null };

        static IEnumerable<SampleRecord> Ordered(string folder, string trial) =>
            Records(folder, trial).OrderBy(record => record.Sample, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("0", "key 'batch_size' is 0, out of range; allowed: ")]
    [InlineData("many", "key 'batch_size'")]
    public void Config_RefusesOtherSizes(string size, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => SweepConfigReader.Read(
            "a.yaml", $"models: [embedded:llama]\ntasks: [{{task: embedded, kind: fact, samples: 2, length: 96}}]\nsettings: [w16a16-k8v8]\nbatch_size: {size}",
            AppContext.BaseDirectory, []));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static List<SampleRecord> Records(string folder, string trial) =>
        [.. TrialSamples.Read(folder, trial)];
}

using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Tests;

/// <summary>Answers without a model: right or wrong as a hash of setting and sample has it.</summary>
internal sealed class FakeEngine : ITrialEngine
{
    private int _generated;

    public string Backend => "fake";

    public long? Room { get; init; }

    /// <summary>What is predicted of a trial.</summary>
    public Func<PlannedTrial, long?> Predicting { get; init; } = _ => null;

    public long? Predict(PlannedTrial trial) => Predicting(trial);

    /// <summary>Fewer bits take less memory.</summary>
    public long ExpectedPeak(PlannedTrial trial) => PeakOf(trial.Spec.Setting);

    public static long PeakOf(InferenceSetting setting) =>
        1000 + 100 * setting.Weights.Bits + setting.Cache.Keys.Bits + setting.Cache.Values.Bits;

    /// <summary>Share of questions that a setting answers rightly.</summary>
    public Func<InferenceSetting, double> Skill { get; init; } = _ => 180 / 256.0;

    public string Device { get; init; } = "none";

    public string Instructions { get; init; } = "fingers";

    public int? Workers { get; set; }

    /// <summary>What the models' files hold.</summary>
    public string Files { get; init; } = "";

    /// <summary>The model that a name's files are of.</summary>
    public Func<string, string> NameOfFiles { get; init; } = name => name;

    /// <summary>What each load was of.</summary>
    public List<string> Loads { get; } = [];

    /// <summary>Loaded models not yet disposed.</summary>
    public int Live { get; private set; }

    /// <summary>Called before each generation with its number from 0; may throw.</summary>
    public Action<int, InferenceSetting, TaskSample> Before { get; set; } = (_, _, _) => { };

    /// <summary>Called before each load; may throw.</summary>
    public Action<WeightSpec> BeforeLoad { get; set; } = _ => { };

    public int MostTogether { get; init; } = 1;

    public bool KeepsPrefixes { get; init; }

    /// <summary>Samples that there is room for together; 0: for none but alone, less: not even for a batch.</summary>
    public Func<int> RoomTogether { get; init; } = () => int.MaxValue;

    /// <summary>Samples that there is room for only alone.</summary>
    public Func<TaskSample, bool> IsLarge { get; init; } = _ => false;

    /// <summary>Most samples that were under way at a time.</summary>
    public int MostUnderWay { get; private set; }

    public int Generated => _generated;

    /// <summary>Stops the sweep.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>One that has no memory for 2-bit keys.</summary>
    public static FakeEngine FailingAtTwoBits() => new()
    {
        Before = (_, setting, _) => { if (setting.Cache.Keys.Bits == 2) throw new InsufficientMemoryException("full"); },
    };

    public IReadOnlyList<PreparedModel> Prepare(
        ModelEntry model, IReadOnlyList<InferenceSetting> settings, IReadOnlyList<SweepTask> tasks) =>
        [new(model, Digest(NameOfFiles(model.Name) + Files),
            [
                .. tasks.Select(task => task.Prepared(
                    task.Task is TokenTask made ? made.Prepare(10) : task.Task.Prepare(null!))),
            ])
        { Settings = settings }];

    public ITrialModel Load(PreparedModel model, WeightSpec weights, CancellationToken cancellation)
    {
        BeforeLoad(weights);
        Loads.Add($"{model.Entry.Name} w{weights.Bits}");
        Live++;
        return new FakeModel(this);
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private sealed class FakeModel(FakeEngine engine) : ITrialModel
    {
        public Answer Measure(InferenceSetting setting, TaskSample sample, bool prefixes, CancellationToken cancellation)
        {
            engine.Before(engine._generated++, setting, sample);
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{setting.Name} {sample.Id}"));
            var text = sample.Answers is [var answer, ..] && hash[0] < 256 * engine.Skill(setting) ? answer : "«wrong»";
            if (sample.Kind == SampleKind.Compare) return Compared(setting, sample);
            var peaks = new MemoryPeaks(new(1000, 0, 0, 0), new(1000, hash[1], 10, 0), new(1000, hash[2], 5, 0));
            return new(
                new TextPrediction(text), sample.PromptIds.Length, 3, TimeSpan.FromMilliseconds(hash[3]),
                TimeSpan.FromMilliseconds(hash[4]), peaks)
            { PrefixTokens = prefixes ? 1 : 0 };
        }

        public ISampleBatch? Together(InferenceSetting setting, IReadOnlyList<TaskSample> samples, WorkSharing sharing) =>
            engine.RoomTogether() < 0 ? null : new FakeBatch(engine, this, setting, samples, sharing);

        // A setting's divergence is what it lacks in skill.
        private Answer Compared(InferenceSetting setting, TaskSample sample)
        {
            var kl = 1 - engine.Skill(setting);
            var figures = new FidelityFigures(2, 2, kl, kl, kl, kl, 1 - kl, 2, kl);
            return new(
                new FidelityPrediction(figures, 16, 16, [(float)kl]), sample.PromptIds.Length, 0, TimeSpan.FromMilliseconds(1), null,
                new(new(1000, 0, 0, 0), new(1000, 10, 10, 0), default));
        }

        public void Dispose() => engine.Live--;
    }

    // Each takes as many steps as its id has it.
    private sealed class FakeBatch(
        FakeEngine engine, FakeModel model, InferenceSetting setting, IReadOnlyList<TaskSample> samples, WorkSharing sharing) : ISampleBatch
    {
        private readonly List<(int Index, Answer Answer, int Steps)> _underWay = [];

        public int Count => _underWay.Count(one => one.Steps > 0);

        public bool TryAdd(int index, CancellationToken cancellation)
        {
            if (Count >= sharing.BatchSize) throw new InvalidOperationException("more than were to be");
            if (Count >= engine.RoomTogether() || engine.IsLarge(samples[index])) return false;
            _underWay.Add((index, model.Measure(setting, samples[index], sharing.Prefixes, cancellation), samples[index].PromptIds[^1] * 7 % 4));
            engine.MostUnderWay = Math.Max(engine.MostUnderWay, Count);
            return true;
        }

        public IReadOnlyList<(int Index, Answer Answer)> Step()
        {
            for (var i = 0; i < _underWay.Count; i++) _underWay[i] = _underWay[i] with { Steps = _underWay[i].Steps - 1 };
            (int, Answer)[] ended = [.. _underWay.Where(one => one.Steps <= 0).Select(one => (one.Index, one.Answer))];
            _underWay.RemoveAll(one => one.Steps <= 0);
            return ended;
        }

        public void Dispose() => _underWay.Clear();
    }
}

/// <summary>Numbered questions.</summary>
internal sealed class FakeTask(string name, int samples, double worth = 1, int parts = 1) : TextTask
{
    public override string Name => name;

    public override string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name} {samples} {worth}")));

    public override IReadOnlyList<TaskSample> Prepare(PromptContext context) => [.. Enumerable.Range(0, samples).Select(i => new TaskSample
    {
        Id = $"{name}-{i}",
        Part = parts == 1 ? "" : $"{i % parts}",
        PromptIds = [.. name.Select(letter => (int)letter), i],
        MaxNewTokens = 4,
        Answers = [$"answer {i}"],
    })];

    public override double Score(TaskSample sample, string prediction) => prediction == sample.Answers[0] ? worth : 0;
}

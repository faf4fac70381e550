using KvPareto.Sweep.Config;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;

namespace KvPareto.Sweep.Tests;

/// <summary>A small sweep on a <see cref="FakeEngine"/>: 2 models × 5 settings × (3 + 2) samples.</summary>
internal static class FakeSweep
{
    public const string AllSettings = "w4a16-k8v8-t64, w16a16-k8v8-t64, w4a16-k2v2-t64, w16a16-k4v4-t64";
    public const int Trials = 10;
    public const int Samples = 50;

    /// <summary>Soon seen to live; held dead as late as ever, however busy the machine is.</summary>
    public static LeaseTimes Leases { get; } = new(TimeSpan.FromMilliseconds(20), LeaseTimes.Default.Expiry);

    public static IReadOnlyList<SweepTask> Tasks { get; } =
        [new("facts", new FakeTask("facts", 3)), new("counts", new FakeTask("counts", 2))];

    /// <summary>Tasks with more samples than are timed.</summary>
    public static IReadOnlyList<SweepTask> LongTasks { get; } =
        [new("facts", new FakeTask("facts", 9)), new("counts", new FakeTask("counts", LongSamples - 9))];

    public const int LongSamples = 15; // of a trial
    public const int LongTimed = 2 * TimedSamples.OfPart; // of these, where others share work

    public static SweepConfig Config(
        string settings = AllSettings, int seed = 7, int repeats = 1, int baselineRepeats = 0, string search = "exhaustive",
        int batchSize = 1, bool prefixes = false) =>
        SweepConfigReader.Read("fake.yaml", $$"""
            name: fake
            seed: {{seed}}
            models: [{name: one, path: .}, {name: two, path: .}]
            tasks: [{task: embedded, kind: fact, samples: 3, length: 100}]
            settings: [{{settings}}]
            timing: {repeats: {{repeats}}}
            baseline_repeats: {{baselineRepeats}}
            search: {{search}}
            batch_size: {{batchSize}}
            prefix_caching: {{(prefixes ? "true" : "false")}}
            """, AppContext.BaseDirectory, []);

    public static RunHistory Run(string folder, FakeEngine engine, SweepConfig? config = null, bool resume = false, string? worker = null,
        bool retryFailed = false, IProgress<SweepEvent>? progress = null, LeaseTimes? leases = null, IReadOnlyList<SweepTask>? tasks = null,
        int? limit = null, TimeSpan? budget = null, TimeProvider? clock = null)
    {
        var options = new SweepOptions
        {
            Backend = null!,
            Folder = folder,
            Resume = resume,
            Worker = worker,
            RetryFailed = retryFailed,
            Budget = budget,
            Clock = clock ?? TimeProvider.System,
            Leases = leases ?? Leases,
            Limit = limit,
        };
        return SweepRunner.Run(config ?? Config(), options, engine, tasks ?? Tasks, progress, engine.Cancellation);
    }

    /// <summary>What must be the same run after run: all but the times.</summary>
    public static string WithoutTimes(RunHistory history) =>
        System.Text.Json.JsonSerializer.Serialize(history.Results.Select(result => result with
        { TtftMs = null, TpotMs = null, TtftSpread = null, TpotSpread = null }));
}

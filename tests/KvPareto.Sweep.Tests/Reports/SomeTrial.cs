using System.Globalization;
using KvPareto.Engine;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Tests.Reports;

/// <summary>Trials for tests.</summary>
internal static class SomeTrial
{
    public static TrialResult Ok(string model, string setting, long peak, params (string Task, double[] Samples)[] tasks)
    {
        var scores = tasks.Select(task => new TaskScore(
            task.Task, "digest of " + task.Task, task.Samples.Length, 100 * task.Samples.Average(), task.Samples)).ToList();
        var use = new MemoryUse(peak / 2, peak / 4, peak / 8, peak - peak / 2 - peak / 4 - peak / 8);
        return new()
        {
            TrialId = Id(model, setting),
            Model = model,
            ModelDigest = "digest of " + model,
            Setting = setting,
            Status = "ok",
            Scores = scores,
            Score = scores.Average(score => score.Mean),
            Peaks = new(use with { KvCache = 0 }, use, default),
            WeightBytes = use.Weights,
            KvCacheBytes = use.KvCache,
            TtftMs = 12.5,
            TpotMs = 1.25,
            Samples = tasks.Sum(task => task.Samples.Length),
        };
    }

    public static TrialResult Failed(string model, string setting, string failure) => new()
    {
        TrialId = Id(model, setting),
        Model = model,
        ModelDigest = "digest of " + model,
        Setting = setting,
        Status = "failed",
        Failure = failure,
        Scores = [],
    };

    /// <summary>A small sweep of two tasks: the baseline, three settings of which two are near each other, and a failure.</summary>
    public static IReadOnlyList<TrialResult> Sweep(string model) =>
    [
        Ok(model, "w16a16-k16v16", 1000, ("fact", Samples(10, 10)), ("label", Samples(9, 10))),
        Ok(model, "w16a16-k8v8-t64", 800, ("fact", Samples(10, 10)), ("label", Samples(9, 10))),
        Ok(model, "w4g64a16-k4v4-t32-smooth-c256", 400, ("fact", Samples(8, 10)), ("label", [.. Samples(8, 10).Reverse()])),
        Ok(model, "w4g64a16-k4v2-kt32-vt64-c64-math", 500, ("fact", Samples(7, 10)), ("label", Samples(8, 10))),
        Failed(model, "w4a16-k2v2-t64", "out of memory:\n\"prefill\", 2 GiB"),
    ];

    /// <summary><paramref name="right"/> right answers first, then wrong ones.</summary>
    public static double[] Samples(int right, int count) => [.. Enumerable.Range(0, count).Select(sample => sample < right ? 1.0 : 0.0)];

    private static string Id(string model, string setting) =>
        SplitMix64.Hash(model + "\n" + setting).ToString("x16", CultureInfo.InvariantCulture);
}

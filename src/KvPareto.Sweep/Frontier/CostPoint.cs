using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>A measured trial of tasks that have no score: it has memory and times, and no place on a frontier.</summary>
/// <param name="Trial">The trial.</param>
internal sealed record CostPoint(TrialResult Trial)
{
    /// <summary>Total bytes at the inference peak.</summary>
    public long PeakBytes => Trial.Peaks.Inference.Total;

    /// <summary>Whether the setting is the baseline.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Percent of the baseline's peak that this point does without; null where the baseline has no result.</summary>
    public double? MemorySavedPercent { get; init; }

    /// <summary>The points of one model and context, by rising peak.</summary>
    /// <param name="trials">Its trials.</param>
    /// <param name="isBaseline">Whether a trial's setting is the baseline.</param>
    public static IReadOnlyList<CostPoint> Of(IReadOnlyList<TrialResult> trials, Func<TrialResult, bool> isBaseline)
    {
        var reference = trials.FirstOrDefault(isBaseline)?.Peaks.Inference.Total;
        return
        [
            .. trials.OrderBy(trial => trial.Peaks.Inference.Total).ThenBy(trial => trial.Setting, StringComparer.Ordinal)
                .Select(trial => new CostPoint(trial)
                {
                    IsBaseline = isBaseline(trial),
                    MemorySavedPercent = reference is { } bytes ? 100 - 100.0 * trial.Peaks.Inference.Total / bytes : null,
                }),
        ];
    }
}

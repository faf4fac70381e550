using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Latency;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>What one setting did at one length of prompts.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Setting">Short name.</param>
/// <param name="Context">Tokens before the first new one: the median of those that count as this length.</param>
internal sealed record LengthPoint(string Model, string Setting, int Context)
{
    /// <summary>The baseline of its model.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Samples, or repeats.</summary>
    public required int Samples { get; init; }

    /// <summary>Median time to the first token, warm-up excluded; null where there is none.</summary>
    public RunTime? FirstToken { get; init; }

    /// <summary>The same of a later token.</summary>
    public RunTime? LaterToken { get; init; }

    /// <summary>The highest inference peak; null where it is not known.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>Mean score, 0 to 100; null of times alone.</summary>
    public double? Score { get; init; }
}

/// <summary>The lengths of the prompts of a run or of a bench, and what settings did at each.</summary>
internal static class LengthPoints
{
    /// <summary>Prompts of one length differ by what templates and truncation leave: up to this factor they count as one.</summary>
    private const double SameLength = 1.1;

    /// <summary>Lengths further apart than this make a picture worth looking at.</summary>
    private const double WorthDrawing = 1.5;

    /// <summary>The points of a run's baseline and frontier settings, from its samples; a setting that is on the frontier of one context
    /// has its points at all, and so have those of tasks without a score. Where tasks were made to contexts, those of lengths of their own
    /// are left out: a line through both would compare other tasks with each other.</summary>
    /// <param name="analysis">The trials.</param>
    /// <param name="samplesOf">A trial's samples.</param>
    public static IReadOnlyList<LengthPoint> Of(
        FrontierAnalysis analysis, Func<TrialResult, IEnumerable<SampleRecord>> samplesOf) =>
    [
        .. from point in analysis.Models.SelectMany(Measured)
           group point by (point.Trial.Model, point.Trial.Setting) into all
           let made = all.Where(point => point.Trial.Context is not null)
           let same = made.Any() ? [.. made] : all.ToList()
           where same.Any(point => point.IsShown)
           let scored = same.SelectMany(point => point.Trial.Scores).Select(score => score.Task).ToHashSet()
           from length in Lengths([.. same.SelectMany(point => samplesOf(point.Trial))])
           select Of(all.Key.Model, all.Key.Setting, same.Any(point => point.IsBaseline), length, scored),
    ];

    /// <summary>The points of a bench, of its fewest sequences together. A time to the first token is one of a whole context only where the
    /// prompt is all of it.</summary>
    public static IReadOnlyList<LengthPoint> Of(IReadOnlyList<BenchRow> rows) =>
    [
        .. from row in rows.GroupBy(row => row.Sequences).MinBy(same => same.Key)?.AsEnumerable() ?? []
           group row by (row.Model, row.Setting, row.Context) into same
           let whole = same.FirstOrDefault(row => row.Depth == 0 && row.FirstToken is not null)
           select new LengthPoint(same.Key.Model, same.Key.Setting, same.Key.Context)
           {
               Samples = same.Sum(row => row.Repeats),
               FirstToken = whole?.FirstToken,
               LaterToken = same.Select(row => row.LaterToken).FirstOrDefault(time => time is not null),
               PeakBytes = same.Max(row => row.PeakBytes),
           },
    ];

    /// <summary>Whether lengths lie so far apart that a line between them says something.</summary>
    public static bool AreWorthDrawing(IReadOnlyList<LengthPoint> points) =>
        points.Count > 0 && points.Max(point => point.Context) >= WorthDrawing * points.Min(point => point.Context);

    private static IEnumerable<(TrialResult Trial, bool IsBaseline, bool IsShown)> Measured(ModelFrontier model) =>
    [
        .. model.Points.Select(point => (point.Trial, point.IsBaseline, point.IsBaseline || point.OnFrontier)),
        .. model.Unscored.Select(point => (point.Trial, point.IsBaseline, true)),
    ];

    private static IEnumerable<List<SampleRecord>> Lengths(IReadOnlyList<SampleRecord> records)
    {
        var length = new List<SampleRecord>();
        foreach (var record in records.OrderBy(record => record.PromptTokens))
        {
            if (length.Count > 0 && record.PromptTokens > SameLength * length[0].PromptTokens)
            {
                yield return length;
                length = [];
            }
            length.Add(record);
        }
        if (length.Count > 0) yield return length;
    }

    private static LengthPoint Of(string model, string setting, bool isBaseline, List<SampleRecord> records, HashSet<string> scored) =>
        new(model, setting, records[records.Count / 2].PromptTokens)
        {
            IsBaseline = isBaseline,
            Samples = records.Count,
            FirstToken = RunTime.Of(records.Select(record => record.TimedTtftMs).OfType<double>(), null),
            LaterToken = RunTime.Of(records.Select(record => record.TimedTpotMs).OfType<double>(), null),
            PeakBytes = records.Max(record => record.Peaks.Inference.Total),
            Score = 100 * records.Where(record => scored.Contains(record.Task)).Average(record => (double?)record.Score),
        };
}

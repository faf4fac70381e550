using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Answers.Checks;

/// <summary>A setting of the runs that are checked.</summary>
/// <param name="Trial">Its trial.</param>
/// <param name="OnFrontier">No other setting of its model dominates it; false where there is no score to do so by.</param>
/// <param name="Tasks">Its tasks and their parts that were scored; empty where its tasks have no score.</param>
internal sealed record MeasuredPoint(TrialResult Trial, bool OnFrontier, IReadOnlyList<string> Tasks)
{
    /// <summary>All settings of a model that have a result.</summary>
    public static IEnumerable<MeasuredPoint> Of(ModelFrontier model) =>
    [
        .. model.Points.Select(point => new MeasuredPoint(point.Trial, point.OnFrontier, [.. point.Tasks.Select(task => task.Name)])),
        .. model.Unscored.Select(point => new MeasuredPoint(point.Trial, OnFrontier: false, [])),
    ];
}

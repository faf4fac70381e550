using KvPareto.Sweep.Frontier;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>The frontiers of runs under objectives, tasks and metric that are chosen after them.</summary>
internal sealed class ObjectiveAnalysis
{
    private ObjectiveAnalysis(IReadOnlyList<ObjectiveFrontier> models, IReadOnlyList<string> messages) =>
        (Models, Messages) = (models, messages);

    /// <summary>One entry for each model, set of tasks and, where times are an objective, device.</summary>
    public IReadOnlyList<ObjectiveFrontier> Models { get; }

    /// <summary>What a user should know of the comparison, one line each.</summary>
    public IReadOnlyList<string> Messages { get; }

    /// <summary>Compares the settings of some runs.</summary>
    /// <exception cref="ConfigException">A task or metric is not there.</exception>
    public static ObjectiveAnalysis Of(IReadOnlyList<MeasuredRun> runs, IReadOnlyList<Objective> objectives, TaskSelection selection)
    {
        var (models, messages) = (new List<ObjectiveFrontier>(), new List<string>());
        var timed = objectives.Any(objective => objective.IsTime);
        var groups = runs.GroupBy(run => timed ? run.Device : "").OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        if (groups.Count > 1)
            messages.Add($"the runs were on {groups.Count} devices; times are compared only on one");
        foreach (var group in groups)
        {
            var analysis = FrontierAnalysis.Of(
                [.. group.SelectMany(selection.Of)], runs[0].History.Baseline, runs[0].History.Seed);
            messages.AddRange(analysis.Messages);
            foreach (var model in analysis.Models.Where(model => model.Points.Count > 0))
            {
                var named = groups.Count > 1 ? model with { Model = $"{model.Model} on {group.Key}" } : model;
                var frontier = ObjectiveFrontier.Of(
                    named, objectives, runs[0].History.Seed, selection.WeightsOf(model.Points[0].Trial));
                models.Add(frontier);
                if (frontier.Without.Count > 0)
                    messages.Add($"{named.Model}: left out, since an objective was not measured: {string.Join(", ", frontier.Without)}");
            }
        }
        return new(models, [.. messages.Distinct()]);
    }
}

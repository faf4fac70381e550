using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>The frontiers of runs under objectives, tasks and metric that are chosen after them.</summary>
internal sealed class ObjectiveAnalysis
{
    private ObjectiveAnalysis(TaskSelection selection, IReadOnlyList<ObjectiveFrontier> models, IReadOnlyList<string> messages) =>
        (Selection, Models, Messages) = (selection, models, messages);

    /// <summary>What the scores are made of.</summary>
    public TaskSelection Selection { get; }

    /// <summary>One entry for each model, set of tasks and device.</summary>
    public IReadOnlyList<ObjectiveFrontier> Models { get; }

    /// <summary>What a user should know of the comparison, one line each.</summary>
    public IReadOnlyList<string> Messages { get; }

    /// <summary>Compares the settings of some runs.</summary>
    /// <exception cref="ConfigException">A task or metric is not there.</exception>
    public static ObjectiveAnalysis Of(RunHistory runs, IReadOnlyList<Objective> objectives, TaskSelection selection)
    {
        var analysis = FrontierAnalysis.Of(selection.Of(runs), runs.Baseline, runs.Seed);
        var (models, messages) = (new List<ObjectiveFrontier>(), analysis.Messages.ToList());
        foreach (var model in analysis.Models.Where(model => model.Points.Count + model.Unscored.Count > 0))
        {
            var weights = model.Points.Count > 0 ? selection.WeightsOf(model.Points[0].Trial) : null;
            var frontier = ObjectiveFrontier.Of(model, objectives, runs.Seed, weights);
            models.Add(frontier);
            if (frontier.Without.Count > 0)
                messages.Add($"{model.Model}: left out, since an objective was not measured: {string.Join(", ", frontier.Without)}");
        }
        return new(selection, models, [.. messages.Distinct()]);
    }
}

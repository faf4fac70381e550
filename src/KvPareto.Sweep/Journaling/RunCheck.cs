using System.Text.Json;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Journaling;

/// <summary>Whether a run's record agrees with itself: its digests and the ids of its trials are computed again.</summary>
internal static class RunCheck
{
    /// <summary>Refuses a record that no sweep wrote.</summary>
    /// <exception cref="JsonException">Says what does not agree.</exception>
    /// <exception cref="KvPareto.Text.Input.ConfigException">The baseline is no setting.</exception>
    public static void Check(RunRecord run)
    {
        InferenceSetting.Parse(run.Baseline);
        Require(run.ConfigDigest == TextHash.Of(run.Config), "the config does not fit its digest");
        Require(run.Tasks.All(task => task is not null), "a task is null");
        var tasksOf = run.Tasks.ToLookup(task => (task.Context, task.Probe), task => task.Digest);
        Require(run.Limit is null or > 0, "a limit is not positive");
        Require(run.Models.All(model => model is not null), "a model is null");
        var digests = run.Models.ToLookup(model => model.Name, model => model.Digest);
        var template = TrialSpec.TemplateOf(run.Template);
        foreach (var trial in run.Trials)
        {
            Require(trial is not null && TextHash.IsId(trial.Id), "a trial's id is not 16 hex digits");
            Require(trial!.Repeat is null or > 0, "a repeat's number is not positive");
            Require(
                digests[trial.Model].Any(digest => trial.Id == TrialSpec.IdOf(
                    digest, trial.Setting, [.. tasksOf[(trial.Context, trial.Probe)]],
                    run.Seed, run.Host.Backend, template, trial.Repeat)),
                $"the id of trial {trial.Id} is not that of its model, setting, tasks and seed");
        }
        Require(run.Trials.Select(trial => trial.Id).Distinct().Count() == run.Trials.Count, "a trial stands twice");
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds) throw new JsonException(problem);
    }
}

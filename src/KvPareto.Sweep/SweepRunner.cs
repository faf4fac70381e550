using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Trials;
using KvPareto.Text.Input;

namespace KvPareto.Sweep;

/// <summary>Config → search space → trials → results in a run folder, going on where an earlier run stopped.</summary>
public static class SweepRunner
{
    /// <summary>Runs what is missing of a sweep.</summary>
    /// <param name="config">What to sweep.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="progress">Told of every step, on this thread and in order; or null.</param>
    /// <param name="cancellation">Stops between two tokens; the folder can be resumed.</param>
    /// <returns>All results of the run folder, those of earlier runs and other workers included.</returns>
    /// <exception cref="ConfigException">A user's mistake; before anything is written wherever it can be known then.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static RunHistory Run(
        SweepConfig config, SweepOptions options, IProgress<SweepEvent>? progress = null, CancellationToken cancellation = default)
    {
        options.Validate();
        return Run(config, options, new BackendTrialEngine(options.Backend), TaskCatalog.Create(config), progress, cancellation);
    }

    internal static RunHistory Run(
        SweepConfig config,
        SweepOptions options,
        ITrialEngine engine,
        IReadOnlyList<SweepTask> tasks,
        IProgress<SweepEvent>? progress,
        CancellationToken cancellation)
    {
        var settings = SearchSpace.Expand(config);
        var plan = SweepPlan.Make(config, settings, tasks, engine);
        using var folder = RunFolder.Open(options, Record(config, plan, engine));
        using var runner = new TrialRunner(engine, config.Repeats, config.WarmUp);

        var state = folder.Read();
        var report = new ProgressReport(plan, trial => IsDone(state, trial), progress);
        foreach (var trial in plan.RunOrder.Where(trial => !IsDone(state, trial)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var log = folder.TryClaim(trial.Spec.Id);
            // Between the plan and the claim another worker may have done it.
            if (log is null || (folder.IsShared && IsDone(folder.Read(), trial)))
            {
                report.Left(trial);
                continue;
            }
            folder.Journal.TrialStarted(trial.Spec);
            report.Begun(trial, log);
            var result = runner.Run(trial, log, record => report.Measured(trial, record), cancellation);
            folder.Journal.TrialEnded(result);
            report.Ended(trial, result);
        }
        return RunHistory.Of(folder.Read()) ?? throw new InvalidOperationException("the journal lost its run");

        bool IsDone(JournalState known, PlannedTrial trial) =>
            known.Result(trial.Spec.Id) is { } result && (result.Status == TrialStatus.Ok || !options.RetryFailed);
    }

    private static RunRecord Record(SweepConfig config, SweepPlan plan, ITrialEngine engine) => new()
    {
        Name = config.Name,
        Seed = config.Seed,
        Baseline = SettingAxes.Collapse(config.Baseline).Name,
        StartedAt = DateTimeOffset.UtcNow,
        Host = RunHost.Here(engine.Backend, engine.Device, engine.Workers),
        ConfigDigest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(config.Source))),
        Config = config.Source,
        Models = [.. plan.Models.Select(model => new RunInput(model.Entry.Name, model.Digest))],
        Tasks = [.. plan.Models[0].Tasks.Select(task => new RunInput(task.Task.Name, task.Task.Task.Digest))],
        Trials = [.. plan.Specs.Select(spec => new RunTrial(spec.Id, spec.Model, spec.Setting.Name))],
    };
}

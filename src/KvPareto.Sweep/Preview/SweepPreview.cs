using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Trials;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Preview;

/// <summary>What a sweep would do: all its checks and predictions, while nothing is measured and nothing written.</summary>
public sealed record SweepPreview
{
    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>The device in words.</summary>
    public required string Device { get; init; }

    /// <summary>Bytes that a trial may take; null where that is not known.</summary>
    public required long? RoomBytes { get; init; }

    /// <summary>Most samples of each task; null for all.</summary>
    public required int? Limit { get; init; }

    /// <summary>The search that may leave trials out; null where everything is measured.</summary>
    public required string? Search { get; init; }

    /// <summary>All trials in the order of reports.</summary>
    public required IReadOnlyList<PreviewedTrial> Trials { get; init; }

    /// <summary>Time that all that is missing will take at the speed of what was measured on this device, loading included; null where
    /// nothing was.</summary>
    public required TimeSpan? Left { get; init; }

    /// <summary>Looks ahead.</summary>
    /// <param name="config">What to sweep.</param>
    /// <param name="options">Where and how.</param>
    /// <exception cref="ConfigException">A user's mistake: those that the sweep itself would refuse.</exception>
    public static SweepPreview Of(SweepConfig config, SweepOptions options)
    {
        options.Validate();
        var engine = new BackendTrialEngine(options.Backend, config.Template, options.Room) { MakesNothing = true };
        return Of(config, options, engine, SweepTask.Of(config));
    }

    internal static SweepPreview Of(SweepConfig config, SweepOptions options, ITrialEngine engine, IReadOnlyList<SweepTask> tasks)
    {
        var plan = SweepPlan.Make(config, tasks, engine, options.Limit);
        RunFolderCheck.Check(options, SweepRunner.Record(config, plan, engine));
        var state = JournalReader.Read(options.Folder);
        var address = new SampleAddress(engine.Device);
        var reuse = new SampleReuse(options.Folder, plan, address);
        var helpers = RunPaths.HelperLogs(options.Folder);
        var estimate = new TimeEstimate(plan.RunOrder, plan.Repeats, plan.Sharing.IsAny);
        // All are seen before any is estimated.
        var trials = plan.RunOrder.ToDictionary(trial => trial.Spec.Id, trial => (Planned: trial, Seen: Look(trial)));
        return new()
        {
            Name = config.Name,
            Device = engine.Device,
            RoomBytes = engine.Room,
            Limit = plan.Limit,
            Search = plan.Search.Chooses ? plan.Search.Kind : null,
            Trials =
            [
                .. plan.Specs.Select(spec => trials[spec.Id]).Select(trial => trial.Seen with { Left = estimate.Of(trial.Planned) }),
            ],
            Left = estimate.Left(),
        };

        PreviewedTrial Look(PlannedTrial trial)
        {
            var measured = TrialSamples.Read(options.Folder, trial.Spec.Id, helpers[trial.Spec.Id])
                .ToDictionary(record => (record.Task, record.Sample));
            var result = state.Result(trial.Spec.Id);
            var isDone = result is not null && (result.Status != TrialStatus.Failed || !options.RetryFailed);
            var predicted = engine.Predict(trial);
            var fits = predicted is { } peak && engine.Room is { } room ? peak <= room : (bool?)null;
            var done = 0;
            foreach (var (task, samples) in trial.Model.Tasks)
            {
                foreach (var sample in samples)
                {
                    var own = measured.GetValueOrDefault((task.Name, sample.Id));
                    if ((own ?? reuse.Find(trial, task, sample)) is not { } record) continue;
                    done++;
                    if (record.Address == address.Of(trial, task, sample))
                        estimate.Seen(trial, sample, record with { Task = task.Name });
                }
            }
            estimate.Begun(trial, (task, sample) => isDone || fits == false || measured.ContainsKey((task.Name, sample.Id))
                || reuse.Has(trial, task, sample));
            var spec = trial.Spec;
            return new(spec.Id, spec.Model, spec.Setting.Name, trial.Model.SampleCount, isDone ? trial.Model.SampleCount : done)
            {
                Context = spec.Context,
                Repeat = spec.Repeat,
                IsProbe = spec.IsProbe,
                Status = isDone ? result!.Status : null,
                PredictedPeakBytes = predicted is null ? null : engine.ExpectedPeak(trial),
                Fits = fits,
            };
        }
    }
}

using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
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
    /// <exception cref="IOException">The disk is full or fails; what was told as done is on it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static RunHistory Run(
        SweepConfig config, SweepOptions options, IProgress<SweepEvent>? progress = null, CancellationToken cancellation = default)
    {
        options.Validate();
        return Run(config, options, new BackendTrialEngine(options.Backend, config.Template, options.Room, progress, cancellation),
            SweepTask.Of(config), progress, cancellation);
    }

    /// <summary>Refuses a folder that a run cannot be begun in: what a sweep does that is not to go on with one.</summary>
    /// <exception cref="ConfigException">There is something in it.</exception>
    public static void RequireNew(string folder) => RunFolderCheck.RequireNew(folder);

    internal static RunHistory Run(
        SweepConfig config,
        SweepOptions options,
        ITrialEngine engine,
        IReadOnlyList<SweepTask> tasks,
        IProgress<SweepEvent>? progress,
        CancellationToken cancellation)
    {
        var deadline = new Deadline(options.Budget, options.Clock);
        var plan = SweepPlan.Make(config, tasks, engine, options.Limit);
        var record = Record(config, plan, engine);
        using var folder = RunFolder.Open(options, record);
        try
        {
            var address = new SampleAddress(engine.Device);
            ResultCheck.Settle(options.Folder, folder.Read());
            var reuse = new SampleReuse(options.Folder, plan, address);
            using var runner = new TrialRunner(engine, address, config.Repeats, config.WarmUp, plan.Sharing, deadline);
            using var help = new TrialHelp(folder, record.Host, runner);
            var queue = new TrialQueue(folder, plan, new(plan, engine, options.Folder), help, reuse, options, progress);
            var worker = new TrialWorker(
                folder.Journal, runner, reuse, queue, help, record.SearchId(), deadline, options.Leases.Look, cancellation);
            foreach (var claim in queue.Take(deadline, cancellation)) worker.Do(claim);
            var history = RunHistory.Read(options.Folder);
            return deadline.IsOver && history.Missing.Count > 0
                ? history with { Remarks = [OverText(options.Budget!.Value), .. history.Remarks] }
                : history;
        }
        catch (IOException e) when (!Directory.Exists(options.Folder))
        {
            throw Lease.FolderIsGone(options.Folder, e);
        }
    }

    private static string OverText(TimeSpan budget) => string.Create(
        CultureInfo.InvariantCulture, $"the budget of {budget.TotalHours:G4} hours was over before everything was measured");

    /// <summary>What a run is about to do, as its folder has it.</summary>
    internal static RunRecord Record(SweepConfig config, SweepPlan plan, ITrialEngine engine) => new()
    {
        Name = config.Name,
        Seed = config.Seed,
        Baseline = SettingAxes.Collapse(config.Baseline).Name,
        StartedAt = DateTimeOffset.UtcNow,
        Host = RunHost.Here(engine.Backend, engine.Device, engine.Instructions, engine.Workers),
        ConfigDigest = TextHash.Of(config.Source),
        Config = config.Source,
        ConfigFile = config.Origin?.File,
        ConfigFolder = config.Origin?.Folder,
        ConfigModels = config.Origin is { Models.Count: > 0 } origin ? origin.Models : null,
        Template = config.Template.ToJson(),
        Limit = plan.Limit,
        Models = [.. plan.Models.Select(model => new RunInput(model.Entry.Name, model.Digest)).Distinct()],
        Architectures = plan.Models.Where(model => model.Variant is null && model.Architecture is not null)
            .DistinctBy(model => model.Entry.Name).ToDictionary(model => model.Entry.Name, model => model.Architecture!),
        Tasks = [.. plan.Tasks.Select(task => new RunInput(task.Name, task.Digest)
        { Context = task.Context, Unscored = task.Task.IsScored ? null : true, Probe = task.IsProbe ? true : null })],
        Trials = [.. plan.Specs.Select(spec => new RunTrial(spec.Id, spec.Model, spec.Setting.Name)
            { Repeat = spec.Repeat, Context = spec.Context, Probe = spec.IsProbe ? true : null })],
        Search = plan.Search.Chooses ? plan.Search.Text : null,
    };
}

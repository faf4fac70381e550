using System.Globalization;
using KvPareto.Engine;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Trials;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Runs;

/// <summary>What a run folder's journals say, whoever wrote them: all that a report needs.</summary>
/// <param name="Name">Name of the sweep.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Baseline">Short name of the setting that others are compared with.</param>
/// <param name="Planned">Number of trials planned, repeats of the baseline included.</param>
/// <param name="Results">The trials that have a result, in the order of the plan.</param>
public sealed record RunHistory(string Name, int Seed, string Baseline, int Planned, IReadOnlyList<TrialResult> Results)
{
    /// <summary>Repeats of the baseline that have a result; they are no trials of the sweep and tell how far figures move by
    /// themselves.</summary>
    public IReadOnlyList<TrialResult> Repeats { get; init; } = [];

    /// <summary>The trials that have none, as setting and model, in the order of the plan.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>What everybody should know who sees the results: a limit, trials that differ in their instructions.</summary>
    public IReadOnlyList<string> Notes => [.. LimitMessages(Limit), .. InstructionWords.Mixed(Results)];

    /// <summary>What could not be checked, one line each; empty where every figure was.</summary>
    public IReadOnlyList<string> Messages { get; init; } = [];

    /// <summary>What the run tells besides its results, one line each.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>Most samples that were measured of each task; null where there was no limit.</summary>
    public int? Limit { get; init; }

    /// <summary>The name for headings, which says that the run is a limited one.</summary>
    public string Heading => HeadingOf(Name, Limit);

    /// <summary>The device in words.</summary>
    internal string Device { get; init; } = "";

    /// <summary>The folders that it was read from, in words.</summary>
    internal string Place { get; init; } = "";

    /// <summary>Where each result was measured, by its model and id; none of a run that goes on.</summary>
    internal IReadOnlyDictionary<(string Model, string TrialId), IReadOnlyList<TrialSource>> Sources { get; init; } =
        new Dictionary<(string, string), IReadOnlyList<TrialSource>>();

    /// <summary>The same results compared with another of the run's settings, without the repeats, which are of its baseline.</summary>
    /// <param name="baseline">Short name of the setting.</param>
    /// <exception cref="ConfigException">That is no setting, or none with a result.</exception>
    public RunHistory Against(string baseline)
    {
        var name = InferenceSetting.Parse(baseline).Name;
        if (!Results.Any(result => result.Setting == name && result.Status == TrialStatus.Ok))
            throw new ConfigException(
                $"{name}: has no result in this run; allowed: a setting of its results.csv, such as {Baseline}");
        return this with { Baseline = name, Repeats = [] };
    }

    /// <summary>The refusal of what asks for scores where no trial has one.</summary>
    internal ConfigException WithoutScores() => Results.Any(result => result.Status == TrialStatus.Ok)
        ? new($"{Place}: no trial has a score, as made-up prompts have none; allowed: a run with a task that is scored")
        : new($"{Place}: no trial has a result; allowed: a run with at least one");

    /// <summary>A trial as <see cref="Missing"/> names it.</summary>
    internal static string NameOf(string setting, int? context, string model, int? repeat) =>
        $"{ContextText.Of(setting, context)} of {model}"
        + (repeat is { } number ? string.Create(CultureInfo.InvariantCulture, $", repeat {number}") : "");

    /// <summary>What was measured of a result, sample by sample; none where its samples are not in the folder.</summary>
    internal IReadOnlyList<SampleRecord> SamplesOf(TrialResult result) =>
        [.. Sources[(result.Model, result.TrialId)].SelectMany(source => source.Samples())];

    /// <summary>Where the most of a result was measured: its machine and its model's shapes.</summary>
    internal TrialSource SourceOf(TrialResult result) => Sources[(result.Model, result.TrialId)][0];

    internal static string HeadingOf(string name, int? limit) => limit is { } most ? $"{name}, {LimitWords(most)}" : name;

    /// <summary>A limit in words.</summary>
    public static string LimitWords(int limit) => $"at most {CountText.Of(limit, "sample")} of each task";

    /// <summary>The limit that the run in a folder was last worked on with; null for none.</summary>
    /// <exception cref="ConfigException">A file is damaged.</exception>
    public static int? LimitOf(string folder) => JournalReader.Read(folder).Run?.Limit;

    /// <summary>A folder holds a run, whole or not: what it is stands in <c>run.json</c>, or else in a journal.</summary>
    public static bool IsIn(string folder) => File.Exists(RunFile.PathOf(folder)) || JournalReader.Files(folder).Count > 0;

    /// <summary>
    /// Reads the journals of a run folder and compares their figures with each other and with the samples; changes nothing in it.
    /// </summary>
    /// <exception cref="ConfigException">There is no run in it, or a file is damaged.</exception>
    public static RunHistory Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ConfigException($"{folder}: there is no such folder; allowed: the --out folder of a sweep");
        var state = JournalReader.Files(folder).Count > 0 ? JournalReader.Read(folder) : new();
        if (state.Run is not { } run)
            throw new ConfigException($"{folder}: holds no journal of a run; allowed: the --out folder of a sweep");
        var messages = ResultCheck.Settle(folder, state);
        TrialResult[] results =
        [
            .. state.Results().Where(result => result.Probe is null).Select(result => Placed(result, run, state.HostsOf(result))),
        ];
        // A search asks for the probes that it needs; reports are of the settings.
        var planned = run.Trials.Where(trial => trial.Probe is null).ToList();
        return new(run.Name, run.Seed, run.Baseline, planned.Count, [.. results.Where(result => result.Repeat is null)])
        {
            Repeats = [.. results.Where(result => result.Repeat is not null)],
            Missing =
            [
                .. planned.Where(trial => state.Result(trial.Id) is null)
                    .Select(trial => NameOf(trial.Setting, trial.Context, trial.Model, trial.Repeat)),
            ],
            Remarks = [.. ProbeSummary.Of(folder, state.Results())],
            Limit = run.Limit,
            Device = run.Host.Device,
            Place = folder,
            Sources = results.ToDictionary(
                result => (result.Model, result.TrialId), IReadOnlyList<TrialSource> (result) => [new(folder, run, result)]),
            Messages =
            [
                .. LimitMessages(run.Limit), .. messages, .. InstructionWords.Mixed(results),
                .. RunLeftovers.Unread(folder, run.Trials.Select(trial => trial.Id).ToHashSet()),
            ],
        };
    }

    private static IEnumerable<string> LimitMessages(int? limit) => limit is { } most
        ? [$"a limited run: {LimitWords(most)} (--limit); --resume --limit all measures the others"] : [];

    // A journal that was mended may lack where a trial was begun.
    private static TrialResult Placed(TrialResult result, RunRecord run, IReadOnlyList<RunHost> hosts)
    {
        IReadOnlyList<RunHost> known = hosts.Count > 0 ? hosts : [run.Host];
        return result with
        {
            Device = InstructionWords.Join(known.Select(host => host.Device)),
            Instructions = InstructionWords.Join(known.Select(host => host.Instructions)),
            Limit = run.Limit,
        };
    }
}

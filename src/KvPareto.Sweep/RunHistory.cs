using KvPareto.Sweep.Journaling;
using KvPareto.Text.Input;

namespace KvPareto.Sweep;

/// <summary>What a run folder's journals say, whoever wrote them: all that a report needs.</summary>
/// <param name="Name">Name of the sweep.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Baseline">Short name of the setting that others are compared with.</param>
/// <param name="Planned">Number of trials planned.</param>
/// <param name="Results">The trials that have a result, in the order of the plan.</param>
public sealed record RunHistory(string Name, int Seed, string Baseline, int Planned, IReadOnlyList<TrialResult> Results)
{
    /// <summary>Reads the journals of a run folder; changes nothing in it.</summary>
    /// <exception cref="ConfigException">There is no run in it, or a journal is damaged.</exception>
    public static RunHistory Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ConfigException($"{folder}: there is no such folder; allowed: the --out folder of a sweep");
        return Of(JournalReader.Read(folder)) ?? throw new ConfigException($"{folder}: holds no journal of a run"
            + "; allowed: the --out folder of a sweep");
    }

    internal static RunHistory? Of(JournalState state) =>
        state.Run is { } run ? new(run.Name, run.Seed, run.Baseline, run.Trials.Count, state.Results()) : null;
}

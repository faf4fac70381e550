using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Trials;

namespace KvPareto.Sweep.Answers.Replays;

/// <summary>The probes of a run: how far each setting diverges, and how long it took to know.</summary>
internal sealed class ReplayedProbes
{
    private readonly Dictionary<(string Model, string Setting, int? Context), SampleRecord[]> _probes;

    private ReplayedProbes(Dictionary<(string, string, int?), SampleRecord[]> probes) => _probes = probes;

    /// <summary>Whether there are any.</summary>
    public bool AreThere => _probes.Count > 0;

    /// <summary>Reads them.</summary>
    /// <param name="folder">Run folder.</param>
    /// <exception cref="Text.Input.ConfigException">A file is damaged.</exception>
    public static ReplayedProbes Read(string folder) => new(JournalReader.Read(folder).Results()
        .Where(result => result is { Probe: true, Status: TrialStatus.Ok })
        .ToDictionary(
            result => (result.ModelDigest, result.Setting, result.Context),
            result => SampleLog.Read(RunPaths.Samples(folder, result.TrialId)).Records.ToArray()));

    /// <summary>The probe of a trial's setting on the first prompts; null where it was on fewer.</summary>
    public ReplayedProbe? Of(TrialResult trial, int prompts) =>
        _probes.GetValueOrDefault((trial.ModelDigest, trial.Setting, trial.Context)) is { } records
            && prompts > 0 && records.Length >= prompts
            ? new(SearchPlan.Divergence(records[..prompts]), records[..prompts].Sum(record => record.Seconds), prompts)
            : null;
}

/// <summary>What was found by probing a setting.</summary>
/// <param name="Divergence">Mean KL divergence, in nats.</param>
/// <param name="Seconds">Time that it took.</param>
/// <param name="Prompts">Prompts that were read.</param>
internal sealed record ReplayedProbe(double Divergence, double Seconds, int Prompts);

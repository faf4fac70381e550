using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Trials;

namespace KvPareto.Sweep.Answers.Replays;

/// <summary>The probes of a run: how far each setting diverges, and how long it took to know.</summary>
internal sealed class ReplayedProbes
{
    private readonly Dictionary<(string Model, string Setting, int? Context), (double Divergence, double Seconds)> _probes;

    private ReplayedProbes(Dictionary<(string, string, int?), (double, double)> probes) => _probes = probes;

    /// <summary>Reads them.</summary>
    /// <param name="folder">Run folder.</param>
    /// <exception cref="Text.Input.ConfigException">A file is damaged.</exception>
    public static ReplayedProbes Read(string folder) => new(JournalReader.Read(folder).Results()
        .Where(result => result is { Probe: true, Status: TrialStatus.Ok })
        .ToDictionary(result => (result.ModelDigest, result.Setting, result.Context), result =>
        {
            var records = SampleLog.Read(RunPaths.Samples(folder, result.TrialId)).Records;
            return (SearchPlan.Divergence(records), records.Sum(ReplayedTrial.SecondsOf));
        }));

    /// <summary>The probe of a trial's setting; null where there is none.</summary>
    public (double Divergence, double Seconds)? Of(TrialResult trial) =>
        _probes.TryGetValue((trial.ModelDigest, trial.Setting, trial.Context), out var probe) ? probe : null;
}

using KvPareto.Engine.Checkpoints;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Runs;

/// <summary>Where a result was measured: a trial of a run folder, on the machine that the folder names.</summary>
public sealed class TrialSource
{
    private readonly string _folder;
    private readonly RunRecord _run;
    private readonly string _trialId;
    private readonly string _model;
    private readonly IReadOnlySet<string>? _tasks;

    internal TrialSource(string folder, RunRecord run, TrialResult result)
        : this(folder, run, result.TrialId, result.Model, null)
    {
    }

    private TrialSource(string folder, RunRecord run, string trialId, string model, IReadOnlySet<string>? tasks) =>
        (_folder, _run, _trialId, _model, _tasks) = (folder, run, trialId, model, tasks);

    /// <summary>Kind of device that it was measured on: <c>cpu</c>, <c>cuda</c>, <c>torch</c>.</summary>
    public string Backend => _run.Host.Backend;

    /// <summary>The device in words.</summary>
    public string Device => _run.Host.Device;

    /// <summary>Threads with scratch of their own; null where there are none.</summary>
    public int? Workers => _run.Host.Workers;

    /// <summary>The same with the samples of some tasks only.</summary>
    internal TrialSource Of(IReadOnlySet<string> tasks) => new(_folder, _run, _trialId, _model, tasks);

    /// <summary>What was measured, sample by sample; none where the samples are not in the folder.</summary>
    internal IEnumerable<SampleRecord> Samples() => SampleLog.Read(RunPaths.Samples(_folder, _trialId)).Records
        .Where(record => _tasks?.Contains(record.Task) ?? true);

    /// <summary>
    /// Shapes of its model: what <c>run.json</c> says, else those of an embedded model or architecture of the name that it has in the
    /// config; null where there is neither.
    /// </summary>
    internal Checkpoint? Shapes()
    {
        if (_run.Architectures?.GetValueOrDefault(_model) is { } architecture)
            return ArchitectureRecord.Open(RunFile.PathOf(_folder), architecture);
        try
        {
            return ModelSource.Open(_model).OpenShapes();
        }
        catch (ConfigException)
        {
            return null;
        }
    }
}

using KvPareto.Engine.Checkpoints;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Sweep.Journaling;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers;

/// <summary>A run folder as questions are asked of it after the run.</summary>
public sealed class MeasuredRun
{
    private readonly RunRecord? _record;

    private MeasuredRun(string folder, RunHistory history, RunRecord? record)
    {
        (Folder, History, _record) = (folder, history, record);
    }

    /// <summary>Its folder.</summary>
    public string Folder { get; }

    /// <summary>What its journals say.</summary>
    public RunHistory History { get; }

    /// <summary>Kind of device that it ran on: <c>cpu</c>, <c>cuda</c>, <c>torch</c>.</summary>
    public string Backend => _record?.Host.Backend ?? "cpu";

    /// <summary>The device in words.</summary>
    public string Device => _record?.Host.Device ?? "";

    /// <summary>Threads with scratch of their own; null where there are none.</summary>
    public int? Workers => _record?.Host.Workers;

    /// <summary>Reads a run's folder; changes nothing in it.</summary>
    /// <exception cref="ConfigException">There is no run in it, or a file is damaged.</exception>
    public static MeasuredRun Read(string folder)
    {
        var history = RunHistory.Read(folder);
        return new(folder, history, JournalReader.Read(folder).Run);
    }

    /// <summary>Reads several, whose settings are then compared.</summary>
    /// <exception cref="ConfigException">As <see cref="Read(string)"/>, or they have different baselines.</exception>
    public static IReadOnlyList<MeasuredRun> Read(IReadOnlyList<string> folders)
    {
        MeasuredRun[] runs = [.. folders.Select(Read)];
        foreach (var run in runs)
        {
            if (run.History.Baseline != runs[0].History.Baseline)
                throw new ConfigException($"{run.Folder}: its baseline is {run.History.Baseline}, that of {runs[0].Folder} "
                    + $"{runs[0].History.Baseline}; allowed: runs with one baseline");
        }
        return runs;
    }

    /// <summary>What was measured of a trial, sample by sample; none where its samples are not in the folder.</summary>
    internal IReadOnlyCollection<SampleRecord> Samples(string trialId) => SampleLog.Read(RunPaths.Samples(Folder, trialId)).Records;

    /// <summary>
    /// Shapes of a model: what <c>run.json</c> says, else those of an embedded model or architecture of this name; null where there is
    /// neither.
    /// </summary>
    /// <param name="model">Its name in the config.</param>
    internal Checkpoint? Shapes(string model)
    {
        if (_record is not { } record) return null;
        if (record.Architectures?.GetValueOrDefault(model) is { } architecture)
            return ArchitectureRecord.Open(RunFile.PathOf(Folder), architecture);
        try
        {
            return ModelSource.Open(model).OpenShapes();
        }
        catch (ConfigException)
        {
            return null;
        }
    }
}

using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Tasks;
using KvPareto.Tasks.Fidelity;

namespace KvPareto.Sweep.Trials;

/// <summary>The unquantized runs that one model's samples are compared with, kept while trials of that model and its variants follow each
/// other.</summary>
/// <param name="backend">Device; stays the caller's.</param>
internal sealed class TrialReferences(Backend backend)
{
    private readonly Dictionary<TaskSample, int> _windows = [];
    private (string Digest, int? Context, bool IsProbe)? _of;
    private FidelityReference? _reference;

    /// <summary>Runs what is missing for a model. To be called while no model is loaded: it loads one itself, unquantized.</summary>
    public void Prepare(PreparedModel model, CancellationToken cancellation)
    {
        var wanted = (model.OriginalDigest, model.Context, model.IsProbe);
        if (_of == wanted) return;
        _windows.Clear();
        (_of, _reference) = (null, null);
        TaskSample[] samples = [.. model.Tasks.SelectMany(task => task.Samples).Where(sample => sample.Kind == SampleKind.Compare)];
        if (samples.Length > 0)
        {
            var source = ModelSource.Open(model.Entry.Model);
            using var full = LanguageModel.Load(backend, source, WeightSpec.Full);
            int[][] windows = [.. samples.Select(sample => sample.PromptIds)];
            var hasOthers = model.Entry.Variants.Count > 0;
            _reference = FidelityReference.Run(full.Transformer, source.OpenCheckpoint, windows, hasOthers, cancellation);
            for (var i = 0; i < samples.Length; i++) _windows.Add(samples[i], i);
        }
        _of = wanted;
    }

    /// <summary>The run that a sample is compared with, and the window that it is.</summary>
    public (FidelityReference Reference, int Window) Of(TaskSample sample) =>
        (_reference ?? throw new InvalidOperationException("the references were not prepared"), _windows[sample]);
}

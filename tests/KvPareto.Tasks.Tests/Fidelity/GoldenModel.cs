using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Fidelity;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.Fidelity;

/// <summary>A tiny model of Data/models on the CPU, with a text of its golden input's ids.</summary>
internal sealed class GoldenModel : IDisposable
{
    private readonly string _folder;
    private readonly TransformerWeights _weights;

    public GoldenModel(string family)
    {
        _folder = TestData.Golden("models", family);
        using var checkpoint = SafeTensorsCheckpoint.Open(_folder);
        _weights = TransformerWeights.Load(Backend, checkpoint, WeightSpec.Full);
        Transformer = new Transformer(Backend, checkpoint.Config, _weights);
        Ids = TensorFile.Ids(Path.Combine(_folder, "expected.safetensors"), "input_ids");
    }

    public CpuBackend Backend { get; } = new(2);

    public Transformer Transformer { get; }

    public int[] Ids { get; }

    public FidelityReference Reference(IReadOnlyList<int[]> windows) =>
        FidelityReference.Run(Transformer, () => SafeTensorsCheckpoint.Open(_folder), windows);

    public WindowFidelity[] Measure(InferenceSetting setting, IReadOnlyList<int[]> windows, int? threads = null, int? tokens = null)
    {
        var meter = new FidelityMeter(Transformer, Reference(windows), threads);
        return [.. Enumerable.Range(0, windows.Count).Select(window => meter.Measure(setting, window, tokens))];
    }

    /// <summary>All logits of a window, [T][V].</summary>
    public float[][] Logits(InferenceSetting setting, int[] window) =>
        [.. AllLogits.Of(Transformer, setting, window).Chunk(Transformer.Config.VocabularySize)];

    public void Dispose()
    {
        _weights.Dispose();
        Backend.Dispose();
    }
}

using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Quantization;

/// <summary>Logits of a model, as it is or coded when loaded, with an f32 cache.</summary>
internal static class ModelLogits
{
    /// <summary>[T, V] of one text after the other.</summary>
    public static float[] Of(string model, int[][] texts, int? chunk = null, WeightSpec? weights = null)
    {
        using var backend = new CpuBackend(2);
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        using var loaded = TransformerWeights.Load(backend, checkpoint, weights ?? WeightSpec.Full);
        var transformer = new Transformer(backend, checkpoint.Config, loaded);
        var setting = new InferenceSetting { Cache = new KvSpec { Keys = new(32), Values = new(32) }, Chunk = chunk };
        return [.. texts.SelectMany(text => AllLogits.Of(transformer, setting, text))];
    }
}

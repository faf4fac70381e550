using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Model;

/// <summary>The decoder of all families: one forward pass, written once over the seam's ops.</summary>
/// <param name="backend">Where it runs.</param>
/// <param name="config">Architecture.</param>
/// <param name="weights">Weights on that backend.</param>
public sealed class Transformer(Backend backend, ModelConfig config, TransformerWeights weights)
{
    /// <summary>Architecture.</summary>
    public ModelConfig Config { get; } = config;

    /// <summary>Where it runs.</summary>
    public Backend Backend { get; } = backend;

    /// <summary>Shape of a cache with room for <paramref name="capacity"/> tokens, with the bias of its keys.</summary>
    public KvGeometry Geometry(int capacity) => Config.Geometry with
    {
        KeyBias = weights.KeyBiases is { } biases && Config.TurnsBiases ? new KeyBias(biases, Config.Rope.For(capacity)) : null,
    };

    /// <summary>Bytes of weights that a token's forward pass reads: of an embedding one row, unless it is the output head too.</summary>
    public long WeightBytesRead => weights.ByteCount - (weights.Embedding == weights.Head ? 0 : weights.Embedding.ByteCount);

    /// <summary>Hidden states to logits.</summary>
    public OutputHead Head { get; } = OutputHead.Of(backend, config, weights);

    /// <summary>
    /// Runs T tokens through all layers; their keys and values go to the step's caches.
    /// Returns the hidden states [T, H], f32, in <paramref name="activations"/>.
    /// </summary>
    public Tensor Forward(Step step, TransformerActivations activations)
    {
        var b = activations.For(step.Count);
        Backend.Run(step, this, activations, () =>
        {
            Backend.Embed(step, weights.Embedding, b.X, Config.EmbeddingScale);
            var decoder = new DecoderLayer(Backend, Config, Config.Rope.For(step.Workspace.Shape.Capacity));
            for (var layer = 0; layer < Config.LayerCount; layer++)
                decoder.Run(
                    weights.Layers[layer], step, layer, b, layer + 1 < Config.LayerCount ? weights.Layers[layer + 1].InputNorm : null);
        });
        return b.X;
    }
}

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
        KeyBias = weights.KeyBiases is { } biases && Config.TurnsBiases ? new RotaryBias(biases, Config.Rope.For(capacity)) : null,
    };

    /// <summary>Bytes of weights that a token's forward pass reads: of an embedding one row, unless it is the output head too.</summary>
    public long WeightBytesRead => weights.ByteCount - (weights.Embedding == weights.Head ? 0 : weights.Embedding.ByteCount);

    /// <summary>Hidden states to logits.</summary>
    public OutputHead Head { get; } = OutputHead.Of(backend, config, weights);

    /// <summary>Activations for steps of up to <paramref name="maxTokens"/> tokens, of several steps where the backend has room.</summary>
    /// <param name="maxTokens">T.</param>
    /// <param name="most">Steps that there are, at the most.</param>
    public TransformerActivations Activations(int maxTokens, int most)
    {
        var leavesUp = Backend.Several is { } several && weights.Layers.All(layer => several.LeavesUp(layer.Gate, layer.Up));
        return new(Backend, Config, maxTokens, leavesUp ? most : 1);
    }

    /// <summary>
    /// Runs T tokens through all layers; their keys and values go to the step's caches.
    /// Returns the hidden states [T, H], f32, in <paramref name="activations"/>.
    /// </summary>
    public Tensor Forward(Step step, TransformerActivations activations)
    {
        var b = activations.For(step.Count);
        Backend.Run(step, this, activations, () => Forward([step], b));
        return b.X;
    }

    /// <summary>The same for several steps of one sequence, in their order: attention of each sees what those before it have cached, and
    /// linear layers take the rows of all of them, which costs less than one after the other.</summary>
    public Tensor Forward(ReadOnlySpan<Step> steps, TransformerActivations activations)
    {
        if (steps.Length == 1) return Forward(steps[0], activations);
        var tokens = 0;
        foreach (var step in steps) tokens += step.Count;
        var b = activations.For(tokens);
        Forward(steps, b);
        return b.X;
    }

    private void Forward(ReadOnlySpan<Step> steps, TransformerActivations.Buffers b)
    {
        var row = 0;
        foreach (var step in steps)
        {
            Backend.Embed(step, weights.Embedding, b.X.Rows(row, step.Count), Config.EmbeddingScale);
            row += step.Count;
        }
        var decoder = new DecoderLayer(Backend, Config, Config.Rope.For(steps[0].Caches[0].Capacity));
        for (var layer = 0; layer < Config.LayerCount; layer++)
            decoder.Run(
                weights.Layers[layer], steps, layer, b, layer + 1 < Config.LayerCount ? weights.Layers[layer + 1].InputNorm : null);
    }
}

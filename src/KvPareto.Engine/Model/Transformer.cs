using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Model;

/// <summary>The decoder of Llama, Qwen and Mistral models: one forward pass, written once over the seam's ops.</summary>
/// <param name="backend">Where it runs.</param>
/// <param name="config">Architecture.</param>
/// <param name="weights">Weights on that backend.</param>
public sealed class Transformer(Backend backend, ModelConfig config, TransformerWeights weights)
{
    /// <summary>Architecture.</summary>
    public ModelConfig Config { get; } = config;

    /// <summary>Where it runs.</summary>
    public Backend Backend { get; } = backend;

    /// <summary>Shape of its cache, with the bias of its keys.</summary>
    public KvGeometry Geometry { get; } = config.Geometry with { KeyBias = weights.KeyBiases is { } biases ? new KeyBias(biases, config.Rope) : null };

    /// <summary>Hidden states to logits.</summary>
    public OutputHead Head { get; } = OutputHead.Of(backend, config, weights);

    /// <summary>
    /// Runs T tokens through all layers; their keys and values go to the step's caches.
    /// Returns the hidden states [T, H], f32, in <paramref name="activations"/>.
    /// </summary>
    public Tensor Forward(Step step, TransformerActivations activations)
    {
        var b = activations.For(step.Count);
        Backend.Embed(step, weights.Embedding, b.X);
        for (var layer = 0; layer < Config.LayerCount; layer++)
        {
            var w = weights.Layers[layer];
            Backend.RmsNorm(b.X, w.InputNorm, Config.NormEpsilon, b.H);
            Backend.Linear(b.H, w.Query, b.Q);
            Backend.Linear(b.H, w.Key, b.K);
            Backend.Linear(b.H, w.Value, b.V);
            if (w.QueryNorm is not null && w.KeyNorm is not null)
            {
                Backend.RmsNorm(b.Q, w.QueryNorm, Config.NormEpsilon, b.Q);
                Backend.RmsNorm(b.K, w.KeyNorm, Config.NormEpsilon, b.K);
            }
            Backend.Rope(step, b.Q, Config.Rope);
            Backend.Rope(step, b.K, Config.Rope);
            Backend.Attention(step, layer, b.Q, b.K, b.V, b.Q);
            Backend.Linear(b.Q, w.Output, b.H);
            Backend.Add(b.X, b.H);

            Backend.RmsNorm(b.X, w.PostAttentionNorm, Config.NormEpsilon, b.H);
            Backend.Linear(b.H, w.Gate, b.Gate);
            Backend.Linear(b.H, w.Up, b.Up);
            Backend.SiluMul(b.Gate, b.Up);
            Backend.Linear(b.Gate, w.Down, b.H);
            Backend.Add(b.X, b.H);
        }
        return b.X;
    }
}

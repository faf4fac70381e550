using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Model;

/// <summary>A place inside a decoder layer where the input of a linear layer can be seen.</summary>
internal enum LayerPoint
{
    /// <summary>Behind the first norm: the input of q, k and v, [T, H].</summary>
    AttentionInput,

    /// <summary>Behind attention: the input of o, [T, Nq·D].</summary>
    OutputInput,

    /// <summary>Behind the second norm: the input of gate and up, [T, H].</summary>
    FeedForwardInput,

    /// <summary>silu(gate)·up: the input of down, [T, F].</summary>
    DownInput,
}

/// <summary>One decoder layer over the seam's ops, and its two blocks by themselves.</summary>
/// <param name="backend">Where it runs.</param>
/// <param name="config">Architecture.</param>
/// <param name="rope">Its rotary embedding for the length of the run.</param>
internal readonly struct DecoderLayer(Backend backend, ModelConfig config, RopeTable rope)
{
    /// <summary>
    /// x += attention(H), then x += feed-forward(norm(x)). On entry H is the layer's input norm of x; on return it is the norm
    /// <paramref name="nextNorm"/> of the new x, for the following layer, unless that is null. <paramref name="cacheLayer"/> is the layer of
    /// the caches.
    /// </summary>
    public void Run(LayerWeights w, Weight? nextNorm, Step step, int cacheLayer, TransformerActivations.Buffers b, Action<LayerPoint, Tensor>? probe = null)
    {
        Attention(w, step, cacheLayer, b, probe);
        backend.AddNorm(b.X, b.H, w.PostAttentionNorm, config.StreamEpsilon, b.H);
        FeedForward(w, b, probe);
        if (nextNorm is null) backend.Add(b.X, b.H);
        else backend.AddNorm(b.X, b.H, nextNorm, config.StreamEpsilon, b.H);
    }

    /// <summary>H = norm(x), before the first layer.</summary>
    public void Enter(LayerWeights first, TransformerActivations.Buffers b) => backend.RmsNorm(b.X, first.InputNorm, config.StreamEpsilon, b.H);

    /// <summary>The attention block: from its normalised input in H to its output there.</summary>
    public void Attention(LayerWeights w, Step step, int cacheLayer, TransformerActivations.Buffers b, Action<LayerPoint, Tensor>? probe = null)
    {
        probe?.Invoke(LayerPoint.AttentionInput, b.H);
        backend.Linear(b.H, [w.Query, w.Key, w.Value], [b.Q, b.K, b.V]);
        if (w.QueryNorm is not null && w.KeyNorm is not null)
        {
            backend.RmsNorm(b.Q, w.QueryNorm, config.NormEpsilon, b.Q);
            backend.RmsNorm(b.K, w.KeyNorm, config.NormEpsilon, b.K);
        }
        if (w.IsTurned) backend.Rope(step, b.Q, b.K, rope);
        backend.Attention(step, cacheLayer, b.Q, b.K, b.V, b.Q);
        probe?.Invoke(LayerPoint.OutputInput, b.Q);
        backend.Linear(b.Q, w.Output, b.H);
    }

    /// <summary>The feed-forward block: from its normalised input in H to its output there.</summary>
    public void FeedForward(LayerWeights w, TransformerActivations.Buffers b, Action<LayerPoint, Tensor>? probe = null)
    {
        probe?.Invoke(LayerPoint.FeedForwardInput, b.H);
        backend.Linear(b.H, [w.Gate, w.Up], [b.Gate, b.Up]);
        backend.SiluMul(b.Gate, b.Up);
        probe?.Invoke(LayerPoint.DownInput, b.Gate);
        backend.Linear(b.Gate, w.Down, b.H);
    }
}

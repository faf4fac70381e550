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
    /// <summary>x += attention(norm(x)), then x += feed-forward(norm(x)), for the rows of one step after the other.
    /// <paramref name="cacheLayer"/> is the layer of the caches, <paramref name="next"/> the first norm of the layer that
    /// follows.</summary>
    public void Run(
        LayerWeights w, ReadOnlySpan<Step> steps, int cacheLayer, TransformerActivations.Buffers b, Weight? next = null)
    {
        backend.NormLinear(b.X, w.InputNorm, config.StreamEpsilon, b.H, [w.Query, w.Key, w.Value], [b.Q, b.K, b.V]);
        Attend(w, steps, cacheLayer, b);
        backend.LinearAdd(b.Q, w.Output, b.H, b.X, w.PostAttentionNorm);
        backend.NormGated(b.X, w.PostAttentionNorm, config.StreamEpsilon, b.H, w.Gate, w.Up, b.Gate, b.Up);
        backend.LinearAdd(b.Gate, w.Down, b.H, b.X, next);
    }

    /// <summary>The same op by op, to show the inputs of linear layers.</summary>
    public void Run(LayerWeights w, Step step, int cacheLayer, TransformerActivations.Buffers b, Action<LayerPoint, Tensor> probe)
    {
        backend.RmsNorm(b.X, w.InputNorm, config.StreamEpsilon, b.H);
        Attention(w, step, cacheLayer, b, probe);
        backend.Add(b.X, b.H);
        backend.RmsNorm(b.X, w.PostAttentionNorm, config.StreamEpsilon, b.H);
        FeedForward(w, b, probe);
        backend.Add(b.X, b.H);
    }

    /// <summary>The attention block: from its normalised input in H to its output there.</summary>
    public void Attention(
        LayerWeights w, Step step, int cacheLayer, TransformerActivations.Buffers b, Action<LayerPoint, Tensor>? probe = null)
    {
        probe?.Invoke(LayerPoint.AttentionInput, b.H);
        backend.Linear(b.H, [w.Query, w.Key, w.Value], [b.Q, b.K, b.V]);
        Attend(w, [step], cacheLayer, b);
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

    // From q, k and v to attention's result in Q.
    private void Attend(LayerWeights w, ReadOnlySpan<Step> steps, int cacheLayer, TransformerActivations.Buffers b)
    {
        if (w.QueryNorm is not null && w.KeyNorm is not null)
        {
            backend.RmsNorm(b.Q, w.QueryNorm, config.NormEpsilon, b.Q);
            backend.RmsNorm(b.K, w.KeyNorm, config.NormEpsilon, b.K);
        }
        var row = 0;
        foreach (var step in steps)
        {
            var (q, k, v) = (b.Q.Rows(row, step.Count), b.K.Rows(row, step.Count), b.V.Rows(row, step.Count));
            if (w.IsTurned) backend.RopeAttention(step, cacheLayer, q, k, v, q, rope);
            else backend.Attention(step, cacheLayer, q, k, v, q);
            row += step.Count;
        }
    }
}

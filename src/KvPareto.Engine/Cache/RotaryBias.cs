namespace KvPareto.Engine.Cache;

/// <summary>
/// What the bias b of a model's key projection adds to the key of each position: RoPE(b, t), known exactly, so that keys can be coded
/// without it (<see cref="KvSpec.PreBiasKeys"/>).
/// </summary>
/// <param name="bias">The biases and the rotary frequencies.</param>
public sealed class RotaryBias(KeyBias bias)
{
    private readonly int _half = bias.Rope.HeadDim / 2;

    /// <summary>D.</summary>
    public int HeadDim => 2 * _half;

    /// <summary>b of a key head, [D].</summary>
    public ReadOnlySpan<float> Of(int layer, int head) => bias.Layers[layer].AsSpan(head * HeadDim, HeadDim);

    /// <summary>Cosines and then sines of a position, [D], with the rotary embedding's scale.</summary>
    public void Turns(int position, Span<float> row)
    {
        for (var i = 0; i < _half; i++)
        {
            var (sin, cos) = Math.SinCos(position * bias.Rope.InverseFrequencies[i]);
            row[i] = (float)cos * bias.Rope.AttentionScale;
            row[_half + i] = (float)sin * bias.Rope.AttentionScale;
        }
    }

    /// <summary>key += sign · RoPE(b, position).</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key head.</param>
    /// <param name="position">Position.</param>
    /// <param name="key">[D].</param>
    /// <param name="sign">1 or −1.</param>
    public void Add(int layer, int head, int position, Span<float> key, float sign)
    {
        var b = Of(layer, head);
        Span<float> turns = stackalloc float[HeadDim];
        Turns(position, turns);
        for (var i = 0; i < _half; i++)
        {
            var (cos, sin) = (turns[i], turns[_half + i]);
            key[i] += sign * (b[i] * cos - b[_half + i] * sin);
            key[_half + i] += sign * (b[_half + i] * cos + b[i] * sin);
        }
    }
}

using System.Collections.Immutable;
using KvPareto.Engine.Rotary;

namespace KvPareto.Engine.Cache;

/// <summary>
/// What the bias b of a model's key projection adds to the key of each position: RoPE(b, t), known exactly, so that keys can be coded
/// without it (<see cref="KvSpec.PreBiasKeys"/>).
/// </summary>
/// <param name="Layers">b of each layer, [Nkv·D].</param>
/// <param name="Rope">The model's rotary frequencies, which turn all D channels of a head.</param>
public sealed record RotaryBias(ImmutableArray<float[]> Layers, RopeTable Rope)
{
    /// <summary>b of a key head, [D].</summary>
    public ReadOnlySpan<float> Of(int layer, int head) => Layers[layer].AsSpan(head * Rope.HeadDim, Rope.HeadDim);

    /// <summary>key += sign · RoPE(b, position).</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key head.</param>
    /// <param name="position">Position.</param>
    /// <param name="key">[D].</param>
    /// <param name="sign">1 or −1.</param>
    public void Add(int layer, int head, int position, Span<float> key, float sign)
    {
        var b = Of(layer, head);
        var half = b.Length / 2;
        Span<float> turns = stackalloc float[b.Length];
        Rope.Turns([position], turns);
        for (var i = 0; i < half; i++)
        {
            var (cos, sin) = (turns[i], turns[half + i]);
            key[i] += sign * (b[i] * cos - b[half + i] * sin);
            key[half + i] += sign * (b[half + i] * cos + b[i] * sin);
        }
    }
}

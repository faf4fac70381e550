using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>A text as a model under one setting has read it: what its logits follow from, a hundredth of their size.</summary>
/// <param name="Values">Residual stream after the last layer, before the final norm, [T, H] in host memory.</param>
/// <param name="Width">H.</param>
/// <param name="CacheBytes">Bytes of a cache for just these tokens: codes, scales, zero points and means.</param>
/// <param name="Elapsed">Time of the forward passes.</param>
/// <param name="Peaks">High-water marks of reading it; there was no decoding.</param>
public sealed record TextStates(float[] Values, int Width, long CacheBytes, TimeSpan Elapsed, MemoryPeaks Peaks)
{
    /// <summary>T.</summary>
    public int Count => Values.Length / Width;

    /// <summary>Some tokens' states [count, H].</summary>
    public ReadOnlySpan<float> Rows(int first, int count) => Values.AsSpan(first * Width, count * Width);
}

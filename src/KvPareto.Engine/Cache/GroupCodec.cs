using KvPareto.Text.Input;

namespace KvPareto.Engine.Cache;

/// <summary>
/// Scale and zero point of one group of codes, 4 bytes. x̂ = (q − z)·s with s an f16 and z a 16-bit integer.
/// A group whose elements are all equal to v is kept exactly: the sign bit of the scale is set, the other 31 bits are those
/// of |v| as an f32, and every code is sign(v), so that x̂ = q·|v|.
/// </summary>
/// <param name="ScaleBits">f16 bits of s, or the constant mark and the upper half of |v|.</param>
/// <param name="Zero">z, or the lower half of |v|.</param>
public readonly record struct GroupMeta(ushort ScaleBits, short Zero)
{
    private const ushort ConstantMark = 0x8000;

    /// <summary>Bytes of one entry.</summary>
    public const int ByteSize = 4;

    /// <summary>Bytes of the entries of a matrix whose rows are coded in groups of <paramref name="group"/> columns.</summary>
    public static long BytesOf(int rows, int columns, int group) => (long)rows * (columns / group) * ByteSize;

    /// <summary>True where all elements of the group are equal.</summary>
    public bool IsConstant => (ScaleBits & ConstantMark) != 0;

    /// <summary>s of x̂ = q·s + <see cref="Offset"/>.</summary>
    public float Scale => IsConstant
        ? BitConverter.UInt32BitsToSingle((uint)(ScaleBits & ~ConstantMark) << 16 | (ushort)Zero)
        : (float)BitConverter.UInt16BitsToHalf(ScaleBits);

    /// <summary>−z·s of x̂ = q·<see cref="Scale"/> + −z·s; zero for a constant group.</summary>
    public float Offset => IsConstant ? 0 : -Zero * Scale;

    /// <summary>The entry of a group whose elements all have this magnitude and one sign.</summary>
    internal static GroupMeta Constant(float magnitude)
    {
        var bits = BitConverter.SingleToUInt32Bits(magnitude);
        return new((ushort)(ConstantMark | bits >> 16), (short)(ushort)bits);
    }
}

/// <summary>
/// How codes are fitted to a group's range. Of floats alone: CUDA's kernels (<c>GroupFit</c> of append.cuh) and TorchScript's (codec.py)
/// read it as it lies.
/// </summary>
/// <param name="Clip">Share of the range that codes span (<see cref="GroupCodec.Narrow"/>); what lies outside is clipped.</param>
public readonly record struct GroupFit(float Clip)
{
    /// <summary>Narrowest share, in percent.</summary>
    public const int LeastClipPercent = 50;

    /// <summary>To all of it.</summary>
    public static readonly GroupFit Whole = new(1);

    /// <summary><see cref="Clip"/> in percent.</summary>
    public int ClipPercent => (int)MathF.Round(Clip * 100);

    /// <exception cref="ConfigException">A part is out of its range; the message names it and what is allowed.</exception>
    internal void Validate()
    {
        if (Clip is not (>= LeastClipPercent / 100f and <= 1))
            throw new ConfigException($"clip {ClipPercent}; allowed: {LeastClipPercent} to 100");
    }
}

/// <summary>
/// Round to nearest, asymmetric, b bits: the scalar definition of every packed format (KV Pareto, arXiv 2512.01953, §3):
/// qmin = −2^(b−1), qmax = 2^(b−1) − 1; s = (max − min)/(qmax − qmin) rounded to f16; z = round(qmin − min/s);
/// q = clamp(round(x/s + z)); x̂ = (q − z)·s. Rounding is to even. Stored codes are q − qmin, unsigned.
/// </summary>
public static class GroupCodec
{
    private const int SmallestExponent = -24; // f16's subnormals end there
    private const int LargestExponent = 15;

    /// <summary>
    /// Largest |z|, which must fit 16 bits. Where a group is far from zero and narrow, the scale is widened until it does; the error stays
    /// below |x|/32000, less than an f16's own rounding.
    /// </summary>
    public const float LargestZero = 32000;

    private const float SmallestScale = 5.9604645e-8f; // f16's smallest subnormal
    private const float LargestScale = 65504;

    /// <summary>Smallest code of <paramref name="bits"/> bits.</summary>
    public static int MinCode(int bits) => -(1 << (bits - 1));

    /// <summary>Largest code of <paramref name="bits"/> bits.</summary>
    public static int MaxCode(int bits) => (1 << (bits - 1)) - 1;

    /// <summary>
    /// Scale and zero point for a group that spans <paramref name="min"/> to <paramref name="max"/>. A group with an element that is
    /// not finite comes back as NaN throughout, so that a run that has gone wrong is seen to. <paramref name="fit"/> narrows the range
    /// first (<see cref="Narrow"/>).
    /// </summary>
    public static GroupMeta Fit(float min, float max, int bits, GroupFit fit)
    {
        (min, max) = Narrow(min, max, fit);
        if (!float.IsFinite(min) || !float.IsFinite(max)) return GroupMeta.Constant(float.NaN);
        if (min == max) return GroupMeta.Constant(MathF.Abs(min));
        var levels = (1 << bits) - 1;
        var narrowest = Math.Clamp(MathF.Max(MathF.Abs(min), MathF.Abs(max)) / LargestZero, SmallestScale, LargestScale);
        var half = (Half)MathF.Min(max / levels - min / levels, LargestScale);
        // As an f16: rounding, coarse among subnormals, may have taken it below.
        if ((float)half < narrowest) half = NotBelow(narrowest);
        var zero = MathF.Round(MinCode(bits) - min / (float)half, MidpointRounding.ToEven);
        return new(BitConverter.HalfToUInt16Bits(half), (short)Math.Clamp(zero, short.MinValue, short.MaxValue));
    }

    /// <summary>The same, of the whole range.</summary>
    public static GroupMeta Fit(float min, float max, int bits) => Fit(min, max, bits, GroupFit.Whole);

    /// <summary>
    /// Power-of-two scale and integer zero point of a channel for good: the scale is the smallest 2^e with
    /// (max − min)·clip ≤ 2^e·(2^bits − 1). A constant channel gets the narrowest that its zero point reaches: later tokens may differ.
    /// </summary>
    public static GroupMeta FitPowerOfTwo(float min, float max, int bits, GroupFit fit)
    {
        (min, max) = Narrow(min, max, fit);
        if (!float.IsFinite(min) || !float.IsFinite(max)) return GroupMeta.Constant(float.NaN);
        var narrowest = MathF.Max(MathF.Abs(min), MathF.Abs(max)) / short.MaxValue;
        var step = MathF.Max(MathF.Max((max - min) / ((1 << bits) - 1), narrowest), float.Epsilon);
        var scale = MathF.ScaleB(1, Math.Clamp((int)Math.Ceiling(Math.Log2(step)), SmallestExponent, LargestExponent));
        var zero = MathF.Round(MinCode(bits) - min / scale, MidpointRounding.ToEven);
        return new(BitConverter.HalfToUInt16Bits((Half)scale), (short)Math.Clamp(zero, short.MinValue, short.MaxValue));
    }

    /// <summary>
    /// A range narrowed to a share of itself, for <see cref="Fit(float, float, int, GroupFit)"/>: both ends move towards zero where it lies
    /// between them (min·clip and max·clip, SKVQ, arXiv 2405.06219); else only the far end moves, so that no range is shifted and a
    /// single value stays itself.
    /// </summary>
    public static (float Min, float Max) Narrow(float min, float max, GroupFit fit)
    {
        var clip = fit.Clip;
        if (clip == 1 || min == max) return (min, max);
        var cut = (1 - clip) * (max - min);
        return min >= 0 ? (min, max - cut) : max <= 0 ? (min + cut, max) : (min * clip, max * clip);
    }

    /// <summary>The signed code of <paramref name="x"/>, qmin … qmax.</summary>
    public static int Encode(float x, GroupMeta meta, int bits)
    {
        if (meta.IsConstant) return x < 0 ? -1 : 1;
        var code = MathF.Round(x / meta.Scale + meta.Zero, MidpointRounding.ToEven);
        return (int)Math.Clamp(code, MinCode(bits), MaxCode(bits));
    }

    // A scale that is rounded down would not reach.
    private static Half NotBelow(float scale)
    {
        var half = (Half)scale;
        return (float)half < scale ? Half.BitIncrement(half) : half;
    }

    /// <summary>The value that a signed code stands for.</summary>
    public static float Decode(int code, GroupMeta meta) => meta.IsConstant ? code * meta.Scale : (code - meta.Zero) * meta.Scale;

    /// <summary>Writes a code into a packed row: without gaps, lowest bits first.</summary>
    /// <param name="packed">The row's bytes; the code's own bits must be zero.</param>
    /// <param name="index">Element of the row.</param>
    /// <param name="code">Signed code.</param>
    /// <param name="bits">2, 4 or 8.</param>
    public static void Store(Span<byte> packed, int index, int code, int bits)
    {
        var bit = index * bits;
        packed[bit >> 3] |= (byte)((code - MinCode(bits)) << (bit & 7));
    }

    /// <summary>Reads a signed code from a packed row.</summary>
    public static int Load(ReadOnlySpan<byte> packed, int index, int bits)
    {
        var bit = index * bits;
        return ((packed[bit >> 3] >> (bit & 7)) & ((1 << bits) - 1)) + MinCode(bits);
    }
}

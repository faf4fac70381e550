using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>The vectorised twin of <see cref="GroupCodec"/>: bit for bit the same scales, zero points and codes.</summary>
internal static unsafe class GroupEncoder
{
    /// <summary>Scale and zero point for the elements of a group, their range as <paramref name="fit"/> says.</summary>
    public static GroupMeta Fit(float* source, int count, int bits, GroupFit fit)
    {
        var (min, max) = Range(source, count);
        return GroupCodec.Fit(min, max, bits, fit);
    }

    /// <summary>Smallest and largest element; NaN where there is one.</summary>
    public static (float Min, float Max) Range(float* source, int count)
    {
        var span = new ReadOnlySpan<float>(source, count);
        return (TensorPrimitives.Min(span), TensorPrimitives.Max(span));
    }

    /// <summary>Codes elements that share a scale.</summary>
    /// <param name="source">The elements.</param>
    /// <param name="count">Their number.</param>
    /// <param name="meta">Scale and zero point.</param>
    /// <param name="bits">2, 4 or 8.</param>
    /// <param name="codes">One byte an element: the unsigned code q − qmin.</param>
    public static void Encode(float* source, int count, GroupMeta meta, int bits, byte* codes)
    {
        var bias = GroupCodec.MinCode(bits);
        var i = 0;
        if (!meta.IsConstant && Vector256.IsHardwareAccelerated)
        {
            var scale = Vector256.Create(meta.Scale);
            var zero = Vector256.Create((float)meta.Zero);
            var low = Vector256.Create((float)bias);
            var high = Vector256.Create((float)GroupCodec.MaxCode(bits));
            for (; i + 8 <= count; i += 8)
            {
                var code = Vector256.Round(Vector256.Load(source + i) / scale + zero);
                var unsigned = Vector256.ConvertToInt32(Vector256.Min(Vector256.Max(code, low), high) - low);
                for (var lane = 0; lane < 8; lane++) codes[i + lane] = (byte)unsigned[lane];
            }
        }
        for (; i < count; i++) codes[i] = (byte)(GroupCodec.Encode(source[i], meta, bits) - bias);
    }

    /// <summary>Packs codes of one byte each without gaps, lowest bits first.</summary>
    public static void Pack(byte* codes, int count, int bits, byte* packed)
    {
        switch (bits)
        {
            case 8:
                Buffer.MemoryCopy(codes, packed, count, count);
                break;
            case 4:
                for (var i = 0; i < count / 2; i++) packed[i] = (byte)(codes[2 * i] | codes[2 * i + 1] << 4);
                break;
            default:
                for (var i = 0; i < count / 4; i++)
                    packed[i] = (byte)(codes[4 * i] | codes[4 * i + 1] << 2 | codes[4 * i + 2] << 4 | codes[4 * i + 3] << 6);
                break;
        }
    }
}

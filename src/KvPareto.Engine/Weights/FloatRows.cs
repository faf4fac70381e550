using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvPareto.Engine.Weights;

/// <summary>Widening of stored elements to f32, exact for each of the three types, and decoding of blocks.</summary>
internal static unsafe class FloatRows
{
    /// <summary>Converts as many elements as <paramref name="values"/> holds, whole blocks, from an address of any alignment.</summary>
    public static void Widen(byte* source, WeightFormat format, Span<float> values)
    {
        switch (format)
        {
            case WeightFormat.F32:
                new ReadOnlySpan<float>(source, values.Length).CopyTo(values);
                break;
            case WeightFormat.F16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(source, values.Length), values);
                break;
            case WeightFormat.BF16:
                WidenBFloat16(source, values);
                break;
            default:
                BlockCodec.Decode(format, source, values);
                break;
        }
    }

    private static void WidenBFloat16(byte* source, Span<float> values)
    {
        var i = 0;
        fixed (float* destination = values)
        {
            for (; i <= values.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                var (low, high) = Vector256.Widen(Vector256.Load((ushort*)source + i));
                Vector256.Store(low << 16, (uint*)destination + i);
                Vector256.Store(high << 16, (uint*)destination + i + Vector256<uint>.Count);
            }
            for (; i < values.Length; i++)
                destination[i] = BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source + 2 * i) << 16);
        }
    }
}

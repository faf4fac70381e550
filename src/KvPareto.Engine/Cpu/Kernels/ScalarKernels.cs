using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>
/// The linear kernels in plain loops: the reference that the vector twins equal bit for bit, and what runs where there is neither
/// AVX-512 nor AVX2.
/// </summary>
internal static unsafe class ScalarKernels
{
    /// <summary>The signed code of channel <paramref name="channel"/> of the W4 group at <paramref name="group"/>, row 0 … 31.</summary>
    public static int Code(byte* group, int channel, int row)
    {
        var word = ((uint*)(group + Strip.MetaBytes + channel / Strip.QuadChannels * Strip.QuadBytes))[row & 15];
        var nibble = channel % Strip.QuadChannels * 2 + (row >> 4);
        return (int)(word << (28 - 4 * nibble)) >> 28;
    }

    /// <summary>
    /// Writes channels of a strip as f32 into 32 columns of a panel with <see cref="MicroKernel.Columns"/> columns. A code is
    /// decoded as q·s + (−z·s), fused: the codec's own (q − z)·s exactly as long as |z| &lt; 2^13, within one rounding else.
    /// </summary>
    public static void Unpack<TFormat>(byte* strip, int channels, float* panel) where TFormat : struct, IElementFormat
    {
        for (var k = 0; k < channels; k++, strip += TFormat.ChannelBytes, panel += MicroKernel.Columns)
            for (var r = 0; r < Strip.Rows; r++) panel[r] = TFormat.Load(strip, r);
    }

    /// <summary>As <see cref="Unpack"/>, for whole groups of W4 codes.</summary>
    public static void UnpackCodes(byte* strip, int channels, int groupSize, float* panel)
    {
        for (var k = 0; k < channels; k += groupSize, strip += Strip.GroupBytes(groupSize), panel += groupSize * MicroKernel.Columns)
            for (var r = 0; r < Strip.Rows; r++)
            {
                var meta = ((GroupMeta*)strip)[r];
                var (scale, offset) = (meta.Scale, meta.Offset);
                for (var i = 0; i < groupSize; i++)
                    panel[i * MicroKernel.Columns + r] = MathF.FusedMultiplyAdd(Code(strip, i, r), scale, offset);
            }
    }

    /// <summary>y [32] = strip · x over all <paramref name="columns"/> channels, block by block.</summary>
    public static void Gemv<TFormat>(byte* strip, float* x, int columns, float* y) where TFormat : struct, IElementFormat
    {
        for (var r = 0; r < Strip.Rows; r++)
        {
            var total = 0f;
            for (var block = 0; block < columns; block += Strip.BlockChannels)
            {
                var sum = 0f;
                for (nint k = block; k < Math.Min(block + Strip.BlockChannels, columns); k++)
                    sum = MathF.FusedMultiplyAdd(x[k], TFormat.Load(strip + k * TFormat.ChannelBytes, r), sum);
                total += sum;
            }
            y[r] = total;
        }
    }

    /// <summary>As <see cref="Gemv"/>, for W4 codes.</summary>
    public static void GemvCodes(byte* strip, float* x, int columns, int groupSize, float* y)
    {
        var groupBytes = Strip.GroupBytes(groupSize);
        for (var r = 0; r < Strip.Rows; r++)
        {
            var (total, sum) = (0f, 0f);
            for (var k = 0; k < columns; k += groupSize)
            {
                var group = strip + k / groupSize * (long)groupBytes;
                var meta = ((GroupMeta*)group)[r];
                var (scale, offset) = (meta.Scale, meta.Offset);
                for (var i = 0; i < groupSize; i++)
                    sum = MathF.FusedMultiplyAdd(x[k + i], MathF.FusedMultiplyAdd(Code(group, i, r), scale, offset), sum);
                if ((k + groupSize) % Strip.BlockChannels != 0 && k + groupSize < columns) continue;
                total += sum;
                sum = 0;
            }
            y[r] = total;
        }
    }

    /// <summary>c [rows, 64] = or += a · panel; see <see cref="MicroKernel.Multiply(float*, nint, int, float*, int, float*, nint, bool)"/>.</summary>
    public static void Multiply(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate)
    {
        var sums = stackalloc float[MicroKernel.Columns];
        for (var r = 0; r < rows; r++, a += lda, c += ldc)
        {
            Unsafe.InitBlock(sums, 0, MicroKernel.Columns * sizeof(float));
            for (nint k = 0; k < channels; k++)
                for (var j = 0; j < MicroKernel.Columns; j++)
                    sums[j] = MathF.FusedMultiplyAdd(a[k], panel[k * MicroKernel.Columns + j], sums[j]);
            for (var j = 0; j < MicroKernel.Columns; j++) c[j] = accumulate ? c[j] + sums[j] : sums[j];
        }
    }
}

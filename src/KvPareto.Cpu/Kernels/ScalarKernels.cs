using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// The linear kernels in plain loops: the reference that the vector twins equal bit for bit, and what runs where there is neither
/// AVX-512 nor AVX2. A code is decoded as q·s + (−z·s), fused: the codec's own (q − z)·s exactly as long as |z| &lt; 2^13, within
/// one rounding else.
/// </summary>
internal static unsafe class ScalarKernels
{
    /// <summary>Scale and zero point of row <paramref name="row"/> (0 … 31) of the group of codes at <paramref name="lines"/>.</summary>
    public static GroupMeta Meta(byte* lines, nint stride, int row) => ((GroupMeta*)(lines + (row >> 4) * stride))[row & 15];

    /// <summary>The signed code of channel <paramref name="channel"/> of a line of codes, row 0 … 31.</summary>
    public static int Code<TCodes>(byte* line, int channel, int row) where TCodes : struct, ICodeFormat =>
        (int)(((uint*)line)[row & 15] << (32 - TCodes.Bits * (2 * channel + (row >> 4) + 1))) >> (32 - TCodes.Bits);

    /// <summary>Writes the channels of a block as f32 into 32 columns of a panel with <see cref="MicroKernel.Columns"/> columns.</summary>
    public static void Unpack<TFormat>(byte* lines, nint stride, int channels, float* panel) where TFormat : struct, IElementFormat
    {
        for (var k = 0; k < channels; k++, lines += stride, panel += MicroKernel.Columns)
            for (var r = 0; r < Strip.Rows; r++) panel[r] = TFormat.Load(lines, r);
    }

    /// <summary>As <see cref="Unpack"/>, for codes.</summary>
    public static void UnpackCodes<TCodes>(byte* lines, nint stride, int channels, int groupSize, float* panel)
        where TCodes : struct, ICodeFormat
    {
        for (var k = 0; k < channels; k += groupSize)
        {
            var group = lines;
            lines += Strip.MetaLines * stride;
            for (var i = 0; i < groupSize; i++, lines += i % TCodes.LineChannels == 0 ? stride : 0, panel += MicroKernel.Columns)
                for (var r = 0; r < Strip.Rows; r++) panel[r] = Decode<TCodes>(lines, i % TCodes.LineChannels, r, Meta(group, stride, r));
        }
    }

    /// <summary>y [32] = or += the block · x [channels].</summary>
    public static void MultiplyBlock<TFormat>(byte* lines, nint stride, float* x, int channels, float* y, bool accumulate)
        where TFormat : struct, IElementFormat
    {
        for (var r = 0; r < Strip.Rows; r++)
        {
            var sum = 0f;
            for (var k = 0; k < channels; k++) sum = MathF.FusedMultiplyAdd(x[k], TFormat.Load(lines + k * stride, r), sum);
            y[r] = accumulate ? y[r] + sum : sum;
        }
    }

    /// <summary>As <see cref="MultiplyBlock"/>, for codes.</summary>
    public static void MultiplyCodes<TCodes>(byte* lines, nint stride, float* x, int channels, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        for (var r = 0; r < Strip.Rows; r++)
        {
            var sum = 0f;
            var line = lines;
            for (var k = 0; k < channels; k += groupSize)
            {
                var meta = Meta(line, stride, r);
                line += Strip.MetaLines * stride;
                for (var i = 0; i < groupSize; i++, line += i % TCodes.LineChannels == 0 ? stride : 0)
                    sum = MathF.FusedMultiplyAdd(x[k + i], Decode<TCodes>(line, i % TCodes.LineChannels, r, meta), sum);
            }
            y[r] = accumulate ? y[r] + sum : sum;
        }
    }

    /// <summary>c [rows, 64] = or += a · panel; see
    /// <see cref="MicroKernel.Multiply(float*, nint, int, float*, int, float*, nint, bool)"/>.</summary>
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

    private static float Decode<TCodes>(byte* line, int channel, int row, GroupMeta meta) where TCodes : struct, ICodeFormat =>
        MathF.FusedMultiplyAdd(Code<TCodes>(line, channel, row), meta.Scale, meta.Offset);
}

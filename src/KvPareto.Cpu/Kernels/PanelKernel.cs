using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// <see cref="MicroKernel"/> at a vector width. Six rows by four vectors stay in 24 of AVX-512's 32 registers, each channel four loads of
/// the panel and six broadcasts; six by two in 12 of AVX2's 16. One body serves one to six rows.
/// </summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal static unsafe class PanelKernel<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private static bool HasFour
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Width == 16;
    }

    private static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Width;
    }

    /// <inheritdoc cref="MicroKernel.Multiply"/>
    public static void Multiply(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate) =>
        Multiply<Constant0>(a, lda, rows, panel, new(channels, channels, null, null, 0), c, ldc, accumulate);

    /// <inheritdoc cref="KernelTable.MultiplyGroups"/>
    public static void MultiplyGroups(
        float* a, nint lda, int rows, float* panel, in PanelGroups groups, float* c, nint ldc, bool accumulate) =>
        Multiply<Constant1>(a, lda, rows, panel, groups, c, ldc, accumulate);

    // TScales: 1 where groups have scales apart, 0 where all channels are one group without.
    private static void Multiply<TScales>(
        float* a, nint lda, int rows, float* panel, in PanelGroups groups, float* c, nint ldc, bool accumulate)
        where TScales : struct, IConstant
    {
        var step = Width * (HasFour ? 4 : 2);
        var sums = groups.Sums;
        for (; rows > 0; rows -= MicroKernel.Rows, a += MicroKernel.Rows * lda, c += MicroKernel.Rows * ldc)
        {
            for (var column = 0; column < MicroKernel.Columns; column += step)
                switch (rows)
                {
                    case 5: Pass<Constant5, TScales>(a, lda, panel + column, groups, column, sums, c + column, ldc, accumulate); break;
                    case 4: Pass<Constant4, TScales>(a, lda, panel + column, groups, column, sums, c + column, ldc, accumulate); break;
                    case 3: Pass<Constant3, TScales>(a, lda, panel + column, groups, column, sums, c + column, ldc, accumulate); break;
                    case 2: Pass<Constant2, TScales>(a, lda, panel + column, groups, column, sums, c + column, ldc, accumulate); break;
                    case 1: Pass<Constant1, TScales>(a, lda, panel + column, groups, column, sums, c + column, ldc, accumulate); break;
                    default: Pass<Constant6, TScales>(a, lda, panel + column, groups, column, sums, c + column, ldc, accumulate); break;
                }
            sums += MicroKernel.Rows * groups.SumStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Pass<TRows, TScales>(
        float* a, nint lda, float* panel, in PanelGroups groups, int column, float* sums, float* c, nint ldc, bool accumulate)
        where TRows : struct, IConstant
        where TScales : struct, IConstant
    {
        nint sumStride = groups.SumStride, groupSize = groups.GroupSize;
        float* a3 = a + 3 * lda, last = a + groups.Channels, scales = groups.Scales + column;
        do
        {
            TFloat c00 = TLanes.Zero, c01 = TLanes.Zero, c02 = TLanes.Zero, c03 = TLanes.Zero;
            TFloat c10 = TLanes.Zero, c11 = TLanes.Zero, c12 = TLanes.Zero, c13 = TLanes.Zero;
            TFloat c20 = TLanes.Zero, c21 = TLanes.Zero, c22 = TLanes.Zero, c23 = TLanes.Zero;
            TFloat c30 = TLanes.Zero, c31 = TLanes.Zero, c32 = TLanes.Zero, c33 = TLanes.Zero;
            TFloat c40 = TLanes.Zero, c41 = TLanes.Zero, c42 = TLanes.Zero, c43 = TLanes.Zero;
            TFloat c50 = TLanes.Zero, c51 = TLanes.Zero, c52 = TLanes.Zero, c53 = TLanes.Zero;
            for (var end = a + groupSize; a < end; a++, a3++, panel += MicroKernel.Columns)
            {
                var (b0, b1) = (TLanes.Load(panel), TLanes.Load(panel + Width));
                var (b2, b3) = HasFour ? (TLanes.Load(panel + 2 * Width), TLanes.Load(panel + 3 * Width)) : (b0, b1);
                Step(a[0], b0, b1, b2, b3, ref c00, ref c01, ref c02, ref c03);
                if (TRows.Value > 1) Step(a[lda], b0, b1, b2, b3, ref c10, ref c11, ref c12, ref c13);
                if (TRows.Value > 2) Step(a[2 * lda], b0, b1, b2, b3, ref c20, ref c21, ref c22, ref c23);
                if (TRows.Value > 3) Step(a3[0], b0, b1, b2, b3, ref c30, ref c31, ref c32, ref c33);
                if (TRows.Value > 4) Step(a3[lda], b0, b1, b2, b3, ref c40, ref c41, ref c42, ref c43);
                if (TRows.Value > 5) Step(a3[2 * lda], b0, b1, b2, b3, ref c50, ref c51, ref c52, ref c53);
            }
            if (TScales.Value == 0)
            {
                Store(c, c00, c01, c02, c03, accumulate);
                if (TRows.Value > 1) Store(c + ldc, c10, c11, c12, c13, accumulate);
                if (TRows.Value > 2) Store(c + 2 * ldc, c20, c21, c22, c23, accumulate);
                if (TRows.Value > 3) Store(c + 3 * ldc, c30, c31, c32, c33, accumulate);
                if (TRows.Value > 4) Store(c + 4 * ldc, c40, c41, c42, c43, accumulate);
                if (TRows.Value > 5) Store(c + 5 * ldc, c50, c51, c52, c53, accumulate);
                return;
            }
            Finish(c, scales, sums[0], c00, c01, c02, c03, accumulate);
            if (TRows.Value > 1) Finish(c + ldc, scales, sums[sumStride], c10, c11, c12, c13, accumulate);
            if (TRows.Value > 2) Finish(c + 2 * ldc, scales, sums[2 * sumStride], c20, c21, c22, c23, accumulate);
            if (TRows.Value > 3) Finish(c + 3 * ldc, scales, sums[3 * sumStride], c30, c31, c32, c33, accumulate);
            if (TRows.Value > 4) Finish(c + 4 * ldc, scales, sums[4 * sumStride], c40, c41, c42, c43, accumulate);
            if (TRows.Value > 5) Finish(c + 5 * ldc, scales, sums[5 * sumStride], c50, c51, c52, c53, accumulate);
            scales += PanelGroups.ScaleFloats;
            sums++;
            accumulate = true;
        }
        while (a < last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(
        float a, TFloat b0, TFloat b1, TFloat b2, TFloat b3, ref TFloat c0, ref TFloat c1, ref TFloat c2, ref TFloat c3)
    {
        var x = TLanes.Broadcast(a);
        c0 = TLanes.MultiplyAdd(x, b0, c0);
        c1 = TLanes.MultiplyAdd(x, b1, c1);
        if (!HasFour) return;
        c2 = TLanes.MultiplyAdd(x, b2, c2);
        c3 = TLanes.MultiplyAdd(x, b3, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, TFloat v0, TFloat v1, TFloat v2, TFloat v3, bool accumulate)
    {
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(c), v0) : v0, c);
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(c + Width), v1) : v1, c + Width);
        if (!HasFour) return;
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(c + 2 * Width), v2) : v2, c + 2 * Width);
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(c + 3 * Width), v3) : v3, c + 3 * Width);
    }

    // c = or += the sums of a group: codes' by its scales, and x's by its offsets.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* c, float* scales, float sum, TFloat v0, TFloat v1, TFloat v2, TFloat v3, bool accumulate)
    {
        var x = TLanes.Broadcast(sum);
        Finish(c, scales, x, v0, accumulate);
        Finish(c + Width, scales + Width, x, v1, accumulate);
        if (!HasFour) return;
        Finish(c + 2 * Width, scales + 2 * Width, x, v2, accumulate);
        Finish(c + 3 * Width, scales + 3 * Width, x, v3, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* c, float* scale, TFloat x, TFloat sum, bool accumulate)
    {
        var before = accumulate ? TLanes.Load(c) : TLanes.Zero;
        TLanes.Store(
            TLanes.MultiplyAdd(TLanes.Load(scale + MicroKernel.Columns), x, TLanes.MultiplyAdd(TLanes.Load(scale), sum, before)), c);
    }
}

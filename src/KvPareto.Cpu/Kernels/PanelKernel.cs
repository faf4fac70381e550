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
    public static void Multiply(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate)
    {
        var step = Width * (HasFour ? 4 : 2);
        for (; rows > 0; rows -= MicroKernel.Rows, a += MicroKernel.Rows * lda, c += MicroKernel.Rows * ldc)
            for (var column = 0; column < MicroKernel.Columns; column += step)
                Pass(a, lda, Math.Min(rows, MicroKernel.Rows), panel + column, channels, c + column, ldc, accumulate);
    }

    private static void Pass(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate)
    {
        switch (rows)
        {
            case 6: Multiply<Constant6>(a, lda, panel, channels, c, ldc, accumulate); break;
            case 5: Multiply<Constant5>(a, lda, panel, channels, c, ldc, accumulate); break;
            case 4: Multiply<Constant4>(a, lda, panel, channels, c, ldc, accumulate); break;
            case 3: Multiply<Constant3>(a, lda, panel, channels, c, ldc, accumulate); break;
            case 2: Multiply<Constant2>(a, lda, panel, channels, c, ldc, accumulate); break;
            case 1: Multiply<Constant1>(a, lda, panel, channels, c, ldc, accumulate); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Multiply<TRows>(float* a, nint lda, float* panel, nint channels, float* c, nint ldc, bool accumulate)
        where TRows : struct, IConstant
    {
        var zero = TLanes.Zero;
        TFloat c00 = zero, c01 = zero, c02 = zero, c03 = zero;
        TFloat c10 = zero, c11 = zero, c12 = zero, c13 = zero;
        TFloat c20 = zero, c21 = zero, c22 = zero, c23 = zero;
        TFloat c30 = zero, c31 = zero, c32 = zero, c33 = zero;
        TFloat c40 = zero, c41 = zero, c42 = zero, c43 = zero;
        TFloat c50 = zero, c51 = zero, c52 = zero, c53 = zero;
        float* a3 = a + 3 * lda, end = a + channels;
        for (; a < end; a++, a3++, panel += MicroKernel.Columns)
        {
            var (b0, b1) = (TLanes.Load(panel), TLanes.Load(panel + Width));
            var (b2, b3) = HasFour ? (TLanes.Load(panel + 2 * Width), TLanes.Load(panel + 3 * Width)) : (zero, zero);
            Step(a[0], b0, b1, b2, b3, ref c00, ref c01, ref c02, ref c03);
            if (TRows.Value > 1) Step(a[lda], b0, b1, b2, b3, ref c10, ref c11, ref c12, ref c13);
            if (TRows.Value > 2) Step(a[2 * lda], b0, b1, b2, b3, ref c20, ref c21, ref c22, ref c23);
            if (TRows.Value > 3) Step(a3[0], b0, b1, b2, b3, ref c30, ref c31, ref c32, ref c33);
            if (TRows.Value > 4) Step(a3[lda], b0, b1, b2, b3, ref c40, ref c41, ref c42, ref c43);
            if (TRows.Value > 5) Step(a3[2 * lda], b0, b1, b2, b3, ref c50, ref c51, ref c52, ref c53);
        }
        Store(c, c00, c01, c02, c03, accumulate);
        if (TRows.Value > 1) Store(c + ldc, c10, c11, c12, c13, accumulate);
        if (TRows.Value > 2) Store(c + 2 * ldc, c20, c21, c22, c23, accumulate);
        if (TRows.Value > 3) Store(c + 3 * ldc, c30, c31, c32, c33, accumulate);
        if (TRows.Value > 4) Store(c + 4 * ldc, c40, c41, c42, c43, accumulate);
        if (TRows.Value > 5) Store(c + 5 * ldc, c50, c51, c52, c53, accumulate);
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
}

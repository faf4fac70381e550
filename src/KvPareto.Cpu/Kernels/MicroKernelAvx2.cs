using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// <see cref="MicroKernel"/> with 256-bit vectors: six rows by two vectors stay in 12 of the 16 registers, so a panel is taken in
/// four passes of 16 columns. One body serves one to six rows.
/// </summary>
internal static unsafe class MicroKernelAvx2
{
    private const int MaxRows = 6;
    private const int PassColumns = 16;

    /// <inheritdoc cref="MicroKernel.Multiply(float*, nint, int, float*, int, float*, nint, bool)"/>
    public static void Multiply(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate)
    {
        for (; rows > 0; rows -= MaxRows, a += MaxRows * lda, c += MaxRows * ldc)
            for (var column = 0; column < MicroKernel.Columns; column += PassColumns)
                Pass(a, lda, Math.Min(rows, MaxRows), panel + column, channels, c + column, ldc, accumulate);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows>(float* a, nint lda, float* panel, nint channels, float* c, nint ldc, bool accumulate)
        where TRows : struct, IConstant
    {
        var zero = Vector256<float>.Zero;
        Vector256<float> c00 = zero, c01 = zero;
        Vector256<float> c10 = zero, c11 = zero;
        Vector256<float> c20 = zero, c21 = zero;
        Vector256<float> c30 = zero, c31 = zero;
        Vector256<float> c40 = zero, c41 = zero;
        Vector256<float> c50 = zero, c51 = zero;
        float* a3 = a + 3 * lda, end = a + channels;
        for (; a < end; a++, a3++, panel += MicroKernel.Columns)
        {
            var (b0, b1) = (Vector256.Load(panel), Vector256.Load(panel + 8));
            var x0 = Vector256.Create(a[0]);
            c00 = Fma.MultiplyAdd(x0, b0, c00);
            c01 = Fma.MultiplyAdd(x0, b1, c01);
            if (TRows.Value > 1)
            {
                var x = Vector256.Create(a[lda]);
                c10 = Fma.MultiplyAdd(x, b0, c10);
                c11 = Fma.MultiplyAdd(x, b1, c11);
            }
            if (TRows.Value > 2)
            {
                var x = Vector256.Create(a[2 * lda]);
                c20 = Fma.MultiplyAdd(x, b0, c20);
                c21 = Fma.MultiplyAdd(x, b1, c21);
            }
            if (TRows.Value > 3)
            {
                var x = Vector256.Create(a3[0]);
                c30 = Fma.MultiplyAdd(x, b0, c30);
                c31 = Fma.MultiplyAdd(x, b1, c31);
            }
            if (TRows.Value > 4)
            {
                var x = Vector256.Create(a3[lda]);
                c40 = Fma.MultiplyAdd(x, b0, c40);
                c41 = Fma.MultiplyAdd(x, b1, c41);
            }
            if (TRows.Value > 5)
            {
                var x = Vector256.Create(a3[2 * lda]);
                c50 = Fma.MultiplyAdd(x, b0, c50);
                c51 = Fma.MultiplyAdd(x, b1, c51);
            }
        }
        Store(c, c00, c01, accumulate);
        if (TRows.Value > 1) Store(c + ldc, c10, c11, accumulate);
        if (TRows.Value > 2) Store(c + 2 * ldc, c20, c21, accumulate);
        if (TRows.Value > 3) Store(c + 3 * ldc, c30, c31, accumulate);
        if (TRows.Value > 4) Store(c + 4 * ldc, c40, c41, accumulate);
        if (TRows.Value > 5) Store(c + 5 * ldc, c50, c51, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector256<float> v0, Vector256<float> v1, bool accumulate)
    {
        if (accumulate)
        {
            v0 = Vector256.Load(c) + v0;
            v1 = Vector256.Load(c + 8) + v1;
        }
        v0.Store(c);
        v1.Store(c + 8);
    }
}

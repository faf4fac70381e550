using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// <see cref="MicroKernel"/> with 512-bit vectors: six rows by four vectors stay in 24 registers over all channels, each channel
/// four loads of the panel and six broadcasts. One body serves one to six rows.
/// </summary>
internal static unsafe class MicroKernelAvx512
{
    private const int MaxRows = 6;

    /// <inheritdoc cref="MicroKernel.Multiply(float*, nint, int, float*, int, float*, nint, bool)"/>
    public static void Multiply(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate)
    {
        for (; rows >= MaxRows; rows -= MaxRows, a += MaxRows * lda, c += MaxRows * ldc)
            Multiply<Constant6>(a, lda, panel, channels, c, ldc, accumulate);
        switch (rows)
        {
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
        var zero = Vector512<float>.Zero;
        Vector512<float> c00 = zero, c01 = zero, c02 = zero, c03 = zero;
        Vector512<float> c10 = zero, c11 = zero, c12 = zero, c13 = zero;
        Vector512<float> c20 = zero, c21 = zero, c22 = zero, c23 = zero;
        Vector512<float> c30 = zero, c31 = zero, c32 = zero, c33 = zero;
        Vector512<float> c40 = zero, c41 = zero, c42 = zero, c43 = zero;
        Vector512<float> c50 = zero, c51 = zero, c52 = zero, c53 = zero;
        float* a3 = a + 3 * lda, end = a + channels;
        for (; a < end; a++, a3++, panel += MicroKernel.Columns)
        {
            var (b0, b1, b2, b3) =
                (Vector512.Load(panel), Vector512.Load(panel + 16), Vector512.Load(panel + 32), Vector512.Load(panel + 48));
            var x0 = Vector512.Create(a[0]);
            c00 = Avx512F.FusedMultiplyAdd(x0, b0, c00);
            c01 = Avx512F.FusedMultiplyAdd(x0, b1, c01);
            c02 = Avx512F.FusedMultiplyAdd(x0, b2, c02);
            c03 = Avx512F.FusedMultiplyAdd(x0, b3, c03);
            if (TRows.Value > 1)
            {
                var x = Vector512.Create(a[lda]);
                c10 = Avx512F.FusedMultiplyAdd(x, b0, c10);
                c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
                c12 = Avx512F.FusedMultiplyAdd(x, b2, c12);
                c13 = Avx512F.FusedMultiplyAdd(x, b3, c13);
            }
            if (TRows.Value > 2)
            {
                var x = Vector512.Create(a[2 * lda]);
                c20 = Avx512F.FusedMultiplyAdd(x, b0, c20);
                c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
                c22 = Avx512F.FusedMultiplyAdd(x, b2, c22);
                c23 = Avx512F.FusedMultiplyAdd(x, b3, c23);
            }
            if (TRows.Value > 3)
            {
                var x = Vector512.Create(a3[0]);
                c30 = Avx512F.FusedMultiplyAdd(x, b0, c30);
                c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
                c32 = Avx512F.FusedMultiplyAdd(x, b2, c32);
                c33 = Avx512F.FusedMultiplyAdd(x, b3, c33);
            }
            if (TRows.Value > 4)
            {
                var x = Vector512.Create(a3[lda]);
                c40 = Avx512F.FusedMultiplyAdd(x, b0, c40);
                c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
                c42 = Avx512F.FusedMultiplyAdd(x, b2, c42);
                c43 = Avx512F.FusedMultiplyAdd(x, b3, c43);
            }
            if (TRows.Value > 5)
            {
                var x = Vector512.Create(a3[2 * lda]);
                c50 = Avx512F.FusedMultiplyAdd(x, b0, c50);
                c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
                c52 = Avx512F.FusedMultiplyAdd(x, b2, c52);
                c53 = Avx512F.FusedMultiplyAdd(x, b3, c53);
            }
        }
        Store(c, c00, c01, c02, c03, accumulate);
        if (TRows.Value > 1) Store(c + ldc, c10, c11, c12, c13, accumulate);
        if (TRows.Value > 2) Store(c + 2 * ldc, c20, c21, c22, c23, accumulate);
        if (TRows.Value > 3) Store(c + 3 * ldc, c30, c31, c32, c33, accumulate);
        if (TRows.Value > 4) Store(c + 4 * ldc, c40, c41, c42, c43, accumulate);
        if (TRows.Value > 5) Store(c + 5 * ldc, c50, c51, c52, c53, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3, bool accumulate)
    {
        if (accumulate)
        {
            v0 = Vector512.Load(c) + v0;
            v1 = Vector512.Load(c + 16) + v1;
            v2 = Vector512.Load(c + 32) + v2;
            v3 = Vector512.Load(c + 48) + v3;
        }
        v0.Store(c);
        v1.Store(c + 16);
        v2.Store(c + 32);
        v3.Store(c + 48);
    }
}

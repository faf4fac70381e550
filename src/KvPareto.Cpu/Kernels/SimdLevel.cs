using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>Which twin of a kernel runs. All twins of the linear kernels give the same bits.</summary>
internal enum SimdLevel
{
    /// <summary>The reference: plain loops.</summary>
    Scalar,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,

    /// <summary>512-bit vectors.</summary>
    Avx512,
}

/// <summary>What this machine has.</summary>
internal static class Simd
{
    /// <summary>The widest level that is present and not slower than the next.</summary>
    public static readonly SimdLevel Best =
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? SimdLevel.Avx512
        : Avx2.IsSupported && Fma.IsSupported ? SimdLevel.Avx2
        : SimdLevel.Scalar;
}

using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>A weight and where x·wᵀ + b goes.</summary>
/// <param name="weight">w [N, K], with its bias.</param>
/// <param name="y">[rows, N] f32, apart from x and from what else x is multiplied into.</param>
/// <param name="yStride">Elements from one row of y to the next.</param>
internal readonly unsafe struct LinearProduct(CpuWeight weight, float* y, nint yStride)
{
    public CpuWeight Weight { get; } = weight;

    public float* Y { get; } = y;

    public nint YStride { get; } = yStride;
}

/// <summary>Those that are shared among workers together, or some of them.</summary>
[InlineArray(LinearKernel.MostTogether)]
internal struct LinearProducts
{
    private LinearProduct _first;
}

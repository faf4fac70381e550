namespace KvPareto.Cpu.Kernels;

/// <summary>A vector width that kernels are compiled for; its number is that of f32 lanes.</summary>
internal enum SimdLevel
{
    /// <summary>Plain arithmetic: what runs everywhere.</summary>
    Scalar = 1,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2 = 8,

    /// <summary>512-bit vectors.</summary>
    Avx512 = 16,
}

/// <summary>What this machine has.</summary>
internal static class Simd
{
    /// <summary>The widest level.</summary>
    public static readonly SimdLevel Best =
        Lanes16.IsSupported ? SimdLevel.Avx512 : Lanes8.IsSupported ? SimdLevel.Avx2 : SimdLevel.Scalar;

    /// <summary>All levels, widest first.</summary>
    public static IEnumerable<SimdLevel> Supported =>
        new[] { SimdLevel.Avx512, SimdLevel.Avx2, SimdLevel.Scalar }.Where(level => level <= Best);

    /// <summary>The widest, up to <paramref name="limit"/>, whose lanes fit a layout; one lane always does.</summary>
    public static SimdLevel WidestThat(SimdLevel? limit, Func<int, bool> fits) =>
        Supported.First(level => level <= (limit ?? Best) && (level == SimdLevel.Scalar || fits((int)level)));
}

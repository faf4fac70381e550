namespace KvPareto.Cpu.Kernels;

/// <summary>Rows that strips are multiplied with.</summary>
/// <param name="x">[rows, K].</param>
/// <param name="stride">From one row to the next.</param>
/// <param name="sums">Of codes in groups, their sums over each [rows, groups]; null else.</param>
/// <param name="sumStride">From one row of them to the next.</param>
internal readonly unsafe struct StripInputs(float* x, nint stride, float* sums, nint sumStride)
{
    public readonly float* X = x;
    public readonly nint Stride = stride;
    public readonly float* Sums = sums;
    public readonly nint SumStride = sumStride;

    /// <summary>Those from <paramref name="row"/> on.</summary>
    public StripInputs From(nint row) => new(X + row * Stride, Stride, Sums + row * SumStride, SumStride);
}

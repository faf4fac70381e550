namespace KvPareto.Cpu.Kernels;

/// <summary>The inner product of every dense multiplication: a few rows of a times a packed panel of 64 columns.</summary>
internal static unsafe class MicroKernel
{
    /// <summary>Columns of a panel, and floats from one of its rows to the next.</summary>
    public const int Columns = 64;

    /// <summary>Rows of a that a pass over the panel takes.</summary>
    public const int Rows = 6;

    private static readonly delegate*<float*, nint, int, float*, int, float*, nint, bool, void> Best = KernelTable.Of().MultiplyPanel;

    /// <summary>
    /// c [rows, 64] = a · panel, or += where <paramref name="accumulate"/> is set: one fused chain over the channels per element,
    /// then one addition.
    /// </summary>
    /// <param name="a">[rows, channels], row-major.</param>
    /// <param name="lda">Elements from one row of a to the next.</param>
    /// <param name="rows">Rows, 0 or more.</param>
    /// <param name="panel">[channels, 64].</param>
    /// <param name="channels">Length of the sums.</param>
    /// <param name="c">[rows, 64]; all 64 columns are written.</param>
    /// <param name="ldc">Elements from one row of c to the next.</param>
    /// <param name="accumulate">Whether c's old value is added.</param>
    public static void Multiply(float* a, nint lda, int rows, float* panel, int channels, float* c, nint ldc, bool accumulate) =>
        Best(a, lda, rows, panel, channels, c, ldc, accumulate);
}

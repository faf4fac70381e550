namespace KvPareto.Cpu.Kernels;

/// <summary>Exponentials of score rows, at the widest vectors there are.</summary>
internal static unsafe class Softmax
{
    private static readonly delegate*<float*, int, float> BestMax = KernelTable.Of().Max;
    private static readonly delegate*<float*, int, float, float> BestExp = KernelTable.Of().Exp;

    /// <summary>Largest of <paramref name="count"/> scores.</summary>
    public static float Max(float* row, int count) => BestMax(row, count);

    /// <summary>row[i] = exp(row[i] − <paramref name="max"/>), and their sum. NaN stays NaN.</summary>
    public static float Exp(float* row, int count, float max) => BestExp(row, count, max);
}

using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>A norm between two products of many rows that neither of them leaves to a launch of its own: the one before puts what it adds
/// to, times the gains, where the inputs of the next are, and sums of squares beside; the one after divides its results by the root of
/// their mean.</summary>
/// <param name="Gain">[N] f32, where the norm comes next; else 0.</param>
/// <param name="Squares">[N / 64, 256] f32: sums of squares; 0 where there is no norm.</param>
/// <param name="Normed">[T, N] bf16.</param>
/// <param name="Epsilon">Added to the mean.</param>
/// <param name="ScratchBytes">What is left of the scratch, at whose end the squares are.</param>
/// <param name="Fits">Whether its shape is one that kernels take.</param>
internal readonly record struct ManyNorm(nint Gain, nint Squares, Matrix Normed, float Epsilon, long ScratchBytes, bool Fits)
{
    private const int MostRows = 256; // many.cuh, NORMED_ROWS
    private const int Squared = 64;   // many.cuh, SQUARED
    private const int Alignment = 256;

    /// <summary>Of a product before a norm.</summary>
    /// <param name="gain">Gains.</param>
    /// <param name="normed">Where the norm's inputs are prepared.</param>
    /// <param name="scratch">Scratch of products.</param>
    public static ManyNorm Before(nint gain, Tensor normed, ProductScratch scratch)
    {
        var left = Left(normed.ColumnCount, scratch);
        var fits = normed.RowCount <= MostRows && normed.ColumnCount % Squared == 0 && normed.Type == DType.BF16
            && normed.Address % sizeof(uint) == 0 && normed.RowStride % 2 == 0 && left > 0;
        return new(gain, scratch.Address + (nint)left, normed, 0, left, fits);
    }

    /// <summary>Of one after it.</summary>
    /// <param name="epsilon">Epsilon.</param>
    /// <param name="normed">Its inputs.</param>
    /// <param name="scratch">Scratch of products.</param>
    public static ManyNorm After(float epsilon, Tensor normed, ProductScratch scratch)
    {
        var left = Left(normed.ColumnCount, scratch);
        return new(0, scratch.Address + (nint)left, normed, epsilon, left, true);
    }

    private static long Left(int columns, ProductScratch scratch) =>
        (scratch.ByteCount - (long)columns / Squared * MostRows * sizeof(float)) / Alignment * Alignment;
}

using KvPareto.Cpu.Storage;

namespace KvPareto.Cpu.Attention;

/// <summary>A worker's scratch during prefill.</summary>
internal readonly unsafe struct PrefillTile(float* memory, int rows, int headDim, int paddedHeadDim)
{
    private const int Block = CpuWorkspace.BlockTokens;

    /// <summary>[D, 64], or one panel of values.</summary>
    public float* KeyPanel { get; } = memory;

    /// <summary>[64, padded D].</summary>
    public float* ValueRows { get; } = memory + Math.Max(headDim, Block) * Block;

    /// <summary>[rows, D], scaled.</summary>
    public float* Queries { get; } = memory + (Math.Max(headDim, Block) + paddedHeadDim) * Block;

    /// <summary>[rows, D]; see <see cref="PositionTurns.Queries"/>.</summary>
    public float* BiasQueries => Queries + rows * headDim;

    /// <summary>[rows, padded D].</summary>
    public float* Output => BiasQueries + rows * headDim;

    /// <summary>[rows, 64].</summary>
    public float* Scores => Output + rows * paddedHeadDim;

    /// <summary>[rows].</summary>
    public float* Maxima => Scores + rows * Block;

    /// <summary>[rows].</summary>
    public float* Totals => Maxima + rows;

    /// <summary>Floats that it takes.</summary>
    public static int Floats(int rows, int headDim, int paddedHeadDim) =>
        (Math.Max(headDim, Block) + paddedHeadDim) * Block + rows * (2 * headDim + paddedHeadDim + Block + 2);
}

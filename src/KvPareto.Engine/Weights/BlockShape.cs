namespace KvPareto.Engine.Weights;

/// <summary>Elements and bytes of the blocks that a row-major weight consists of; unpacked elements are blocks of one.</summary>
/// <param name="Elements">Neighbouring input channels of one output row.</param>
/// <param name="ByteCount">Bytes of one block.</param>
internal readonly record struct BlockShape(int Elements, int ByteCount)
{
    /// <summary>True for ggml's block formats.</summary>
    public static bool IsBlocks(WeightFormat format) => format >= WeightFormat.Q40;

    /// <summary>The shape of a format's blocks (<c>ggml-common.h</c>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format keeps its scales apart from its codes.</exception>
    public static BlockShape Of(WeightFormat format) => format switch
    {
        WeightFormat.F32 => new(1, 4),
        WeightFormat.F16 or WeightFormat.BF16 => new(1, 2),
        WeightFormat.Q40 => new(32, 18),
        WeightFormat.Q41 => new(32, 20),
        WeightFormat.Q50 => new(32, 22),
        WeightFormat.Q51 => new(32, 24),
        WeightFormat.Q80 => new(32, 34),
        WeightFormat.Q4K => new(256, 144),
        WeightFormat.Q5K => new(256, 176),
        WeightFormat.Q6K => new(256, 210),
        WeightFormat.Q2K => new(256, 84),
        WeightFormat.Q3K => new(256, 110),
        WeightFormat.IQ4NL => new(32, 18),
        WeightFormat.IQ4XS => new(256, 136),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "has no blocks"),
    };

    /// <summary>Bytes of a row of <paramref name="columns"/> elements, a multiple of <see cref="Elements"/>.</summary>
    public long RowBytes(long columns) => columns / Elements * ByteCount;
}

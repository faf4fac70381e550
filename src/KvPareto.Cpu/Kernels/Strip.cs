using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Layout of a matrix w [N, K] in CPU memory: strips of 32 output rows, each channel-major, so that a vector lane is an output
/// row: products need no sums across lanes, x is broadcast from where it lies, and a strip streams from its first byte to its last.
/// A strip is a sequence of lines. A line of 16-bit elements is one channel, 64 bytes: dword j holds row j (low half) and row 16 + j
/// (high half), which one shift and one mask turn into two vectors in row order. A line of f32 is one channel in row order, 128
/// bytes. Codes have for each group a line for every four (W4) or two (W8) channels and then two lines of 16 <see cref="GroupMeta"/>:
/// code i of dword j is row j + 16·(i mod 2) of channel i/2, as it is stored, q − qmin.
/// Channels are summed in blocks of 256. The lines of two whole blocks alternate, so that a product can work on both at once and
/// still read one stream; a last block without a partner lies alone. The rows that N lacks are zero. ggml's blocks lie one after the
/// other (<see cref="IBlockFormat"/>).
/// </summary>
internal static unsafe class Strip
{
    /// <summary>Output rows of a strip.</summary>
    public const int Rows = 32;

    /// <summary>Rows whose elements share words with those of the other half.</summary>
    public const int HalfRows = Rows / 2;

    /// <summary>
    /// Channels of a block. Every kernel sums a block with one fused chain per output and then adds the blocks in order; of codes in
    /// groups it does so group by group. Whatever the number of tokens, workers or lanes: the result depends on nothing but x and w.
    /// </summary>
    public const int BlockChannels = 256;

    /// <summary>Lines of the 32 scales and zero points of a group of codes.</summary>
    public const int MetaLines = 2;

    /// <summary>Strips of a matrix with <paramref name="rows"/> output rows.</summary>
    public static int Count(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>Bytes of a line.</summary>
    public static int LineBytes(WeightFormat format) => Rows * (format == WeightFormat.F32 ? sizeof(float) : CodeFormats.RowBits / 8);

    /// <summary>Lines that <paramref name="channels"/> channels take.</summary>
    public static int Lines(WeightFormat format, int channels, int groupSize) =>
        format.CodeBits() is > 0 and var bits ? channels / groupSize * (MetaLines + groupSize * bits / CodeFormats.RowBits) : channels;

    /// <summary>Bytes of one strip of <paramref name="columns"/> channels.</summary>
    public static long ByteSize(WeightFormat format, int columns, int groupSize) => BlockShape.IsBlocks(format)
        ? BlockShape.Of(format).RowBytes(columns) * Rows
        : (long)Lines(format, columns, groupSize) * LineBytes(format);

    /// <summary>Scale and zero point of row <paramref name="row"/> (0 … 31) among those of a group at <paramref name="lines"/>.</summary>
    public static GroupMeta* Meta(byte* lines, nint stride, int row) => (GroupMeta*)(lines + row / HalfRows * stride) + row % HalfRows;

    /// <summary>The signed code of channel <paramref name="channel"/> of a line of codes, row 0 … 31.</summary>
    public static int Code<TCodes>(byte* line, int channel, int row) where TCodes : struct, ICodeFormat =>
        (int)(((uint*)line)[row % HalfRows] >> TCodes.Bits * (2 * channel + row / HalfRows) & ((1u << TCodes.Bits) - 1))
            + GroupCodec.MinCode(TCodes.Bits);
}

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>
/// Layout of a matrix w [N, K] in CPU memory: strips of 32 output rows, each channel-major, so that a vector lane is an output
/// row: products need no sums across lanes, x is broadcast from where it lies, and a strip streams from its first byte to its last.
/// A strip of 16-bit elements has 64 bytes a channel: dword j holds row j (low half) and row 16 + j (high half), which one shift
/// and one mask turn into two vectors in row order. An f32 strip has 128 bytes a channel, in row order.
/// A W4 strip has for each group 32 <see cref="Cache.GroupMeta"/> and then 64 bytes for every four channels: nibble i of dword j
/// is row j + 16·(i mod 2) of channel i/2, as the two's complement of the signed code. The rows that N lacks are zero.
/// </summary>
internal static class Strip
{
    /// <summary>Output rows of a strip.</summary>
    public const int Rows = 32;

    /// <summary>
    /// Channels of a block. Every kernel sums a block with one fused chain per output and then adds the blocks in order, whatever
    /// the number of tokens, workers or lanes: the result depends on nothing but x and w.
    /// </summary>
    public const int BlockChannels = 256;

    /// <summary>Channels that a line of W4 codes covers.</summary>
    public const int QuadChannels = 4;

    /// <summary>Bytes of the 32 scales and zero points of a W4 group.</summary>
    public const int MetaBytes = Rows * Cache.GroupMeta.ByteSize;

    /// <summary>Bytes of four channels' W4 codes.</summary>
    public const int QuadBytes = Rows * QuadChannels / 2;

    /// <summary>Strips of a matrix with <paramref name="rows"/> output rows.</summary>
    public static int Count(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>Bytes of a W4 group: its scales and zero points, then its codes.</summary>
    public static int GroupBytes(int groupSize) => MetaBytes + groupSize / QuadChannels * QuadBytes;

    /// <summary>Bytes of one strip of <paramref name="columns"/> channels.</summary>
    public static long ByteSize(WeightFormat format, int columns, int groupSize) => format switch
    {
        WeightFormat.F32 => (long)columns * Rows * 4,
        WeightFormat.W4 => (long)(columns / groupSize) * GroupBytes(groupSize),
        _ => (long)columns * Rows * 2,
    };
}

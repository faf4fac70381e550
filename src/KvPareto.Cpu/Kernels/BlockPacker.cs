using System.Runtime.CompilerServices;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>Brings a row's blocks into the order of strips (<see cref="IBlockFormat"/>), and decodes them from there.</summary>
/// <typeparam name="TFormat">Format of the blocks.</typeparam>
internal static unsafe class BlockPacker<TFormat> where TFormat : struct, IBlockFormat
{
    private const int LargestBlock = 256;
    private const int HalfRows = Strip.Rows / 2;
    private const int NibbleMask = 15;
    private const int Q6KScales = 192;
    private const int Q6KFactor = 208;

    private static int HalfBytes => TFormat.HasOffset ? 4 : 2;

    private static int TopBits => TFormat.CodeBits - 4;

    private static int CodesAt => TFormat.ScaleBytes * Strip.Rows;

    private static int TopsAt => CodesAt + TFormat.Elements * HalfRows;

    /// <summary>Adds the block of row <paramref name="row"/> to planes and lines that are zero there.</summary>
    public static void Pack(ReadOnlySpan<byte> block, byte* target, int row)
    {
        for (var at = 0; at < TFormat.ScaleBytes; at++)
            target[at < HalfBytes ? (at & ~1) * Strip.Rows + 2 * row + (at & 1) : at * Strip.Rows + row] = block[FileByte(at)];

        Span<byte> codes = stackalloc byte[LargestBlock];
        codes = codes[..TFormat.Elements];
        BlockCodec.Codes(TFormat.Format, block, codes);
        for (var i = 0; i < codes.Length; i++)
        {
            if (TFormat.CodeBits == 8)
            {
                target[CodesAt + i * Strip.Rows + row] = codes[i];
                continue;
            }
            *Nibbles(target, i, row) |= (uint)(codes[i] & NibbleMask) << NibblePlace(i, row);
            if (TopBits > 0) *Top(target, i, row) |= (uint)codes[i] >> 4 << TopPlace(i);
        }
    }

    /// <summary>Writes the elements of one row's block, exactly as <see cref="BlockCodec"/> has them.</summary>
    public static void Decode(byte* source, int row, Span<float> values)
    {
        for (var run = 0; run < TFormat.Elements / TFormat.RunLength; run++)
        {
            var (scale, offset) = TFormat.Run<Lanes1, float, int>(source, row, run);
            for (var i = run * TFormat.RunLength; i < (run + 1) * TFormat.RunLength; i++)
                values[i] = TFormat.HasOffset ? scale * Code(source, i, row) + offset : scale * Code(source, i, row);
        }
    }

    private static int Code(byte* source, int i, int row)
    {
        if (TFormat.CodeBits == 8) return (sbyte)source[CodesAt + i * Strip.Rows + row];
        var code = (int)(*Nibbles(source, i, row) >> NibblePlace(i, row)) & NibbleMask;
        if (TopBits > 0) code |= (int)(*Top(source, i, row) >> TopPlace(i) << 4) & ((1 << TFormat.CodeBits) - 1);
        return TFormat.HasOffset ? code : code - (1 << (TFormat.CodeBits - 1));
    }

    // Q6_K has its factor and scales at the end of the block.
    private static int FileByte(int at) => TFormat.Format != WeightFormat.Q6K ? at : at < HalfBytes ? Q6KFactor + at : Q6KScales + at - HalfBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint* Nibbles(byte* block, int i, int row) => (uint*)(block + CodesAt + i / 4 * 64) + row % HalfRows;

    private static int NibblePlace(int i, int row) => i % 4 * 8 + row / HalfRows * 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint* Top(byte* block, int i, int row) => (uint*)(block + TopsAt) + i * TopBits / 32 * Strip.Rows + row;

    private static int TopPlace(int i) => i * TopBits % 32;
}

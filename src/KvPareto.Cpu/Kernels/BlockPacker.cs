using System.Runtime.CompilerServices;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>Brings a row's blocks into the order of strips (<see cref="IBlockFormat"/>), and decodes them from there.</summary>
/// <typeparam name="TFormat">Format of the blocks.</typeparam>
internal static unsafe class BlockPacker<TFormat> where TFormat : struct, IBlockFormat
{
    private const int LargestBlock = 256;
    private const int HalfRows = Strip.HalfRows;
    private const int Q6KScales = 192;
    private const int Q6KFactor = 208;
    private const int Q2KFactors = 80;
    private const int Q3KScales = 96;
    private const int Q3KFactor = 108;

    private static int HalfBytes => TFormat.HasOffset || TFormat.Format == WeightFormat.IQ4XS ? 4 : 2;

    private static int LowBits => BlockLayout<TFormat>.LowBits;

    private static int LowMask => (1 << LowBits) - 1;

    private static int TopBits => BlockLayout<TFormat>.TopBits;

    private static int CodesAt => BlockLayout<TFormat>.CodesAt;

    private static int TopsAt => CodesAt + BlockLayout<TFormat>.LowBytes;

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
            Add(target, i, row, codes[i]);
        }
    }

    /// <summary>Writes the elements of one row's block, exactly as <see cref="BlockCodec"/> has them.</summary>
    public static void Decode(byte* source, int row, Span<float> values)
    {
        for (var subBlock = 0; subBlock < TFormat.Elements / TFormat.SubBlockLength; subBlock++)
        {
            var (scale, offset) = TFormat.SubBlock<Lanes1, float, int>(source, row, subBlock);
            for (var i = subBlock * TFormat.SubBlockLength; i < (subBlock + 1) * TFormat.SubBlockLength; i++)
                values[i] = TFormat.HasTable ? scale * BlockCodec.IQ4Values[Code(source, i, row)]
                    : TFormat.HasOffset ? scale * Code(source, i, row) + offset
                    : scale * Code(source, i, row);
        }
    }

    private static int Code(byte* source, int i, int row)
    {
        if (TFormat.CodeBits == 8) return (sbyte)source[CodesAt + i * Strip.Rows + row];
        var code = (int)Word(Low(source, i, row)) >> LowPlace(i, row) & LowMask;
        if (TopBits > 0) code |= ((int)Word(Top(source, i, row)) >> TopPlace(i) & ((1 << TopBits) - 1)) << LowBits;
        return TFormat.HasOffset || TFormat.HasTable ? code : code - (1 << (TFormat.CodeBits - 1));
    }

    private static void Add(byte* target, int i, int row, byte code)
    {
        Or(Low(target, i, row), (uint)(code & LowMask) << LowPlace(i, row));
        if (TopBits > 0) Or(Top(target, i, row), (uint)code >> LowBits << TopPlace(i));
    }

    // Q6_K, Q2_K and Q3_K have their factors, and the first its scales too, at the end of the block.
    private static int FileByte(int at) => TFormat.Format switch
    {
        WeightFormat.Q6K => at < HalfBytes ? Q6KFactor + at : Q6KScales + at - HalfBytes,
        WeightFormat.Q2K => at < HalfBytes ? Q2KFactors + at : at - HalfBytes,
        WeightFormat.Q3K => at < HalfBytes ? Q3KFactor + at : Q3KScales + at - HalfBytes,
        _ => at,
    };

    // What holds a row's bits is as many bytes as the low bits of a code, for the lines of low bits and for those above.
    private static uint Word(byte* at) => LowBits == 4 ? *(uint*)at : *(ushort*)at;

    private static void Or(byte* at, uint bits)
    {
        if (LowBits == 4) *(uint*)at |= bits;
        else *(ushort*)at |= (ushort)bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Low(byte* block, int i, int row) => block + CodesAt + (i / 4 * HalfRows + row % HalfRows) * LowBits;

    private static int LowPlace(int i, int row) => (i % 4 * 2 + row / HalfRows) * LowBits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Top(byte* block, int i, int row) => block + TopsAt + (i * TopBits / (8 * LowBits) * Strip.Rows + row) * LowBits;

    private static int TopPlace(int i) => i * TopBits % (8 * LowBits);
}

using KvPareto.Engine.Formats;

namespace KvPareto.Engine;

/// <summary>How a weight's elements are stored.</summary>
public enum WeightFormat
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>4-bit codes in groups of input channels of one output row (<see cref="Cache.GroupCodec"/>).</summary>
    W4,

    /// <summary>8-bit codes in groups, as <see cref="W4"/>.</summary>
    W8,

    /// <summary>ggml's Q4_0: 32 codes of 4 bits, f16 scale. A block of this and the next formats lies within one output row.</summary>
    Q40,

    /// <summary>ggml's Q4_1: 32 codes of 4 bits, f16 scale and minimum.</summary>
    Q41,

    /// <summary>ggml's Q5_0: 32 codes of 5 bits, f16 scale.</summary>
    Q50,

    /// <summary>ggml's Q5_1: 32 codes of 5 bits, f16 scale and minimum.</summary>
    Q51,

    /// <summary>ggml's Q8_0: 32 codes of 8 bits, f16 scale.</summary>
    Q80,

    /// <summary>ggml's Q4_K: 256 codes of 4 bits, eight 6-bit scales and minima, and f16 factors of both.</summary>
    Q4K,

    /// <summary>ggml's Q5_K: as <see cref="Q4K"/> with codes of 5 bits.</summary>
    Q5K,

    /// <summary>ggml's Q6_K: 256 codes of 6 bits, sixteen 8-bit scales and their f16 factor.</summary>
    Q6K,

    /// <summary>ggml's Q2_K: 256 codes of 2 bits, sixteen 4-bit scales and minima, and f16 factors of both.</summary>
    Q2K,

    /// <summary>ggml's Q3_K: 256 codes of 3 bits, sixteen 6-bit scales and their f16 factor.</summary>
    Q3K,

    /// <summary>ggml's IQ4_NL: 32 codes of 4 bits, each the index of one of sixteen values, f16 scale.</summary>
    IQ4NL,

    /// <summary>ggml's IQ4_XS: 256 codes as <see cref="IQ4NL"/>'s, eight 6-bit scales and their f16 factor.</summary>
    IQ4XS,
}

/// <summary>Facts about <see cref="WeightFormat"/>.</summary>
public static class WeightFormats
{
    /// <summary>Bits of a code of a format in groups; 0 for the others.</summary>
    public static int CodeBits(this WeightFormat format) => format switch { WeightFormat.W4 => 4, WeightFormat.W8 => 8, _ => 0 };

    /// <summary>The format whose codes have <paramref name="bits"/> bits, 4 or 8.</summary>
    public static WeightFormat OfCodes(int bits) => bits switch
    {
        4 => WeightFormat.W4,
        8 => WeightFormat.W8,
        _ => throw new ArgumentOutOfRangeException(nameof(bits)),
    };
}

/// <summary>A weight in backend memory, in whatever layout the backend multiplies fastest with.</summary>
/// <param name="name">The checkpoint's name of it, for messages.</param>
/// <param name="format">Stored element format.</param>
/// <param name="rows">Output channels N (1 for a vector).</param>
/// <param name="columns">Input channels K (the length of a vector).</param>
public abstract class Weight(string name, WeightFormat format, int rows, int columns) : IDisposable
{
    /// <summary>The checkpoint's name of it, for messages.</summary>
    public string Name { get; } = name;

    /// <summary>Stored element format.</summary>
    public WeightFormat Format { get; } = format;

    /// <summary>Output channels N (1 for a vector).</summary>
    public int RowCount { get; } = rows;

    /// <summary>Input channels K (the length of a vector).</summary>
    public int ColumnCount { get; } = columns;

    /// <summary>Bytes in backend memory: codes, scales, zero points and bias.</summary>
    public abstract long ByteCount { get; }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>
/// A weight in host memory on its way to <see cref="Backend.Upload"/>: row-major [N, K] elements, or packed codes with
/// one <see cref="Cache.GroupMeta"/> a group. <see cref="Data"/> points into memory that is valid until
/// <see cref="Dispose"/> of its owner.
/// </summary>
public sealed unsafe class HostWeight : IDisposable
{
    private readonly IDisposable? _staging;
    private readonly HostTensor? _tensor;
    private readonly byte* _data;

    /// <summary>Describes elements that lie at <paramref name="data"/>.</summary>
    /// <param name="name">The checkpoint's name.</param>
    /// <param name="format">Element format.</param>
    /// <param name="rows">N.</param>
    /// <param name="columns">K.</param>
    /// <param name="data">[N, K] elements, or the codes less their smallest value (<see cref="Cache.GroupCodec"/>): W4 [N, K/2] bytes, the even channel in the low nibble; W8 [N, K] bytes.</param>
    /// <param name="staging">Memory to give back with this object, if it has some of its own.</param>
    public HostWeight(string name, WeightFormat format, int rows, int columns, void* data, IDisposable? staging = null)
    {
        (Name, Format, RowCount, ColumnCount, _staging) = (name, format, rows, columns, staging);
        _data = (byte*)data;
    }

    /// <summary>Describes the elements of a matrix of a checkpoint, which are read when they are asked for.</summary>
    /// <param name="tensor">[N, K]; stays the caller's.</param>
    /// <param name="format">Element format.</param>
    internal HostWeight(HostTensor tensor, WeightFormat format) : this(tensor.Name, format, (int)tensor.Shape[0], (int)tensor.Shape[1], null) => _tensor = tensor;

    /// <summary>Does something with the rows from one on up to another, all that <paramref name="piece"/> has.</summary>
    /// <param name="piece">The weight, of which no other row may be looked at.</param>
    /// <param name="first">First row, a multiple of 32.</param>
    /// <param name="end">One past the last.</param>
    public delegate void PieceBody(HostWeight piece, int first, int end);

    /// <summary>The checkpoint's name.</summary>
    public string Name { get; }

    /// <summary>Element format.</summary>
    public WeightFormat Format { get; }

    /// <summary>Output channels N.</summary>
    public int RowCount { get; }

    /// <summary>Input channels K.</summary>
    public int ColumnCount { get; }

    /// <summary>First byte of the elements.</summary>
    public byte* Data => _tensor is null ? _data : _tensor.Data;

    /// <summary>Input channels of a group; 0 unless <see cref="Format"/> is packed.</summary>
    public int GroupSize { get; init; }

    /// <summary>Packed formats: one entry a group, [N, K/<see cref="GroupSize"/>].</summary>
    public Cache.GroupMeta* Groups { get; init; }

    /// <summary>Bias [N], or null.</summary>
    public float[]? Bias { get; init; }

    /// <summary>Goes over all rows piece by piece, so that a weight that lies in a file need not be in memory whole.</summary>
    public void ForPieces(PieceBody body)
    {
        if (_tensor is null) body(this, 0, RowCount);
        else _tensor.ForPieces((first, end, rows) => body(new(Name, Format, RowCount, ColumnCount, rows - first * RowBytes), first, end));
    }

    /// <summary>Writes a row of a format without <see cref="Groups"/> as f32 [K], exactly.</summary>
    public void DecodeRow(int row, Span<float> destination) =>
        Model.FloatRows.Widen(Data + row * RowBytes, Format, destination[..ColumnCount]);

    private long RowBytes => Format switch
    {
        WeightFormat.F32 => ColumnCount * 4L,
        WeightFormat.F16 or WeightFormat.BF16 => ColumnCount * 2L,
        _ => Formats.Gguf.BlockShape.Of(Format).RowBytes(ColumnCount),
    };

    /// <inheritdoc/>
    public void Dispose() => _staging?.Dispose();
}

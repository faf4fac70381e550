using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Seam;

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

    /// <summary>Bytes of rows of <paramref name="rowBytes"/>, of the groups' entries where they are codes, and of a bias in f32.</summary>
    protected static long BytesOf(long rowBytes, WeightFormat format, int rows, int columns, int group, bool hasBias) =>
        rows * rowBytes
        + (format.CodeBits() > 0 ? Cache.GroupMeta.BytesOf(rows, columns, group) : 0)
        + (hasBias ? (long)rows * sizeof(float) : 0);
}

/// <summary>
/// A weight in host memory on its way to <see cref="Backend.Upload"/>: row-major [N, K] elements, or packed codes with
/// one <see cref="Cache.GroupMeta"/> a group. <see cref="Data"/> points into memory that is valid until
/// <see cref="Dispose"/> of its owner.
/// </summary>
public sealed unsafe class HostWeight : IDisposable
{
    private readonly IDisposable? _staging;
    private HostRows? _rows;
    private readonly byte* _data;

    /// <summary>Describes elements that lie at <paramref name="data"/>.</summary>
    /// <param name="name">The checkpoint's name.</param>
    /// <param name="format">Element format.</param>
    /// <param name="rows">N.</param>
    /// <param name="columns">K.</param>
    /// <param name="data">[N, K] elements, or the codes less their smallest value (<see cref="Cache.GroupCodec"/>): W4 [N, K/2] bytes, the
    /// even channel in the low nibble; W8 [N, K] bytes.</param>
    /// <param name="staging">Memory to give back with this object, if it has some of its own.</param>
    public HostWeight(string name, WeightFormat format, int rows, int columns, void* data, IDisposable? staging = null)
    {
        (Name, Format, RowCount, ColumnCount, _staging) = (name, format, rows, columns, staging);
        _data = (byte*)data;
    }

    /// <summary>Describes the elements of a matrix of a checkpoint, which are read when they are asked for.</summary>
    /// <param name="name">The checkpoint's name.</param>
    /// <param name="format">Element format, of those whose rows carry all that belongs to them.</param>
    /// <param name="rows">N.</param>
    /// <param name="columns">K.</param>
    /// <param name="source">[N, K]; stays the caller's.</param>
    /// <param name="bias">[N], or null.</param>
    public static HostWeight OfRows(string name, WeightFormat format, int rows, int columns, HostRows source, float[]? bias) =>
        new(name, format, rows, columns, (void*)null) { _rows = source, Bias = bias };

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
    public byte* Data => _rows is null ? _data : _rows.Data;

    /// <summary>Input channels of a group; 0 unless <see cref="Format"/> is packed.</summary>
    public int GroupSize { get; init; }

    /// <summary>Packed formats: one entry a group, [N, K/<see cref="GroupSize"/>].</summary>
    public Cache.GroupMeta* Groups { get; init; }

    /// <summary>Bias [N], or null.</summary>
    public float[]? Bias { get; init; }

    /// <summary>Goes over all rows piece by piece, so that a weight that lies in a file need not be in memory whole.</summary>
    public void ForPieces(PieceBody body)
    {
        if (_rows is null) body(this, 0, RowCount);
        else _rows.ForPieces((first, end, rows) => body(new(Name, Format, RowCount, ColumnCount, rows - first * RowBytes), first, end));
    }

    /// <summary>Writes as many rows as <paramref name="destination"/> [rows, K] holds as f32, exactly; of a format without
    /// <see cref="Groups"/>.</summary>
    public void DecodeRows(int first, Span<float> destination) => FloatRows.Widen(Data + first * RowBytes, Format, destination);

    private long RowBytes => BlockShape.Of(Format).RowBytes(ColumnCount);

    /// <inheritdoc/>
    public void Dispose() => _staging?.Dispose();
}

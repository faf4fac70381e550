using System.Collections.Immutable;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>
/// A tensor of a checkpoint, row-major. One of a file is read when its elements are first asked for, whole or a piece at a time, into
/// memory that counts in the ledger it was asked for with; one that was made has memory from the start.
/// </summary>
public sealed unsafe class HostTensor : HostRows, IDisposable
{
    // Large enough that reading is as fast as from a whole file, small beside any model.
    private const long PieceBytes = 2 << 20;
    private const int PieceStep = 32; // rows: as many as backends pack together

    private readonly ModelBytes? _file;
    private readonly long _offset;
    private readonly MemoryLedger _ledger;
    private NativeBuffer? _memory;
    private bool _isDisposed;

    internal HostTensor(
        string file, string name, TensorType type, ImmutableArray<long> shape, ModelBytes bytes, long offset, long byteCount,
            MemoryLedger? ledger = null)
    {
        (File, Name, Type, Shape, ByteCount) = (file, name, type, shape, byteCount);
        (_file, _offset, _ledger) = (bytes, offset, ledger ?? new());
    }

    internal HostTensor(string file, string name, TensorType type, ImmutableArray<long> shape, NativeBuffer memory)
    {
        (File, Name, Type, Shape, ByteCount) = (file, name, type, shape, memory.ByteCount);
        (_memory, _ledger) = (memory, new());
    }

    /// <summary>The file it lies in, for messages.</summary>
    public string File { get; }

    /// <summary>The checkpoint's name of it.</summary>
    public string Name { get; }

    /// <summary>Element type.</summary>
    public TensorType Type { get; }

    /// <summary>Lengths, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Bytes of all elements; may exceed 2 GiB.</summary>
    public long ByteCount { get; }

    /// <summary>First byte; valid until this is disposed.</summary>
    /// <exception cref="ObjectDisposedException">This or the checkpoint was.</exception>
    /// <exception cref="ConfigException">The file has become shorter, or cannot be read.</exception>
    public override byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return (_memory ??= Load()).As<byte>();
        }
    }

    /// <summary>The bytes, of a tensor below 2 GiB.</summary>
    /// <exception cref="OverflowException">It is larger.</exception>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            var count = checked((int)ByteCount); // before it is read
            return new(Data, count);
        }
    }

    /// <summary>The shape as messages give it.</summary>
    public string ShapeText => Header.ShapeText;

    /// <summary>All but the elements.</summary>
    internal TensorHeader Header => new(File, Name, Type, Shape);

    /// <summary>Memory that <see cref="ForPieces"/> takes.</summary>
    internal long StagingBytes => _file is null ? 0 : StagingOf(Shape[0], RowBytes);

    private long RowBytes => ByteCount / Math.Max(1, Shape[0]);

    private int PieceRows => (int)(StagingBytes / Math.Max(1, RowBytes));

    /// <summary>Memory that <see cref="ForPieces"/> takes for a tensor of a file with so many rows of so many bytes.</summary>
    internal static long StagingOf(long rows, long rowBytes) =>
        Math.Min(rows, Math.Max(PieceStep, PieceBytes / Math.Max(1, rowBytes) / PieceStep * PieceStep)) * rowBytes;

    /// <inheritdoc/>
    /// <exception cref="ConfigException">As <see cref="Data"/>.</exception>
    public override void ForPieces(PieceBody body)
    {
        if (_file is null || _memory is not null)
        {
            body(0, (int)Shape[0], Data);
            return;
        }
        using var piece = new NativeBuffer(_ledger, MemoryCategory.Workspace, StagingBytes);
        for (var first = 0; first < Shape[0]; first += PieceRows)
        {
            var end = (int)Math.Min(Shape[0], first + PieceRows);
            _file.Read(_offset + first * RowBytes, piece.As<byte>(), (end - first) * RowBytes);
            body(first, end, piece.As<byte>());
        }
    }

    /// <summary>Copies bytes from <paramref name="first"/> on, without keeping any.</summary>
    /// <exception cref="ConfigException">As <see cref="Data"/>.</exception>
    public void Read(long first, Span<byte> destination)
    {
        if (_memory is null && !_isDisposed) _file!.Read(_offset + first, destination);
        else new ReadOnlySpan<byte>(Data + first, destination.Length).CopyTo(destination);
    }

    /// <summary>All elements as f32, exactly.</summary>
    /// <exception cref="ConfigException">As <see cref="Data"/>, or no weight has such elements.</exception>
    internal float[] Floats()
    {
        var values = new float[checked((int)Shape.Aggregate(1L, (product, length) => product * length))];
        FloatRows.Widen(Data, Header.Format, values);
        return values;
    }

    /// <summary>The same tensor of a file under another name, whose bytes count in a ledger while they are read.</summary>
    internal HostTensor As(string name, MemoryLedger ledger) => new(File, name, Type, Shape, _file!, _offset, ByteCount, ledger);

    /// <summary>Rows <paramref name="first"/> and those after it, of a tensor of a file.</summary>
    internal HostTensor Rows(string name, long first, long count)
    {
        var rowBytes = ByteCount / Shape[0];
        return new(File, name, Type, Shape.SetItem(0, count), _file!, _offset + first * rowBytes, count * rowBytes);
    }

    /// <summary>Gives back its memory.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _memory?.Dispose();
    }

    private NativeBuffer Load()
    {
        var memory = new NativeBuffer(_ledger, MemoryCategory.Workspace, ByteCount);
        try
        {
            _file!.Read(_offset, memory.As<byte>(), ByteCount);
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }
}

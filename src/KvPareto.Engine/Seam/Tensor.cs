namespace KvPareto.Engine.Seam;

/// <summary>A block of backend memory with one owner. Disposing it gives the bytes back to the backend's ledger.</summary>
public abstract class DeviceBuffer : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public long ByteCount { get; protected init; }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A buffer whose address is known: the backend computes with it, not a library.</summary>
public abstract class AddressedBuffer : DeviceBuffer
{
    /// <summary>Address in the backend's memory (host or device).</summary>
    public nint Address { get; protected set; }
}

/// <summary>A 2-D view of a <see cref="DeviceBuffer"/>, row-major with a row stride; it owns nothing.</summary>
/// <param name="Buffer">The memory viewed.</param>
/// <param name="ByteOffset">Where element [0, 0] lies in the buffer.</param>
/// <param name="Type">Element type.</param>
/// <param name="RowCount">Rows.</param>
/// <param name="ColumnCount">Columns.</param>
/// <param name="RowStride">Elements from one row to the next; at least <paramref name="ColumnCount"/>.</param>
public readonly record struct Tensor(DeviceBuffer Buffer, long ByteOffset, DType Type, int RowCount, int ColumnCount, int RowStride)
{
    /// <summary>Address of element [0, 0], in an <see cref="AddressedBuffer"/>.</summary>
    public nint Address => ((AddressedBuffer)Buffer).Address + (nint)ByteOffset;

    /// <summary>The rows <paramref name="from"/> to <paramref name="from"/> + <paramref name="count"/> − 1 of the same memory.</summary>
    public Tensor Rows(int from, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)from + count, RowCount, nameof(count));
        return this with { ByteOffset = ByteOffset + (long)from * RowStride * Type.ByteSize(), RowCount = count };
    }

    /// <summary>The columns <paramref name="from"/> to <paramref name="from"/> + <paramref name="count"/> − 1 of the same memory.</summary>
    public Tensor Columns(int from, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)from + count, ColumnCount, nameof(count));
        return this with { ByteOffset = ByteOffset + (long)from * Type.ByteSize(), ColumnCount = count };
    }
}

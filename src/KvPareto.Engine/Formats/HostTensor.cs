using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace KvPareto.Engine.Formats;

/// <summary>
/// A tensor of a checkpoint, row-major, usually in a memory-mapped file; it owns nothing. Its elements may lie at an address that
/// is no multiple of their size, since a file may place them so, and its rows in another order than the model's
/// (<see cref="IsInOrder"/>).
/// </summary>
public sealed unsafe class HostTensor
{
    private readonly byte* _data;
    private readonly SafeHandle _owner;
    private readonly int _rotaryDim;

    internal HostTensor(string file, string name, TensorType type, ImmutableArray<long> shape, byte* data, long byteCount, SafeHandle owner)
    {
        (File, Name, Type, Shape, ByteCount) = (file, name, type, shape, byteCount);
        _data = data;
        _owner = owner;
    }

    private HostTensor(HostTensor other, string name, int rotaryDim)
        : this(other.File, name, other.Type, other.Shape, other._data, other.ByteCount, other._owner) => _rotaryDim = rotaryDim;

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

    /// <summary>False where the file has the two elements of each rotary pair of a head side by side; then only <see cref="CopyTo"/> reads it.</summary>
    public bool IsInOrder => _rotaryDim == 0;

    /// <summary>First byte; valid until the checkpoint is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The checkpoint is closed.</exception>
    /// <exception cref="InvalidOperationException">The rows are not in order.</exception>
    public byte* Data => IsInOrder ? Open() : throw new InvalidOperationException($"the rows of {Name} are not in order; they must be copied");

    /// <summary>The bytes, of a tensor below 2 GiB.</summary>
    public ReadOnlySpan<byte> Bytes => new(Data, checked((int)ByteCount));

    /// <summary>
    /// Copies all bytes, row after row in the model's order: with d the head width, h a head, j 0 or 1 and i below d/2, row
    /// h·d + j·d/2 + i is row h·d + 2·i + j of a file that has pairs side by side.
    /// </summary>
    /// <param name="destination">Room for <see cref="ByteCount"/> bytes.</param>
    public void CopyTo(byte* destination)
    {
        var source = Open();
        if (IsInOrder)
        {
            Buffer.MemoryCopy(source, destination, ByteCount, ByteCount);
            return;
        }
        var (rows, half) = (Shape[0], _rotaryDim / 2);
        var rowBytes = ByteCount / rows;
        for (var row = 0L; row < rows; row++)
        {
            var place = row % _rotaryDim;
            var from = row - place + 2 * (place % half) + place / half;
            Buffer.MemoryCopy(source + from * rowBytes, destination + row * rowBytes, rowBytes, rowBytes);
        }
    }

    /// <summary>The same tensor under another name.</summary>
    /// <param name="name">The model's name of it.</param>
    /// <param name="rotaryDim">Head width d, an even divisor of the rows, where the rows of a head are in the order of rotary pairs; else 0.</param>
    internal HostTensor As(string name, int rotaryDim) => new(this, name, rotaryDim);

    /// <summary>The shape as messages give it, for example <c>[512, 96]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    private byte* Open()
    {
        ObjectDisposedException.ThrowIf(_owner.IsClosed, this);
        return _data;
    }
}

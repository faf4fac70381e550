using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Checkpoints;

/// <summary>
/// A tensor of a checkpoint, row-major, usually in a memory-mapped file that it does not own; one that was made has memory of its
/// own. Its elements may lie at an address that is no multiple of their size, since a file may place them so.
/// </summary>
public sealed unsafe class HostTensor : IDisposable
{
    private readonly byte* _data;
    private readonly SafeHandle? _owner;
    private readonly NativeBuffer? _staging;

    internal HostTensor(string file, string name, TensorType type, ImmutableArray<long> shape, byte* data, long byteCount, SafeHandle owner)
    {
        (File, Name, Type, Shape, ByteCount) = (file, name, type, shape, byteCount);
        _data = data;
        _owner = owner;
    }

    internal HostTensor(string file, string name, TensorType type, ImmutableArray<long> shape, NativeBuffer staging)
    {
        (File, Name, Type, Shape, ByteCount) = (file, name, type, shape, staging.ByteCount);
        _data = staging.As<byte>();
        _staging = staging;
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

    /// <summary>First byte; valid until the checkpoint or this is disposed.</summary>
    /// <exception cref="ObjectDisposedException">One of them was.</exception>
    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_owner?.IsClosed ?? _staging!.Address == 0, this);
            return _data;
        }
    }

    /// <summary>The bytes, of a tensor below 2 GiB.</summary>
    public ReadOnlySpan<byte> Bytes => new(Data, checked((int)ByteCount));

    /// <summary>The shape as messages give it, for example <c>[512, 96]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>The same tensor under another name.</summary>
    internal HostTensor As(string name) => _owner is null
        ? throw new InvalidOperationException($"{Name} has memory of its own")
        : new(File, name, Type, Shape, _data, ByteCount, _owner);

    /// <summary>Gives back memory of its own; a mapped file stays with its checkpoint.</summary>
    public void Dispose() => _staging?.Dispose();
}

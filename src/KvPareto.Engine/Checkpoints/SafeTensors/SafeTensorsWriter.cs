using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using KvPareto.Engine.Model;
using Microsoft.Win32.SafeHandles;

namespace KvPareto.Engine.Checkpoints.SafeTensors;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Its name; unique in the file.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Lengths, outermost first.</param>
public sealed record TensorSpec(string Name, TensorType Type, ImmutableArray<long> Shape)
{
    /// <summary>Bytes of all elements.</summary>
    public long ByteCount => checked(Shape.Aggregate((long)Type.BitSize(), (product, length) => product * length) / 8);
}

/// <summary>
/// Writes a safetensors file piece by piece, so that no tensor need be in memory whole: all names and shapes are given first, then
/// the bytes of each in any order of tensors. Wider elements lie first and the header is padded to 8 bytes, so that every element
/// is aligned. The file appears under its name only at <see cref="Complete"/>.
/// </summary>
public sealed class SafeTensorsWriter : IDisposable
{
    private readonly string _path;
    private readonly string _partPath;
    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, Piece> _pieces = new(StringComparer.Ordinal);

    /// <summary>Begins a file.</summary>
    /// <param name="path">Where it will appear; what stands there is replaced.</param>
    /// <param name="tensors">All tensors.</param>
    /// <param name="metadata">Free texts for the header.</param>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public SafeTensorsWriter(string path, IReadOnlyCollection<TensorSpec> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        (_path, _partPath) = (path, path + ".part");
        var ordered = tensors.OrderByDescending(tensor => tensor.Type.BitSize()).ToList();
        var position = 0L;
        foreach (var tensor in ordered)
        {
            _pieces.Add(tensor.Name, new(position, position + tensor.ByteCount));
            position += tensor.ByteCount;
        }
        var header = Header(ordered, metadata);
        foreach (var piece in _pieces.Values) piece.Shift(header.Length);
        _file = File.OpenHandle(_partPath, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, position + header.Length);
        RandomAccess.Write(_file, header, 0);
    }

    /// <summary>Writes the next bytes of a tensor.</summary>
    /// <exception cref="ArgumentException">The tensor was not announced, or gets more bytes than its shape takes.</exception>
    public void Write(string name, ReadOnlySpan<byte> bytes)
    {
        if (!_pieces.TryGetValue(name, out var piece) || bytes.Length > piece.End - piece.Next)
            throw new ArgumentException($"tensor '{name}' was announced otherwise", nameof(name));
        RandomAccess.Write(_file, bytes, piece.Next);
        piece.Next += bytes.Length;
    }

    /// <summary>Gives the finished file its name.</summary>
    /// <exception cref="InvalidOperationException">A tensor has not got all its bytes.</exception>
    public void Complete()
    {
        foreach (var (name, piece) in _pieces)
            if (piece.Next != piece.End) throw new InvalidOperationException($"tensor '{name}' lacks {piece.End - piece.Next} bytes");
        RandomAccess.FlushToDisk(_file);
        _file.Dispose();
        File.Move(_partPath, _path, overwrite: true);
    }

    /// <summary>Drops what was not completed.</summary>
    public void Dispose()
    {
        if (_file.IsClosed) return;
        _file.Dispose();
        File.Delete(_partPath);
    }

    private byte[] Header(List<TensorSpec> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var json = new MemoryStream();
        json.Write(stackalloc byte[sizeof(ulong)]);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata is not null)
            {
                writer.WriteStartObject("__metadata__");
                foreach (var (key, text) in metadata) writer.WriteString(key, text);
                writer.WriteEndObject();
            }
            foreach (var tensor in tensors) WriteEntry(writer, tensor, _pieces[tensor.Name]);
            writer.WriteEndObject();
        }
        while (json.Length % sizeof(ulong) != 0) json.WriteByte((byte)' ');
        var header = json.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)(header.Length - sizeof(ulong)));
        return header;
    }

    private static void WriteEntry(Utf8JsonWriter writer, TensorSpec tensor, Piece piece)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Type.SafeTensorsName());
        writer.WriteStartArray("shape");
        foreach (var length in tensor.Shape) writer.WriteNumberValue(length);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(piece.Next);
        writer.WriteNumberValue(piece.End);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private sealed class Piece(long begin, long end)
    {
        public long Next { get; set; } = begin;

        public long End { get; private set; } = end;

        public void Shift(long headerLength) => (Next, End) = (Next + headerLength, End + headerLength);
    }
}

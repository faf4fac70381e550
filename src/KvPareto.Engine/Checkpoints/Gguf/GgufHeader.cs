using System.Collections.Immutable;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>
/// The front of a GGUF file, little endian: magic, version, counts, metadata, tensor infos
/// (<c>ggml/docs/gguf.md</c>). Nothing is believed before it is checked; the cost is linear in the header's length.
/// </summary>
internal sealed class GgufHeader
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const int DefaultAlignment = 32;
    private const int LargestAlignment = 1 << 20;
    private const int MostDimensions = 4;
    private const int LeastPairBytes = 8 + 1 + 4 + 1;
    private const int LeastTensorBytes = 8 + 4 + 8 + 4 + 8;
    private const string AlignmentKey = "general.alignment";

    private readonly string _path;
    private readonly ModelBytes _file;
    private readonly GgufCursor _cursor;

    private GgufHeader(string path, ModelBytes file)
    {
        (_path, _file, _cursor) = (path, file, new(path, file, 0));
        Metadata = new(path, file);
    }

    /// <summary>What the header says of one tensor.</summary>
    /// <param name="Type">Element type.</param>
    /// <param name="Shape">Lengths, outermost first: the reverse of the file's order.</param>
    /// <param name="Begin">First byte in the file.</param>
    /// <param name="ByteCount">Bytes of all blocks.</param>
    public readonly record struct Entry(GgmlType Type, ImmutableArray<long> Shape, long Begin, long ByteCount);

    /// <summary>The keys and values.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors by name.</summary>
    public Dictionary<string, Entry> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a header.</summary>
    /// <exception cref="ConfigException">The header is damaged or lies.</exception>
    public static GgufHeader Parse(string path, ModelBytes file)
    {
        var header = new GgufHeader(path, file);
        header.Read();
        return header;
    }

    private void Read()
    {
        if (_cursor.Remaining < 4 || _cursor.Read<uint>("the magic") != Magic)
            throw new ConfigException($"{_path}: is not a GGUF file: it does not begin with 'GGUF'");
        var version = _cursor.Read<uint>("the version");
        if (version is not (2 or 3)) throw _cursor.Refuse("GGUF version", $"is {version}; allowed: 2, 3 (little endian)");
        var tensors = _cursor.ReadCount(LeastTensorBytes, "the tensor count");
        var pairs = _cursor.ReadCount(LeastPairBytes, "the key count");
        for (var i = 0L; i < pairs; i++) ReadPair(i);
        var alignment = Metadata.Integer(AlignmentKey, 1, LargestAlignment, DefaultAlignment);
        if (!int.IsPow2(alignment)) throw Metadata.Refuse(AlignmentKey, $"a power of two up to {LargestAlignment}");
        for (var i = 0L; i < tensors; i++) ReadTensor(i, alignment);
        Place((_cursor.Position + alignment - 1) / alignment * alignment);
    }

    private void ReadPair(long index)
    {
        var key = _cursor.ReadString($"key {index}");
        var what = $"key '{OneLine.Of(key)}'";
        var type = ReadType(what);
        long? count = null;
        if (type == GgufValueType.Array)
        {
            type = ReadType(what);
            if (type == GgufValueType.Array) throw _cursor.Refuse(what, "is an array of arrays; allowed: single values and arrays of them");
            count = _cursor.ReadCount(ByteSize(type), what);
        }
        if (!Metadata.TryAdd(key, new(type, _cursor.Position, count))) throw _cursor.Refuse(what, "is there twice");
        if (type != GgufValueType.String) _cursor.Skip(count ?? 1, ByteSize(type), what);
        else for (var i = 0L; i < (count ?? 1); i++) _cursor.SkipString(what);
    }

    private GgufValueType ReadType(string what)
    {
        var type = _cursor.Read<GgufValueType>(what);
        return Enum.IsDefined(type) ? type
            : throw _cursor.Refuse(what, $"has the value type {(uint)type}; allowed: 0 to {(uint)GgufValueType.F64}");
    }

    // Begin still counts from the start of the data here, since that is not known before the last tensor is read.
    private void ReadTensor(long index, int alignment)
    {
        var name = _cursor.ReadString($"tensor {index}");
        var what = $"tensor '{OneLine.Of(name)}'";
        var dimensions = _cursor.Read<uint>(what);
        if (dimensions is 0 or > MostDimensions) throw _cursor.Refuse(what, $"has {dimensions} dimensions; allowed: 1 to {MostDimensions}");
        var lengths = new long[dimensions];
        var elements = (Int128)1;
        for (var i = lengths.Length - 1; i >= 0; i--)
        {
            var length = _cursor.Read<ulong>(what);
            elements *= length;
            if (length == 0 || elements > long.MaxValue)
                throw _cursor.Refuse(what, $"has a dimension of {length}; allowed: 1 or more, and a product below 2^63");
            lengths[i] = (long)length;
        }
        var id = _cursor.Read<uint>(what);
        var type = GgmlType.Of(id) ?? throw _cursor.Refuse(what, $"has the ggml type {GgmlType.NameOf(id)}; known: {GgmlType.AllNames}");
        if (lengths[^1] % type.Shape.Elements != 0)
            throw _cursor.Refuse(
                what, $"has rows of {CountText.Of(lengths[^1], "element")}; {type.Type.SafeTensorsName()} needs a multiple of "
                    + $"{type.Shape.Elements}");
        var offset = _cursor.Read<ulong>(what);
        if (offset % (ulong)alignment != 0)
            throw _cursor.Refuse(what, $"has the offset {offset}; allowed: multiples of the alignment {alignment}");
        var bytes = elements / type.Shape.Elements * type.Shape.ByteCount;
        if (bytes > _file.ByteCount || offset > (ulong)_file.ByteCount - (ulong)bytes)
            throw _cursor.Refuse(what, $"takes {bytes} bytes from offset {offset} on; the file has {_file.ByteCount}");
        if (!Tensors.TryAdd(name, new(type, [.. lengths], (long)offset, (long)bytes))) throw _cursor.Refuse(what, "is there twice");
    }

    private void Place(long dataStart)
    {
        var end = 0L;
        foreach (var (name, entry) in Tensors.OrderBy(pair => pair.Value.Begin).ToArray())
        {
            var what = $"tensor '{OneLine.Of(name)}'";
            if (entry.Begin < end)
                throw _cursor.Refuse(what, $"begins at byte {entry.Begin} of the data, inside another that ends at {end}");
            end = entry.Begin + entry.ByteCount;
            if (end > _file.ByteCount - dataStart)
                throw _cursor.Refuse(what, $"ends at byte {end} of the data; the file has {Math.Max(0, _file.ByteCount - dataStart)}");
            Tensors[name] = entry with { Begin = dataStart + entry.Begin };
        }
    }

    private static int ByteSize(GgufValueType type) => type switch
    {
        GgufValueType.U8 or GgufValueType.I8 or GgufValueType.Bool => 1,
        GgufValueType.U16 or GgufValueType.I16 => 2,
        GgufValueType.U32 or GgufValueType.I32 or GgufValueType.F32 => 4,
        _ => 8,
    };
}

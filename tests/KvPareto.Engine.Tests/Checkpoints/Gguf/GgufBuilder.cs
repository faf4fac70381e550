using System.Text;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

/// <summary>Writes small GGUF files, damaged ones too.</summary>
internal sealed class GgufBuilder
{
    private readonly List<byte> _pairs = [];
    private readonly List<byte> _tensors = [];
    private ulong _pairCount;
    private ulong _tensorCount;

    public uint Version { get; init; } = 3;

    public int Alignment { get; init; } = 32;

    /// <summary>The data section's bytes.</summary>
    public byte[] Data { get; init; } = [];

    public GgufBuilder Add(string key, uint value) => Pair(key, 4, writer => writer.Write(value));

    public GgufBuilder Add(string key, float value) => Pair(key, 6, writer => writer.Write(value));

    public GgufBuilder Add(string key, bool value) => Pair(key, 7, writer => writer.Write(value));

    public GgufBuilder Add(string key, string value) => Pair(key, 8, writer => Text(writer, value));

    public GgufBuilder Add(string key, string[] values) => Pair(key, 9, writer => Array(writer, 8, values, value => Text(writer, value)));

    public GgufBuilder Add(string key, float[] values) => Pair(key, 9, writer => Array(writer, 6, values, writer.Write));

    public GgufBuilder Add(string key, int[] values) => Pair(key, 9, writer => Array(writer, 5, values, writer.Write));

    /// <summary>A value of any type from bytes of any content.</summary>
    public GgufBuilder AddRaw(string key, uint type, params byte[] value) => Pair(key, type, writer => writer.Write(value));

    public GgufBuilder AddTensor(string name, uint type, ulong offset, params ulong[] lengths)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        Text(writer, name);
        writer.Write((uint)lengths.Length);
        foreach (var length in lengths) writer.Write(length);
        writer.Write(type);
        writer.Write(offset);
        _tensors.AddRange(stream.ToArray());
        _tensorCount++;
        return this;
    }

    public byte[] ToBytes()
    {
        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write(_tensorCount);
        writer.Write(_pairCount);
        writer.Write(_pairs.ToArray());
        writer.Write(_tensors.ToArray());
        writer.Write(new byte[(Alignment - file.Length % Alignment) % Alignment]);
        writer.Write(Data);
        return file.ToArray();
    }

    public string Write(string path)
    {
        File.WriteAllBytes(path, ToBytes());
        return path;
    }

    private static void Text(BinaryWriter writer, string text)
    {
        writer.Write((ulong)Encoding.UTF8.GetByteCount(text));
        writer.Write(Encoding.UTF8.GetBytes(text));
    }

    private static void Array<T>(BinaryWriter writer, uint type, T[] values, Action<T> write)
    {
        writer.Write(type);
        writer.Write((ulong)values.Length);
        foreach (var value in values) write(value);
    }

    private GgufBuilder Pair(string key, uint type, Action<BinaryWriter> value)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        Text(writer, key);
        writer.Write(type);
        value(writer);
        _pairs.AddRange(stream.ToArray());
        _pairCount++;
        return this;
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.SafeTensors;

/// <summary>
/// The JSON header of a safetensors file: <c>{"name": {"dtype": "BF16", "shape": [512, 96], "data_offsets": [0, 98304]}, …}</c>
/// and optionally <c>"__metadata__": {string: string}</c>. As the format's own reader demands, tensors cover the data section
/// without holes or overlaps. Nothing is believed before it is checked; the cost is linear in the header's length.
/// </summary>
internal sealed class SafeTensorsHeader
{
    private const int MostDimensions = 16;

    private readonly string _file;
    private readonly long _dataLength;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private SafeTensorsHeader(string file, long dataLength) => (_file, _dataLength) = (file, dataLength);

    /// <summary>What the header says of one tensor.</summary>
    /// <param name="Type">Element type.</param>
    /// <param name="Shape">Lengths.</param>
    /// <param name="Begin">First byte in the data section.</param>
    /// <param name="End">One past the last byte.</param>
    public readonly record struct Entry(TensorType Type, ImmutableArray<long> Shape, long Begin, long End);

    /// <summary>Reads a header.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    /// <returns>The tensors by name.</returns>
    /// <exception cref="ConfigException">The header is damaged or lies.</exception>
    public static Dictionary<string, Entry> Parse(string file, ReadOnlySpan<byte> json, long dataLength)
    {
        if (!Utf8.IsValid(json)) throw new ConfigException($"{file}: the safetensors header is not valid UTF-8");
        var header = new SafeTensorsHeader(file, dataLength);
        try
        {
            header.Read(json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ConfigException($"{file}: the safetensors header is not valid JSON: {OneLine.OfMessage(error)}", error);
        }
        header.CheckCoverage();
        return header._entries;
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Refuse("is not a JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == "__metadata__") SkipMetadata(ref reader);
            else if (!_entries.TryAdd(name, ReadEntry(ref reader, name))) throw Refuse(name, "is there twice");
        }
        while (reader.Read()) { }
    }

    private void SkipMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Refuse("has a __metadata__ that is not an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            if (!reader.Read() || reader.TokenType != JsonTokenType.String) throw Refuse("has a __metadata__ with more than strings");
    }

    private Entry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Refuse(name, "is not described by an object");
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            switch (key)
            {
                case "dtype" when type is null: type = ReadType(ref reader, name); break;
                case "shape" when shape is null: shape = ReadIntegers(ref reader, name, "shape", MostDimensions); break;
                case "data_offsets" when offsets is null: offsets = ReadIntegers(ref reader, name, "data_offsets", 2); break;
                case "dtype" or "shape" or "data_offsets": throw Refuse(name, $"has '{key}' twice");
                default: reader.Skip(); break;
            }
        }
        if (type is null || shape is null || offsets is not { Count: 2 })
            throw Refuse(name, "lacks one of 'dtype', 'shape', 'data_offsets' (two numbers)");
        return Check(name, new(type.Value, [.. shape], offsets[0], offsets[1]));
    }

    private TensorType ReadType(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw Refuse(name, $"has a 'dtype' that is not a string; allowed: {TensorTypes.AllNames}");
        var text = reader.GetString()!;
        return TensorTypes.Parse(text) ?? throw Refuse(name, $"has dtype '{OneLine.Of(text)}'; allowed: {TensorTypes.AllNames}");
    }

    private List<long> ReadIntegers(ref Utf8JsonReader reader, string name, string key, int most)
    {
        var numbers = new List<long>();
        if (reader.TokenType != JsonTokenType.StartArray) throw Refuse(name, $"has a '{key}' that is not a list");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0 || numbers.Count == most)
                throw Refuse(name, $"has a '{key}' other than up to {most} whole numbers from 0 on");
            numbers.Add(number);
        }
        return numbers;
    }

    private Entry Check(string name, Entry entry)
    {
        if (entry.Begin > entry.End || entry.End > _dataLength)
            throw Refuse(name, $"has data_offsets [{entry.Begin}, {entry.End}]; the file has {CountText.Of(_dataLength, "byte")} of data");
        var bits = (Int128)entry.Type.BitSize();
        foreach (var length in entry.Shape)
        {
            bits *= length;
            if (bits > (Int128)8 * long.MaxValue) throw Refuse(name, "has a shape whose product overflows");
        }
        var bytes = entry.End - entry.Begin;
        if (bits == (Int128)8 * bytes) return entry;
        var shape = $"{entry.Type.SafeTensorsName()} [{string.Join(", ", entry.Shape)}]";
        throw Refuse(
            name, $"has {CountText.Of(bytes, "byte")}; {shape} takes {(bits % 8 == 0 ? "" : "no whole number, ")}{(double)bits / 8}");
    }

    private void CheckCoverage()
    {
        var end = 0L;
        foreach (var (name, entry) in _entries.OrderBy(pair => pair.Value.Begin).ThenBy(pair => pair.Value.End))
        {
            if (entry.Begin < end) throw Refuse(name, $"begins at byte {entry.Begin} of the data, inside another that ends at {end}");
            if (entry.Begin > end) throw Refuse(name, $"begins at byte {entry.Begin} of the data; bytes from {end} on belong to no tensor");
            end = entry.End;
        }
        if (end != _dataLength) throw Refuse($"describes {CountText.Of(end, "byte")} of data; the file has {_dataLength}");
    }

    private ConfigException Refuse(string what) => new($"{_file}: the safetensors header {what}");

    private ConfigException Refuse(string name, string what) => new($"{_file}: tensor '{OneLine.Of(name)}' {what}");
}

using System.Text.Json;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>
/// Reads Hugging Face's <c>tokenizer.json</c> (version 1.0). Vocabulary and merges, nearly all of its megabytes, are streamed; the
/// small components around them are read as a tree.
/// </summary>
internal sealed class TokenizerJson
{
    // Twice the largest published; a file needs several times its size while it is read.
    private const int LargestFile = 1 << 26;

    // Without vocabulary and merges even a hundred thousand added tokens stay below.
    private const long LargestComponents = 1L << 24;

    private readonly string _file;
    private readonly byte[] _bytes;
    private readonly Dictionary<string, JsonElement> _components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonElement> _model = new(StringComparer.Ordinal);
    private readonly VocabularyBuilder _builder;
    private MergeList _merges;
    private long _componentBytes;
    private bool _hasModel;

    private TokenizerJson(string file, byte[] bytes)
    {
        (_file, _bytes, _builder) = (file, bytes, new VocabularyBuilder(file));
        _merges = NoMerges();
    }

    /// <summary>Reads a folder's <c>tokenizer.json</c>, with what its <c>tokenizer_config.json</c> changes.</summary>
    /// <exception cref="ConfigException">Missing, damaged, or of an unknown kind.</exception>
    public static TokenizerDefinition Read(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        return new TokenizerJson(path, ForeignFile.ReadAll(path, LargestFile)).Read(TokenizerSettings.Find(folder));
    }

    private TokenizerDefinition Read(TokenizerSettings? settings)
    {
        try
        {
            var start = _bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0;
            var reader = new Utf8JsonReader(_bytes.AsSpan(start));
            ReadTop(ref reader);
            if (!_hasModel) throw new ConfigException($"{_file}: the key 'model' is missing");
            return new TokenizerComponents(_file, _components, _model, _builder, _merges, settings).Build();
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            throw new ConfigException($"{_file}: not valid JSON: {OneLine.OfMessage(problem)}", problem);
        }
    }

    private void ReadTop(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new ConfigException($"{_file}: expected an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (key != "model") _components[key] = ReadTree(ref reader);
            else if (reader.TokenType != JsonTokenType.StartObject)
                throw new ConfigException($"{_file}: model: expected an object, found {reader.TokenType}");
            else if (_hasModel) throw new ConfigException($"{_file}: the key 'model' stands twice");
            else ReadModel(ref reader);
        }
        if (reader.Read()) throw new ConfigException($"{_file}: text after the end of the JSON value");
    }

    // A tree takes many times the bytes of its text.
    private JsonElement ReadTree(ref Utf8JsonReader reader)
    {
        var end = reader;
        end.Skip();
        _componentBytes += end.BytesConsumed - reader.TokenStartIndex;
        if (_componentBytes > LargestComponents)
            throw new ConfigException($"{_file}: more than {LargestComponents >> 20} MiB beside vocabulary and merges");
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.Clone();
    }

    private void ReadModel(ref Utf8JsonReader reader)
    {
        _hasModel = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (key == "vocab" && reader.TokenType == JsonTokenType.StartObject) ReadVocabulary(ref reader);
            else if (key == "merges") ReadMerges(ref reader);
            else _model[key] = ReadTree(ref reader);
        }
        if (_model.TryGetValue("continuing_subword_prefix", out var value) && value.ValueKind == JsonValueKind.String)
            _merges.PrefixLength = value.GetString()!.Length;
    }

    private void ReadVocabulary(ref Utf8JsonReader reader)
    {
        var buffer = new char[256];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var token = Copy(ref reader, ref buffer);
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id))
                throw new ConfigException(
                    $"{_file}: model.vocab: the id of {OneLine.Quote(token)} is not a whole number below {VocabularyBuilder.IdLimit}");
            _builder.AddToken(token, id, "model.vocab");
        }
    }

    private void ReadMerges(ref Utf8JsonReader reader)
    {
        _merges = NoMerges();
        if (reader.TokenType != JsonTokenType.StartArray) throw new ConfigException($"{_file}: model.merges: expected an array");
        var (left, right) = (new char[256], new char[256]);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var problem = reader.TokenType == JsonTokenType.String ? ReadJoined(ref reader, ref left)
                : ReadPair(ref reader, ref left, ref right);
            if (problem is not null) throw new ConfigException($"{_file}: model.merges[{_merges.Count}]: {problem}");
        }
    }

    private MergeList NoMerges() => new(_builder.Vocabulary, $"{_file}: model.merges");

    private string? ReadJoined(ref Utf8JsonReader reader, ref char[] buffer)
    {
        var pair = Copy(ref reader, ref buffer);
        var space = pair.IndexOf(' ');
        if (space < 0 || pair[(space + 1)..].Contains(' ')) return "expected two tokens with one space between them";
        _merges.Add(pair[..space], pair[(space + 1)..]);
        return null;
    }

    private string? ReadPair(ref Utf8JsonReader reader, ref char[] left, ref char[] right)
    {
        const string Expected = "expected \"a b\" or [\"a\", \"b\"]";
        if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType != JsonTokenType.String) return Expected;
        var first = Copy(ref reader, ref left);
        if (!reader.Read() || reader.TokenType != JsonTokenType.String) return Expected;
        var second = Copy(ref reader, ref right);
        if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) return Expected;
        _merges.Add(first, second);
        return null;
    }

    private static ReadOnlySpan<char> Copy(ref Utf8JsonReader reader, ref char[] buffer)
    {
        if (buffer.Length < reader.ValueSpan.Length) buffer = new char[reader.ValueSpan.Length * 2];
        return buffer.AsSpan(0, reader.CopyString(buffer));
    }
}

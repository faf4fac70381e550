using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>
/// Writes Hugging Face's <c>tokenizer.json</c> of a tokenizer made of parts: byte-level vocabularies as Llama 3 and Qwen have it,
/// SentencePiece's as Llama 2 and Mistral do. The vocabulary holds the added tokens too, so that they keep their ids where others are
/// missing.
/// </summary>
internal sealed class TokenizerWriter
{
    private const int LongestToken = 1 << 20; // what the JSON writer takes is limited

    private readonly Utf8JsonWriter _json;
    private readonly VocabularyParts _parts;

    private TokenizerWriter(Utf8JsonWriter json, VocabularyParts parts) => (_json, _parts) = (json, parts);

    /// <summary>Writes a file.</summary>
    /// <exception cref="ConfigException">The parts contradict each other, or a token is too long.</exception>
    public static void Write(string path, VocabularyParts parts)
    {
        var definition = parts.ToDefinition();
        definition.Merges.Check();
        for (var id = 0; id < parts.Tokens.Count; id++)
            if (parts.Tokens[id]?.Length > LongestToken)
                throw new ConfigException(
                    $"{parts.Source}: tokens[{id}] has {parts.Tokens[id]!.Length} characters; allowed: up to {LongestToken}");
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        new TokenizerWriter(json, parts).Write(definition.Tokens.Vocabulary);
    }

    private void Write(TokenTable vocabulary)
    {
        _json.WriteStartObject();
        _json.WriteString("version", "1.0");
        _json.WriteNull("truncation");
        _json.WriteNull("padding");
        WriteAddedTokens();
        if (_parts is SentencePieceParts pieces) WriteSentencePiece(pieces, vocabulary);
        else WriteByteLevel((TokenizerParts)_parts);
        _json.WriteEndObject();
    }

    private void WriteByteLevel(TokenizerParts parts)
    {
        var byteLevel =
            new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false };
        WriteComponent("normalizer", parts.NormalizeNfc ? new JsonObject { ["type"] = "NFC" } : null);
        WriteComponent("pre_tokenizer", new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray([.. parts.SplitPatterns.Select(Split), byteLevel.DeepClone()]),
        });
        WriteComponent("post_processor", Template() is { } template
            ? new JsonObject { ["type"] = "Sequence", ["processors"] = new JsonArray(byteLevel.DeepClone(), template) }
            : byteLevel.DeepClone());
        WriteComponent("decoder", byteLevel);
        WriteModel(new() { ["ignore_merges"] = parts.IgnoreMerges }, parts.Merges);
    }

    private void WriteSentencePiece(SentencePieceParts parts, TokenTable vocabulary)
    {
        var visibleSpace = MergeList.WordStart.ToString();
        JsonObject[] normalizers = [.. parts.PrependSpace ? new[] { Prepend(visibleSpace) } : [], Replace(" ", visibleSpace)];
        JsonObject[] decoders =
        [
            Replace(visibleSpace, " "), new() { ["type"] = "ByteFallback" }, new() { ["type"] = "Fuse" },
            .. parts.PrependSpace ? new[] { StripOne() } : [],
        ];
        WriteComponent("normalizer", new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray([.. normalizers]) });
        WriteComponent("pre_tokenizer", null);
        WriteComponent("post_processor", Template());
        WriteComponent("decoder", new JsonObject { ["type"] = "Sequence", ["decoders"] = new JsonArray([.. decoders]) });
        var unknown = parts.UnknownId is { } id ? parts.Tokens[id] : null;
        WriteModel(new() { ["unk_token"] = unknown, ["fuse_unk"] = true, ["byte_fallback"] = true }, parts.RankedMerges(vocabulary));
    }

    private void WriteAddedTokens()
    {
        _json.WriteStartArray("added_tokens");
        foreach (var token in _parts.AddedTokens.Where(static token => token.Content.Length > 0).OrderBy(static token => token.Id))
        {
            _json.WriteStartObject();
            _json.WriteNumber("id", token.Id);
            _json.WriteString("content", token.Content);
            _json.WriteBoolean("single_word", token.SingleWord);
            _json.WriteBoolean("lstrip", token.LeftStrip);
            _json.WriteBoolean("rstrip", token.RightStrip);
            _json.WriteBoolean("normalized", token.Normalized);
            _json.WriteBoolean("special", token.Special);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }

    private void WriteModel(JsonObject settings, IEnumerable<(string Left, string Right)> merges)
    {
        var model = new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = null,
            ["continuing_subword_prefix"] = null,
            ["end_of_word_suffix"] = null,
            ["fuse_unk"] = false,
            ["byte_fallback"] = false,
            ["ignore_merges"] = false,
        };
        foreach (var (key, value) in settings) model[key] = value?.DeepClone();
        _json.WriteStartObject("model");
        foreach (var (key, value) in model) WriteComponent(key, value);
        _json.WriteStartObject("vocab");
        for (var id = 0; id < _parts.Tokens.Count; id++)
            if (_parts.Tokens[id] is { } token) _json.WriteNumber(token, id);
        _json.WriteEndObject();
        _json.WriteStartArray("merges");
        foreach (var (left, right) in merges)
        {
            _json.WriteStartArray();
            _json.WriteStringValue(left);
            _json.WriteStringValue(right);
            _json.WriteEndArray();
        }
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void WriteComponent(string key, JsonNode? value)
    {
        _json.WritePropertyName(key);
        if (value is null) _json.WriteNullValue();
        else value.WriteTo(_json);
    }

    /// <summary>The special tokens around a text, and around a pair of texts; null where there are none.</summary>
    private JsonObject? Template()
    {
        if (_parts.Prefix.Count + _parts.Suffix.Count == 0) return null;
        var tokens = new JsonObject();
        foreach (var id in _parts.Prefix.Concat(_parts.Suffix).Distinct())
            tokens[Content(id)] =
                new JsonObject { ["id"] = Content(id), ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(Content(id)) };
        return new()
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. Around("A", 0)]),
            ["pair"] = new JsonArray([.. Around("A", 0), .. Around("B", 1)]),
            ["special_tokens"] = tokens,
        };

        IEnumerable<JsonObject> Around(string text, int type) =>
        [
            .. _parts.Prefix.Select(id => Item("SpecialToken", Content(id), type)), Item("Sequence", text, type),
            .. _parts.Suffix.Select(id => Item("SpecialToken", Content(id), type)),
        ];
    }

    private string Content(int id) => _parts.Tokens[id] ?? _parts.AddedTokens.First(token => token.Id == id).Content;

    private static JsonObject Item(string kind, string id, int type) =>
        new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = type } };

    private static JsonObject Split(string pattern) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };

    private static JsonObject Prepend(string text) => new() { ["type"] = "Prepend", ["prepend"] = text };

    private static JsonObject Replace(string pattern, string content) =>
        new() { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = pattern }, ["content"] = content };

    private static JsonObject StripOne() => new() { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 };
}

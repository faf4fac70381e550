using System.Text.Json.Nodes;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>Makes a tokenizer of a GGUF file's metadata (<c>tokenizer.ggml.*</c>); its ids are those of the model's
/// <c>tokenizer.json</c>.</summary>
internal static class GgufTokenizer
{
    private const int MostMerges = 1 << 23;
    private const int LongestTemplate = 1 << 20;
    private const string Prefix = "tokenizer.ggml.";
    private const string ChatTemplateKey = "tokenizer.chat_template";

    private static readonly (string Name, string Key)[] NamedTokens =
        [("bos_token", "bos_token_id"), ("eos_token", "eos_token_id"), ("unk_token", "unknown_token_id"),
            ("pad_token", "padding_token_id")];

    /// <summary>Whether a file has any of a tokenizer: a part of one is read, and refused where more is missing.</summary>
    public static bool IsIn(GgufMetadata metadata) => metadata.Has(Prefix + "model") || metadata.Has(Prefix + "tokens");

    /// <summary>Reads the tokenizer.</summary>
    /// <exception cref="ConfigException">It is missing, contradicts itself, or is of a kind that is not known.</exception>
    public static Tokenizer Read(GgufMetadata metadata) => new(ReadParts(metadata).ToDefinition());

    /// <summary>Reads what the tokenizer is made of.</summary>
    /// <exception cref="ConfigException">It is missing, contradicts itself, or is of a kind that is not known.</exception>
    public static VocabularyParts ReadParts(GgufMetadata metadata)
    {
        var model = metadata.Word(Prefix + "model", ["gpt2", "llama"]);
        var tokens = metadata.Texts(Prefix + "tokens", VocabularyBuilder.IdLimit)
            ?? throw metadata.Refuse(Prefix + "tokens", "an array of strings");
        var types = metadata.Integers(Prefix + "token_type", VocabularyBuilder.IdLimit)
            ?? [.. Enumerable.Repeat((int)GgufTokenType.Normal, tokens.Length)];
        if (types.Length != tokens.Length) throw metadata.Refuse(Prefix + "token_type", $"as many as tokens ({tokens.Length})");
        return model == "gpt2" ? ReadByteLevel(metadata, tokens, types) : ReadSentencePiece(metadata, tokens, types);
    }

    /// <summary>Reads the chat template, which may name the special tokens; null where there is none.</summary>
    /// <exception cref="ConfigException">It is not well formed, or uses a construct that is not known.</exception>
    public static ChatTemplate? ReadChatTemplate(GgufMetadata metadata)
    {
        if (metadata.Text(ChatTemplateKey) is not { } text) return null;
        var variables = SpecialTokens(metadata)
            .ToDictionary(static token => token.Name, static object? (token) => token.Content, StringComparer.Ordinal);
        return ChatTemplate.Parse(text, variables, $"{metadata.Source}: key '{ChatTemplateKey}'");
    }

    /// <summary>What <c>tokenizer_config.json</c> says: special tokens and chat template.</summary>
    /// <exception cref="ConfigException">A special token is not in the vocabulary, or the template is too long.</exception>
    public static JsonObject ReadSettings(GgufMetadata metadata)
    {
        var settings = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false };
        foreach (var (name, content) in SpecialTokens(metadata)) settings[name] = content;
        if (metadata.Text(ChatTemplateKey) is { } template)
        {
            if (template.Length > LongestTemplate)
                throw new ConfigException(
                    $"{metadata.Source}: key '{ChatTemplateKey}' has {template.Length} characters; allowed: up to {LongestTemplate}");
            settings["chat_template"] = template;
        }
        return settings;
    }

    private static IEnumerable<(string Name, string Content)> SpecialTokens(GgufMetadata metadata)
    {
        var tokens = metadata.Texts(Prefix + "tokens", VocabularyBuilder.IdLimit) ?? [];
        foreach (var (name, key) in NamedTokens)
            if (metadata.Has(Prefix + key)) yield return (name, tokens[metadata.Integer(Prefix + key, 0, tokens.Length - 1)]);
    }

    private static TokenizerParts ReadByteLevel(GgufMetadata metadata, string[] tokens, int[] types)
    {
        var splitting = NamedSplits.Of(metadata.Word(Prefix + "pre", NamedSplits.Names, NamedSplits.DefaultName));
        var merges = metadata.Texts(Prefix + "merges", MostMerges) ?? throw metadata.Refuse(Prefix + "merges", "an array of strings");
        return new()
        {
            Source = metadata.Source,
            Tokens = Used(tokens, types),
            Merges = [.. merges.Select((merge, index) => Pair(metadata, merge, index))],
            AddedTokens = Added(tokens, types),
            SplitPatterns = splitting.Patterns,
            NormalizeNfc = splitting.Nfc,
            IgnoreMerges = splitting.IgnoreMerges,
            Prefix = Special(metadata, "bos", splitting.AddBos),
            Suffix = Special(metadata, "eos", false),
        };
    }

    private static SentencePieceParts ReadSentencePiece(GgufMetadata metadata, string[] tokens, int[] types)
    {
        var scores = metadata.Floats(Prefix + "scores", VocabularyBuilder.IdLimit)
            ?? throw metadata.Refuse(Prefix + "scores", "an array of f32 numbers");
        if (scores.Length != tokens.Length) throw metadata.Refuse(Prefix + "scores", $"as many as tokens ({tokens.Length})");
        return new()
        {
            Source = metadata.Source,
            Tokens = Used(tokens, types),
            Scores = [.. scores.Select((score, id) => types[id] == (int)GgufTokenType.Normal ? score : (float?)null)],
            UnknownId = Array.IndexOf(types, (int)GgufTokenType.Unknown) is var id and >= 0 ? id : null,
            AddedTokens = Added(tokens, types),
            PrependSpace = metadata.Flag(Prefix + "add_space_prefix", true),
            Prefix = Special(metadata, "bos", true),
            Suffix = Special(metadata, "eos", false),
        };
    }

    // Unused tokens pad the vocabulary to the embedding's rows: no text has them.
    private static string?[] Used(string[] tokens, int[] types) =>
        [.. tokens.Select((token, id) => types[id] == (int)GgufTokenType.Unused ? null : token)];

    private static AddedToken[] Added(string[] tokens, int[] types) =>
    [
        .. from id in Enumerable.Range(0, tokens.Length)
           let type = EndOfTurn.IsControl(tokens[id]) ? GgufTokenType.Control : (GgufTokenType)types[id]
           where type is GgufTokenType.Unknown or GgufTokenType.Control or GgufTokenType.UserDefined
           select new AddedToken(id, tokens[id], Special: type != GgufTokenType.UserDefined),
    ];

    private static (string Left, string Right) Pair(GgufMetadata metadata, string merge, int index)
    {
        var space = merge.Length > 1 ? merge.IndexOf(' ', 1) : -1;
        return space > 0 && space < merge.Length - 1
            ? (merge[..space], merge[(space + 1)..])
            : throw new ConfigException(
                $"{metadata.Source}: key '{Prefix}merges', element {index}, is {OneLine.Quote(merge)}; allowed: two tokens with a "
                    + "space between them");
    }

    private static int[] Special(GgufMetadata metadata, string name, bool fallback)
    {
        var idKey = $"{Prefix}{name}_token_id";
        var added = metadata.Flag($"{Prefix}add_{name}_token", fallback && metadata.Has(idKey));
        return added ? [metadata.Integer(idKey, 0, VocabularyBuilder.IdLimit - 1)] : [];
    }
}

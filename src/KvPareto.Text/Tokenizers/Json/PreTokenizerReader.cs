using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>The <c>pre_tokenizer</c> of a <c>tokenizer.json</c>.</summary>
internal static class PreTokenizerReader
{
    // Rust's \w, which unlike Oniguruma's has the joiners and no superscripts; see CharacterKind.IsWord.
    private const string Word = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u24B6-\u24E9\u200C\u200D";

    /// <summary>The pre-tokenizers in order, sequences flattened.</summary>
    /// <exception cref="ConfigException">One is not known.</exception>
    public static IEnumerable<PreTokenizer> Read(JsonPart part) => part.Type switch
    {
        "Sequence" => part.Required("pretokenizers").Items().SelectMany(Read),
        "ByteLevel" => [new ByteLevelPreTokenizer(part.Bool("add_prefix_space", true), part.Bool("use_regex", true))],
        "Split" => [new SplitPreTokenizer(ReadPattern(part.Required("pattern")), ReadBehavior(part), part.Bool("invert", false))],
        "Digits" => [new SplitPreTokenizer(
            CharacterPattern.Digits, part.Bool("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous)],
        "Punctuation" => [new SplitPreTokenizer(CharacterPattern.Punctuation, ReadBehavior(part))],
        "Whitespace" => [new SplitPreTokenizer(new RegexPattern($@"[{Word}]+|[^{Word}\s]+"), SplitBehavior.Removed, invert: true)],
        "WhitespaceSplit" => [new SplitPreTokenizer(CharacterPattern.WhiteSpace, SplitBehavior.Removed)],
        "CharDelimiterSplit" => [new SplitPreTokenizer(new LiteralPattern(part.String("delimiter")), SplitBehavior.Removed)],
        "Metaspace" => [ReadMetaspace(part)],
        var type => throw part.Unknown(
            "the pre-tokenizer", type, "Sequence", "ByteLevel", "Split", "Digits", "Punctuation", "Whitespace", "WhitespaceSplit",
                "CharDelimiterSplit", "Metaspace"),
    };

    /// <summary>A pattern: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
    /// <exception cref="ConfigException">The regex uses what is not known.</exception>
    public static TextPattern ReadPattern(JsonPart part)
    {
        if (part.Child("String") is { } literal) return new LiteralPattern(literal.AsString());
        if (part.Child("Regex") is not { } regex) throw part.Error("expected String or Regex");
        try
        {
            return RegexPattern.Create(regex.AsString());
        }
        catch (FormatException problem)
        {
            throw new ConfigException($"{regex.File}: {regex.Path}: not known: {problem.Message}", problem);
        }
    }

    /// <summary>
    /// Replacement and scheme of a Metaspace, in the old form (<c>add_prefix_space</c>) or the new (<c>prepend_scheme</c>).
    /// </summary>
    public static (string Replacement, PrependScheme Scheme) ReadMetaspaceSettings(JsonPart part)
    {
        var replacement = part.String("replacement");
        if (replacement.Length != 1) throw part.Error("the replacement must be one character");
        var scheme = part.String("prepend_scheme", part.Bool("add_prefix_space", true) ? "always" : "never");
        return (replacement, scheme switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw part.Unknown("the prepend_scheme", scheme, "always", "first", "never"),
        });
    }

    private static MetaspacePreTokenizer ReadMetaspace(JsonPart part)
    {
        var (replacement, scheme) = ReadMetaspaceSettings(part);
        return new(replacement, scheme, part.Bool("split", true));
    }

    private static SplitBehavior ReadBehavior(JsonPart part) =>
        part.String("behavior", "Isolated") is var name && Enum.TryParse<SplitBehavior>(name, out var behavior) && Enum.IsDefined(behavior)
            && !char.IsAsciiDigit(name[0])
            ? behavior
            : throw part.Unknown("the behavior", name, Enum.GetNames<SplitBehavior>());
}

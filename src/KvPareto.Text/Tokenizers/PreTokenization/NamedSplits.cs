namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>How a byte-level tokenizer splits text, by the name that GGUF's <c>tokenizer.ggml.pre</c> gives it.</summary>
/// <param name="Patterns">Regexes, each splitting what the one before it left.</param>
/// <param name="IgnoreMerges">A piece that is itself a token is taken whole.</param>
/// <param name="AddBos">A leading BOS where the file does not say otherwise.</param>
/// <param name="Nfc">Text is brought to NFC first, as the models' <c>tokenizer.json</c> has it.</param>
internal sealed record NamedSplit(string[] Patterns, bool IgnoreMerges = false, bool AddBos = false, bool Nfc = false);

/// <summary>
/// The names that llama.cpp knows (src/llama-vocab.cpp). Where it quotes the regex of the model's own <c>tokenizer.json</c> beside one
/// of its own making, the model's stands here: the ids are the model's.
/// </summary>
internal static class NamedSplits
{
    private const string Digit = @"\p{N}";
    private const string Cjk = "[一-龥ࠀ-一가-\uD7FF]+";

    private const string CasedWords =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+{0}|"
            + @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*{0}|\p{N}{1}| ?[^\s\p{L}\p{N}]+"
            + @"[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    // Letters that have a case, as of Unicode 11; escaped, since some are canonically equivalent to others.
    private const string CasedLetters =
        "A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373\u0376\u0377"
            + "\u037B-\u037D\u037F\u0386"
        + "\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-"
        + "\u13FD\u1C90-\u1CBA"
        + "\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57"
        + "\u1F59\u1F5B\u1F5D"
        + "\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-"
        + "\u1FF4\u1FF6-\u1FFC"
        + "\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-"
        + "\u2149\u214E\u2183\u2184"
        + "\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E"
        + "\uAB70-\uABBF"
        + "\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3\U000104D8-\U000104FB"
        + "\U00010C80-\U00010CB2"
        + "\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-\U0001E943";

    private static readonly NamedSplit Gpt2 = new([WordPattern.Gpt2Regex]);
    private static readonly NamedSplit Llama3 = new([WordPattern.Llama3Regex], IgnoreMerges: true, AddBos: true);
    private static readonly NamedSplit Cl100k = new([WordPattern.Llama3Regex]);
    private static readonly NamedSplit Qwen2 = new([WordPattern.Qwen2Regex], Nfc: true);
    private static readonly NamedSplit SingleDigits = new([Digit, WordPattern.Gpt2Regex]);
    private static readonly NamedSplit O200k = new([Cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "{1,3}")]);
    private static readonly NamedSplit Bloom = new([" ?[^(\\s|.,!?…。，、।۔،)]+"]);

    private static readonly NamedSplit Default =
        new([@"[\p{P}\$\+<=>\^~\|]+", WordPattern.Gpt2Regex, @"\p{N}+", "[0-9][0-9][0-9]"]);

    private static readonly NamedSplit DeepSeek3 = new(
        [@"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
            @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*"
                + @"[\r\n]+|\s+(?!\S)|\s+"]);

    private static readonly Dictionary<string, NamedSplit> All = new(StringComparer.Ordinal)
    {
        ["llama-bpe"] = Llama3,
        ["llama3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["falcon3"] = Llama3,
        ["falcon-h1"] = Llama3,
        ["pixtral"] = Llama3,
        ["midm-2.0"] = Llama3,
        ["lfm2"] = Llama3,
        ["qwen2"] = Qwen2,
        ["deepseek-r1-qwen"] = Qwen2,
        ["megrez"] = Qwen2,
        ["stablelm2"] = new([WordPattern.Qwen2Regex]),
        ["hunyuan"] = new([WordPattern.Qwen2Regex]),
        ["tekken"] = new([Cased("", "")], IgnoreMerges: true, AddBos: true),
        ["smaug-bpe"] = Cl100k,
        ["dbrx"] = Cl100k,
        ["glm4"] = Cl100k,
        ["chatglm-bpe"] = Cl100k,
        ["gpt-4o"] = O200k,
        ["llama4"] = O200k,
        ["deepseek-llm"] = new([@"[\r\n]", $@"\s?[{CasedLetters}]+", @"\s?[!-/:-~！-／：-～‘-‟　-。]+", @"\s+$", Cjk, @"\p{N}+"]),
        ["deepseek-coder"] = new([@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", Cjk, Digit]),
        ["deepseek-v3"] = DeepSeek3,
        ["hunyuan-dense"] = DeepSeek3,
        ["falcon"] = new([@"[\p{P}\$\+<=>\^~\|`]+", WordPattern.Gpt2Regex, "[0-9][0-9][0-9]"]),
        ["smollm"] = SingleDigits,
        ["starcoder"] = SingleDigits,
        ["refact"] = SingleDigits,
        ["command-r"] = SingleDigits,
        ["codeshell"] = SingleDigits,
        ["exaone"] = SingleDigits,
        ["minerva-7b"] = SingleDigits,
        ["gpt-2"] = Gpt2,
        ["phi-2"] = Gpt2,
        ["gigachat"] = Gpt2,
        ["mpt"] = Gpt2,
        ["olmo"] = Gpt2,
        ["jais"] = Gpt2,
        ["trillion"] = Gpt2,
        ["exaone4"] = Gpt2,
        ["bloom"] = Bloom,
        ["poro-chat"] = Bloom,
        ["gpt3-finnish"] = Bloom,
        ["viking"] = Bloom with { Patterns = [.. Bloom.Patterns, Digit] },
        [DefaultName] = Default,
    };

    /// <summary>What is meant where a file has no name.</summary>
    public const string DefaultName = "default";

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => All.Keys;

    /// <summary>The splitting with one of the <see cref="Names"/>.</summary>
    public static NamedSplit Of(string name) => All[name];

    private static string Cased(string contractions, string digits) =>
        CasedWords.Replace("{0}", contractions, StringComparison.Ordinal).Replace("{1}", digits, StringComparison.Ordinal);
}

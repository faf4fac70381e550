using KvPareto.Engine.Text.Bpe;
using KvPareto.Engine.Text.Decoding;
using KvPareto.Engine.Text.Normalization;
using KvPareto.Engine.Text.PreTokenization;

namespace KvPareto.Engine.Text;

/// <summary>What a byte-level BPE tokenizer is made of where no <c>tokenizer.json</c> says it, as in a GGUF file's metadata.</summary>
public sealed record TokenizerParts
{
    /// <summary>The splitting regex of GPT-2 (GGUF: <c>gpt-2</c>).</summary>
    public const string Gpt2Regex = WordPattern.Gpt2Regex;

    /// <summary>The splitting regex of Llama 3 (GGUF: <c>llama-bpe</c>).</summary>
    public const string Llama3Regex = WordPattern.Llama3Regex;

    /// <summary>The splitting regex of Qwen 2 to 3 (GGUF: <c>qwen2</c>).</summary>
    public const string Qwen2Regex = WordPattern.Qwen2Regex;

    /// <summary>File the parts come from, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>
    /// The token of each id in the printable byte alphabet; null where an id has none. Added tokens may, but need not, be here too.
    /// </summary>
    public required IReadOnlyList<string?> Tokens { get; init; }

    /// <summary>Merges in rank order.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>Tokens found in the text before it is split.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>
    /// Splitting regexes (Oniguruma syntax), applied one after the other, each match a piece. None: the text is one piece.
    /// </summary>
    public IReadOnlyList<string> SplitPatterns { get; init; } = [];

    /// <summary>Bring the text to Unicode form NFC first, as Qwen does.</summary>
    public bool NormalizeNfc { get; init; }

    /// <summary>A piece that is itself a token is taken whole, as Llama 3 does.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Ids put before the text when special tokens are added.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];

    /// <summary>Ids put after the text when special tokens are added.</summary>
    public IReadOnlyList<int> Suffix { get; init; } = [];

    internal TokenizerDefinition ToDefinition()
    {
        var builder = new VocabularyBuilder(Source);
        for (var id = 0; id < Tokens.Count; id++)
            if (Tokens[id] is { } token) builder.AddToken(token, id, $"tokens[{id}]");
        for (var i = 0; i < AddedTokens.Count; i++) builder.AddAddedToken(AddedTokens[i], $"added token {i}");
        var merges = new MergeTable(builder.Vocabulary);
        for (var i = 0; i < Merges.Count; i++)
            if (merges.Add(Merges[i].Left, Merges[i].Right) is { } problem) throw new ConfigException($"{Source}: merges[{i}]: {problem}");
        foreach (var id in Prefix.Concat(Suffix))
            if (!builder.HasId(id))
                throw new ConfigException($"{Source}: special token id {id} is not in the vocabulary (0 to {Tokens.Count - 1})");
        return new()
        {
            Tokens = builder,
            Merges = merges,
            Options = new(IgnoreMerges: IgnoreMerges),
            Normalizer = NormalizeNfc ? new UnicodeNormalizer(UnicodeForm.Nfc) : null,
            PreTokenizers = [.. SplitPatterns.Select(Splitter), new ByteLevelPreTokenizer(addPrefixSpace: false, useRegex: false)],
            Templates = Prefix.Count + Suffix.Count == 0 ? [] : [new([[.. Prefix], null, [.. Suffix]])],
            Decoder = static next => new ByteLevelStage(next),
        };
    }

    private SplitPreTokenizer Splitter(string pattern)
    {
        try
        {
            return new(RegexPattern.Create(pattern), SplitBehavior.Isolated);
        }
        catch (FormatException problem)
        {
            throw new ConfigException($"{Source}: {problem.Message}", problem);
        }
    }
}

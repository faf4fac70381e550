using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.Decoding;
using KvPareto.Text.Tokenizers.Normalization;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers;

/// <summary>What a byte-level BPE tokenizer is made of where no <c>tokenizer.json</c> says it, as in a GGUF file's metadata.</summary>
public sealed record TokenizerParts : VocabularyParts
{
    /// <summary>The splitting regex of GPT-2 (GGUF: <c>gpt-2</c>).</summary>
    public const string Gpt2Regex = WordPattern.Gpt2Regex;

    /// <summary>The splitting regex of Llama 3 (GGUF: <c>llama-bpe</c>).</summary>
    public const string Llama3Regex = WordPattern.Llama3Regex;

    /// <summary>The splitting regex of Qwen 2 to 3 (GGUF: <c>qwen2</c>).</summary>
    public const string Qwen2Regex = WordPattern.Qwen2Regex;

    /// <summary>Merges in rank order.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>
    /// Splitting regexes (Oniguruma syntax), applied one after the other, each match a piece. None: the text is one piece.
    /// </summary>
    public IReadOnlyList<string> SplitPatterns { get; init; } = [];

    /// <summary>Bring the text to Unicode form NFC first, as Qwen does.</summary>
    public bool NormalizeNfc { get; init; }

    /// <summary>A piece that is itself a token is taken whole, as Llama 3 does.</summary>
    public bool IgnoreMerges { get; init; }

    internal override TokenizerDefinition ToDefinition()
    {
        var builder = BuildVocabulary();
        var merges = new MergeList(builder.Vocabulary, $"{Source}: merges");
        foreach (var (left, right) in Merges) merges.Add(left, right);
        return new()
        {
            Tokens = builder,
            Merges = merges,
            Options = new(IgnoreMerges: IgnoreMerges),
            Normalizer = NormalizeNfc ? new UnicodeNormalizer(UnicodeForm.Nfc) : null,
            PreTokenizers = [.. SplitPatterns.Select(Splitter), new ByteLevelPreTokenizer(addPrefixSpace: false, useRegex: false)],
            Templates = Templates,
            Decoder = static (next, budget) => new ByteLevelStage(next, budget),
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

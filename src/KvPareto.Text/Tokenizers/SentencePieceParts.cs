using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.Decoding;
using KvPareto.Text.Tokenizers.Normalization;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers;

/// <summary>
/// What a SentencePiece BPE model (Kudo and Richardson 2018) is made of. It has scores instead of merges: of all neighbours whose
/// join is a token the one of highest score merges first.
/// </summary>
internal sealed record SentencePieceParts : VocabularyParts
{
    // Every way to cut a token in two is looked up. SentencePiece's own limit is 16 characters unless a trainer raises it.
    private const int LongestToken = 128;

    /// <summary>Score of each id's token; null for one that no merge may form.</summary>
    public required IReadOnlyList<float?> Scores { get; init; }

    /// <summary>Token of characters that neither the vocabulary nor its bytes have; null drops them.</summary>
    public int? UnknownId { get; init; }

    /// <summary>A space goes before the text, and before what follows an added token.</summary>
    public bool PrependSpace { get; init; }

    /// <summary>
    /// The merges in rank order: by score, of equal ones by the ids of the whole, of its left and of
    /// its right part, as in the <c>tokenizer.json</c> of Llama 2 and Mistral.
    /// </summary>
    /// <exception cref="ConfigException">A token is too long to be cut.</exception>
    public IReadOnlyList<(string Left, string Right)> RankedMerges(TokenTable vocabulary)
    {
        var merges = from id in ScoredIds
                     let token = Tokens[id]!
                     from cut in Cuts(token, id, vocabulary)
                     let parts = (Left: token[..cut], Right: token[cut..])
                     orderby Scores[id] descending, id, vocabulary.IdOrMinusOne(parts.Left), vocabulary.IdOrMinusOne(parts.Right)
                     select parts;
        return [.. merges];
    }

    internal override TokenizerDefinition ToDefinition()
    {
        var builder = BuildVocabulary();
        var visibleSpace = MergeList.WordStart.ToString();
        var spaces = new ReplaceNormalizer(new LiteralPattern(" "), visibleSpace);
        return new()
        {
            Tokens = builder,
            Merges = Merges(builder.Vocabulary),
            Options = new(ByteFallback: true, UnknownId: UnknownId, FuseUnknown: true),
            Normalizer = PrependSpace ? new SequenceNormalizer([new PrependNormalizer(visibleSpace), spaces]) : spaces,
            Templates = Templates,
            Decoder = (next, budget) => new ReplaceStage(
                new LiteralPattern(visibleSpace), " ",
                    new ByteFallbackStage(new FuseStage(new StripStage(' ', PrependSpace ? 1 : 0, 0, next, budget)), budget), budget),
        };
    }

    private IEnumerable<int> ScoredIds => Enumerable.Range(0, Tokens.Count).Where(id => Tokens[id] is not null && Scores[id] is not null);

    private MergeList Merges(TokenTable vocabulary)
    {
        foreach (var id in ScoredIds)
            if (float.IsNaN(Scores[id]!.Value)) throw new ConfigException($"{Source}: scores[{id}] is not a number");
        var merges = new MergeList(vocabulary, $"{Source}: merges");
        foreach (var (left, right) in RankedMerges(vocabulary)) merges.Add(left, right);
        return merges;
    }

    /// <summary>Where a token can be cut into two others.</summary>
    private IEnumerable<int> Cuts(string token, int id, TokenTable vocabulary)
    {
        if (token.Length > LongestToken)
            throw new ConfigException($"{Source}: tokens[{id}] has {token.Length} characters; allowed: up to {LongestToken}");
        for (var cut = 1; cut < token.Length; cut++)
            if (IsPart(token.AsSpan(0, cut)) && IsPart(token.AsSpan(cut))) yield return cut;

        bool IsPart(ReadOnlySpan<char> part) => vocabulary.IdOrMinusOne(part) >= 0 && !MergeList.IsByte(part);
    }
}

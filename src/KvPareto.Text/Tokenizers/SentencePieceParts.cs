using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.Decoding;
using KvPareto.Text.Tokenizers.Normalization;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers;

/// <summary>
/// What a SentencePiece BPE model (Kudo and Richardson 2018) is made of. It has scores instead of merges: of all neighbours whose
/// join is a token the one of highest score merges first, of equal ones the leftmost.
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
    /// The merges for a tokenizer whose ranks all differ, in rank order: by score, of equal ones by the ids of the whole, of its left and of
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
        var visibleSpace = BpeModel.WordStart.ToString();
        var spaces = new ReplaceNormalizer(new LiteralPattern(" "), visibleSpace);
        return new()
        {
            Tokens = builder,
            Merges = Merges(builder.Vocabulary),
            Options = new(ByteFallback: true, UnknownId: UnknownId, FuseUnknown: true),
            Normalizer = PrependSpace ? new SequenceNormalizer([new PrependNormalizer(visibleSpace), spaces]) : spaces,
            Templates = Templates,
            Decoder = (next, budget) => new ReplaceStage(
                new LiteralPattern(visibleSpace), " ", new ByteFallbackStage(new FuseStage(new StripStage(' ', PrependSpace ? 1 : 0, 0, next, budget)), budget), budget),
        };
    }

    private IEnumerable<int> ScoredIds => Enumerable.Range(0, Tokens.Count).Where(id => Tokens[id] is not null && Scores[id] is not null);

    private MergeTable Merges(TokenTable vocabulary)
    {
        var merges = new MergeTable(vocabulary);
        var rank = 0;
        foreach (var equals in ScoredIds.GroupBy(id => Scores[id]!.Value).OrderByDescending(static group => group.Key))
        {
            if (float.IsNaN(equals.Key)) throw new ConfigException($"{Source}: scores[{equals.First()}] is not a number");
            foreach (var id in equals)
                foreach (var cut in Cuts(Tokens[id]!, id, vocabulary)) merges.Add(Tokens[id].AsSpan(0, cut), Tokens[id].AsSpan(cut), rank);
            rank++;
        }
        return merges;
    }

    /// <summary>Where a token can be cut into two others.</summary>
    private IEnumerable<int> Cuts(string token, int id, TokenTable vocabulary)
    {
        if (token.Length > LongestToken)
            throw new ConfigException($"{Source}: tokens[{id}] has {token.Length} characters; allowed: up to {LongestToken}");
        for (var cut = 1; cut < token.Length; cut++)
            if (vocabulary.TryGetId(token.AsSpan(0, cut), out _) && vocabulary.TryGetId(token.AsSpan(cut), out _)) yield return cut;
    }
}

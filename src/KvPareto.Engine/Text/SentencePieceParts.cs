using KvPareto.Engine.Text.Bpe;
using KvPareto.Engine.Text.Decoding;
using KvPareto.Engine.Text.Normalization;
using KvPareto.Engine.Text.PreTokenization;

namespace KvPareto.Engine.Text;

/// <summary>
/// What a SentencePiece BPE model (Kudo and Richardson 2018) is made of. It has scores instead of merges: of all neighbours whose
/// join is a token the one of highest score merges first, of equal ones the leftmost.
/// </summary>
internal sealed record SentencePieceParts
{
    // Every way to cut a token in two is looked up. SentencePiece's own limit is 16 characters unless a trainer raises it.
    private const int LongestToken = 128;

    /// <summary>File the parts come from, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>The token of each id, with ▁ for a space and <c>&lt;0xNN&gt;</c> for a byte; null where an id has none.</summary>
    public required IReadOnlyList<string?> Tokens { get; init; }

    /// <summary>Score of each id's token; null for one that no merge may form.</summary>
    public required IReadOnlyList<float?> Scores { get; init; }

    /// <summary>Token of characters that neither the vocabulary nor its bytes have; null drops them.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Tokens found in the text before it is split.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>A space goes before the text, and before what follows an added token.</summary>
    public bool PrependSpace { get; init; }

    /// <summary>Ids put before the text when special tokens are added.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];

    /// <summary>Ids put after the text when special tokens are added.</summary>
    public IReadOnlyList<int> Suffix { get; init; } = [];

    /// <exception cref="ConfigException">The parts contradict each other.</exception>
    public TokenizerDefinition ToDefinition()
    {
        var builder = new VocabularyBuilder(Source);
        for (var id = 0; id < Tokens.Count; id++)
            if (Tokens[id] is { } token) builder.AddToken(token, id, $"tokens[{id}]");
        for (var i = 0; i < AddedTokens.Count; i++) builder.AddAddedToken(AddedTokens[i], $"added token {i}");
        foreach (var id in Prefix.Concat(Suffix))
            if (!builder.HasId(id)) throw new ConfigException($"{Source}: special token id {id} is not in the vocabulary (0 to {Tokens.Count - 1})");

        var merges = Merges(builder.Vocabulary);
        var visibleSpace = BpeModel.WordStart.ToString();
        var spaces = new ReplaceNormalizer(new LiteralPattern(" "), visibleSpace);
        return new()
        {
            Tokens = builder,
            Merges = merges,
            Options = new(ByteFallback: true, UnknownId: UnknownId, FuseUnknown: true),
            Normalizer = PrependSpace ? new SequenceNormalizer([new PrependNormalizer(visibleSpace), spaces]) : spaces,
            Templates = Prefix.Count + Suffix.Count == 0 ? [] : [new([[.. Prefix], null, [.. Suffix]])],
            Decoder = next => new ReplaceStage(
                new LiteralPattern(visibleSpace), " ", new ByteFallbackStage(new FuseStage(new StripStage(' ', PrependSpace ? 1 : 0, 0, next)))),
        };
    }

    private MergeTable Merges(TokenTable vocabulary)
    {
        var merges = new MergeTable(vocabulary);
        var scored = Enumerable.Range(0, Tokens.Count).Where(id => Tokens[id] is not null && Scores[id] is not null);
        var rank = 0;
        foreach (var equals in scored.GroupBy(id => Scores[id]!.Value).OrderByDescending(static group => group.Key))
        {
            if (float.IsNaN(equals.Key)) throw new ConfigException($"{Source}: scores[{equals.First()}] is not a number");
            foreach (var id in equals) AddCuts(Tokens[id]!, id, rank);
            rank++;
        }
        return merges;

        void AddCuts(string token, int id, int rank)
        {
            if (token.Length > LongestToken)
                throw new ConfigException($"{Source}: tokens[{id}] has {token.Length} characters; allowed: up to {LongestToken}");
            for (var cut = 1; cut < token.Length; cut++)
                if (vocabulary.TryGetId(token.AsSpan(0, cut), out _) && vocabulary.TryGetId(token.AsSpan(cut), out _)) merges.Add(token.AsSpan(0, cut), token.AsSpan(cut), rank);
        }
    }
}

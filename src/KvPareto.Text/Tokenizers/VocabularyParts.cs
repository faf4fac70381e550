using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers;

/// <summary>What every tokenizer has that is made of parts, as another file format than <c>tokenizer.json</c> gives them.</summary>
public abstract record VocabularyParts
{
    /// <summary>File the parts come from, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>
    /// The token of each id; null where an id has none. Added tokens may, but need not, be here too. In byte-level vocabularies they
    /// are in the printable byte alphabet, in SentencePiece's with ▁ for a space and <c>&lt;0xNN&gt;</c> for a byte.
    /// </summary>
    public required IReadOnlyList<string?> Tokens { get; init; }

    /// <summary>Tokens found in the text before it is split.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Ids put before the text when special tokens are added.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];

    /// <summary>Ids put after the text when special tokens are added.</summary>
    public IReadOnlyList<int> Suffix { get; init; } = [];

    /// <summary>What special tokens are added.</summary>
    private protected IReadOnlyList<SpecialTokenTemplate> Templates =>
        Prefix.Count + Suffix.Count == 0 ? [] : [new([[.. Prefix], null, [.. Suffix]])];

    /// <summary>All parts, checked and ready.</summary>
    /// <exception cref="ConfigException">The parts contradict each other.</exception>
    internal abstract TokenizerDefinition ToDefinition();

    /// <summary>The tokens, checked against each other and against <see cref="Prefix"/> and <see cref="Suffix"/>.</summary>
    /// <exception cref="ConfigException">They contradict each other.</exception>
    private protected VocabularyBuilder BuildVocabulary()
    {
        var builder = new VocabularyBuilder(Source);
        for (var id = 0; id < Tokens.Count; id++)
            if (Tokens[id] is { } token) builder.AddToken(token, id, $"tokens[{id}]");
        for (var i = 0; i < AddedTokens.Count; i++) builder.AddAddedToken(AddedTokens[i], $"added token {i}");
        foreach (var id in Prefix.Concat(Suffix))
            if (!builder.HasId(id))
                throw new ConfigException($"{Source}: special token id {id} is not in the vocabulary (0 to {Tokens.Count - 1})");
        return builder;
    }
}

using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;

namespace KvPareto.Text.Tokenizers;

/// <summary>Collects tokens and refuses what contradicts: ids out of range, one id for two tokens, one token with two ids.</summary>
/// <param name="source">File the tokens come from, for messages.</param>
internal sealed class VocabularyBuilder(string source)
{
    /// <summary>Ids end here: sixteen times the largest published vocabularies, and small enough for a table by id.</summary>
    public const int IdLimit = 1 << 22;

    private readonly Dictionary<int, AddedToken> _addedById = [];
    private readonly HashSet<string> _addedContents = new(StringComparer.Ordinal);
    private int[] _indexPlusOne = new int[1024];

    /// <summary>File the tokens come from, for messages.</summary>
    public string Source => source;

    /// <summary>Ids by token, added tokens aside.</summary>
    public TokenTable Vocabulary { get; } = new();

    /// <summary>Added tokens.</summary>
    public List<AddedToken> AddedTokens { get; } = [];

    /// <summary>One more than the largest id.</summary>
    public int IdEnd { get; private set; }

    /// <summary>True where some token has this id.</summary>
    public bool HasId(int id) => InVocabulary(id) || _addedById.ContainsKey(id);

    /// <summary>True where a token of the model's own vocabulary has this id.</summary>
    public bool InVocabulary(int id) => (uint)id < (uint)_indexPlusOne.Length && _indexPlusOne[id] != 0;

    /// <summary>The tokens by id, null where there is a hole; <see cref="IdEnd"/> of them.</summary>
    public string?[] ToArray()
    {
        var tokens = new string?[IdEnd];
        for (var id = 0; id < tokens.Length; id++)
            if (_addedById.TryGetValue(id, out var added)) tokens[id] = added.Content;
            else if (InVocabulary(id)) tokens[id] = Owner(id).ToString();
        return tokens;
    }

    /// <summary>Adds a token of the model's own vocabulary.</summary>
    /// <param name="token">Content.</param>
    /// <param name="id">Id.</param>
    /// <param name="place">Where it stands, for messages.</param>
    /// <exception cref="ConfigException">It contradicts an earlier one.</exception>
    public void AddToken(ReadOnlySpan<char> token, int id, string place)
    {
        CheckRange(token, id, place);
        if (!Vocabulary.TryAdd(token, id)) throw new ConfigException($"{source}: {place}: the token {OneLine.Quote(token)} stands twice");
        if (id >= _indexPlusOne.Length) Array.Resize(ref _indexPlusOne, Math.Min(IdLimit, Math.Max(id + 1, _indexPlusOne.Length * 2)));
        if (_indexPlusOne[id] != 0) throw Both(place, id, Owner(id), token);
        _indexPlusOne[id] = Vocabulary.Count;
    }

    /// <summary>Adds an added token; it may repeat one of the vocabulary, with the same id.</summary>
    /// <param name="token">Token.</param>
    /// <param name="place">Where it stands, for messages.</param>
    /// <exception cref="ConfigException">It contradicts an earlier one.</exception>
    public void AddAddedToken(AddedToken token, string place)
    {
        if (token.Content.Length == 0) return;
        CheckRange(token.Content, token.Id, place);
        if (Vocabulary.TryGetId(token.Content, out var id) && id != token.Id)
            throw new ConfigException(
                $"{source}: {place}: {OneLine.Quote(token.Content)} has id {token.Id} here and {id} in the vocabulary");
        if (!_addedContents.Add(token.Content))
            throw new ConfigException($"{source}: {place}: the token {OneLine.Quote(token.Content)} stands twice");
        if (InVocabulary(token.Id) && !Owner(token.Id).SequenceEqual(token.Content))
            throw Both(place, token.Id, Owner(token.Id), token.Content);
        if (!_addedById.TryAdd(token.Id, token)) throw Both(place, token.Id, _addedById[token.Id].Content, token.Content);
        AddedTokens.Add(token);
    }

    /// <summary>As <see cref="AddAddedToken"/>, but takes the place of an added token with the same content and id.</summary>
    /// <exception cref="ConfigException">It contradicts an earlier one.</exception>
    public void SetAddedToken(AddedToken token, string place)
    {
        if (!_addedById.TryGetValue(token.Id, out var earlier) || earlier.Content != token.Content)
        {
            AddAddedToken(token, place);
            return;
        }
        AddedTokens[AddedTokens.IndexOf(earlier)] = _addedById[token.Id] = token;
    }

    /// <summary>Id of a token by its content, or null.</summary>
    public int? IdOf(string content) =>
        AddedTokens.Find(token => token.Content == content)?.Id ?? (Vocabulary.TryGetId(content, out var id) ? id : null);

    private ReadOnlySpan<char> Owner(int id) => Vocabulary[_indexPlusOne[id] - 1];

    private void CheckRange(ReadOnlySpan<char> token, int id, string place)
    {
        if (id is < 0 or >= IdLimit)
            throw new ConfigException($"{source}: {place}: id {id} of {OneLine.Quote(token)} is not within 0 to {IdLimit - 1}");
        IdEnd = Math.Max(IdEnd, id + 1);
    }

    private ConfigException Both(string place, int id, ReadOnlySpan<char> first, ReadOnlySpan<char> second) =>
        new($"{source}: {place}: id {id} belongs to both {OneLine.Quote(first)} and {OneLine.Quote(second)}");
}

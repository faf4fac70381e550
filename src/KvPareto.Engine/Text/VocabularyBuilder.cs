namespace KvPareto.Engine.Text;

/// <summary>Collects tokens and refuses what contradicts: ids out of range, one id for two tokens, one token with two ids.</summary>
/// <param name="source">File the tokens come from, for messages.</param>
internal sealed class VocabularyBuilder(string source)
{
    /// <summary>Ids end here: sixteen times the largest published vocabularies, and small enough for a table by id.</summary>
    public const int IdLimit = 1 << 22;

    private readonly List<AddedToken> _added = [];
    private readonly HashSet<string> _addedContents = new(StringComparer.Ordinal);
    private string?[] _owners = new string?[1024];

    /// <summary>Ids by token, added tokens aside.</summary>
    public Dictionary<string, int> Vocabulary { get; } = new(StringComparer.Ordinal);

    /// <summary>Added tokens.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _added;

    /// <summary>True where some token has this id.</summary>
    public bool HasId(int id) => id >= 0 && id < _owners.Length && _owners[id] is not null;

    /// <summary>Adds a token of the model's own vocabulary.</summary>
    /// <param name="token">Content.</param>
    /// <param name="id">Id.</param>
    /// <param name="place">Where it stands, for messages.</param>
    /// <exception cref="ConfigException">It contradicts an earlier one.</exception>
    public void AddToken(string token, int id, string place)
    {
        Own(token, id, place);
        if (!Vocabulary.TryAdd(token, id)) throw new ConfigException($"{source}: {place}: the token {ErrorText.Quote(token)} stands twice");
    }

    /// <summary>Adds an added token; it may repeat one of the vocabulary, with the same id.</summary>
    /// <param name="token">Token.</param>
    /// <param name="place">Where it stands, for messages.</param>
    /// <exception cref="ConfigException">It contradicts an earlier one.</exception>
    public void AddAddedToken(AddedToken token, string place)
    {
        if (token.Content.Length == 0) return;
        if (Vocabulary.TryGetValue(token.Content, out var id) && id != token.Id)
            throw new ConfigException($"{source}: {place}: {ErrorText.Quote(token.Content)} has id {token.Id} here and {id} in the vocabulary");
        Own(token.Content, token.Id, place);
        if (!_addedContents.Add(token.Content)) throw new ConfigException($"{source}: {place}: the token {ErrorText.Quote(token.Content)} stands twice");
        _added.Add(token);
    }

    private void Own(string token, int id, string place)
    {
        if (id is < 0 or >= IdLimit) throw new ConfigException($"{source}: {place}: id {id} of {ErrorText.Quote(token)} is not within 0 to {IdLimit - 1}");
        if (id >= _owners.Length) Array.Resize(ref _owners, Math.Min(IdLimit, Math.Max(id + 1, _owners.Length * 2)));
        if (_owners[id] is { } owner && owner != token)
            throw new ConfigException($"{source}: {place}: id {id} belongs to both {ErrorText.Quote(owner)} and {ErrorText.Quote(token)}");
        _owners[id] = token;
    }
}

using System.Text;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.Decoding;
using KvPareto.Text.Tokenizers.Json;
using KvPareto.Text.Tokenizers.Normalization;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers;

/// <summary>
/// Text to token ids and back, as a Hugging Face <c>tokenizer.json</c> defines it (BPE models). Ids and text are those of the Rust
/// library <c>tokenizers</c>. Safe for use from several threads.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenTable _vocabulary;
    private readonly Dictionary<string, AddedToken> _added;
    private readonly string?[] _tokens;
    private readonly bool[] _special;
    private readonly MergeEngine _model;
    private readonly Normalizer? _normalizer;
    private readonly SequencePreTokenizer _preTokenizer;
    private readonly IReadOnlyList<SpecialTokenTemplate> _templates;
    private readonly DecodeStageFactory _decoder;
    private readonly AddedTokenMatcher _inText;
    private readonly AddedTokenMatcher _inNormalized;

    internal Tokenizer(TokenizerDefinition definition)
    {
        (_vocabulary, _normalizer, _templates, _decoder) =
            (definition.Tokens.Vocabulary, definition.Normalizer, definition.Templates, definition.Decoder);
        var added = definition.Tokens.AddedTokens;
        EndOfTurnIds = [.. EndOfTurn.Ids(added)];
        _added = added.ToDictionary(static t => t.Content, StringComparer.Ordinal);
        _tokens = definition.Tokens.ToArray();
        _special = new bool[_tokens.Length];
        foreach (var token in added) _special[token.Id] = token.Special;
        Source = definition.Tokens.Source;
        _inText = new(added.Where(static t => !t.Normalized).Select(static t => (t.Content, t)));
        // Of tokens that are alike when they are normalized the first is found, special ones before others.
        _inNormalized = new(added.Where(static t => t.Normalized).OrderByDescending(static t => t.Special)
            .Select(t => (NormalizeToken(t.Content), t)).Where(static t => t.Item1.Length > 0));

        // Nothing stands between a last ByteLevel and the model: the model maps the bytes itself, and only of pieces not in its cache.
        var stages = definition.PreTokenizers.ToList();
        var mapBytes = stages is [.., ByteLevelPreTokenizer];
        if (mapBytes) stages[^1] = ((ByteLevelPreTokenizer)stages[^1]).WithoutMapping();
        _preTokenizer = new(stages);
        _model = new(definition.Tokens, _tokens, definition.Merges, definition.Options with { MapBytes = mapBytes });
    }

    /// <summary>Ids 0 … this − 1 can occur, added tokens included.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Special tokens that end an answer whatever the model's own end tokens are, in the order of their ids.</summary>
    public IReadOnlyList<int> EndOfTurnIds { get; }

    /// <summary>
    /// Reads <c>tokenizer.json</c> of a model folder, and what <c>tokenizer_config.json</c> says about ids: <c>add_bos_token</c> and
    /// <c>add_eos_token</c>, which replace the post-processor where they stand, and <c>added_tokens_decoder</c>.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face's layout.</param>
    /// <exception cref="ConfigException">Missing, damaged, or of a kind this reader does not know.</exception>
    public static Tokenizer Load(string folder) => new(TokenizerJson.Read(folder));

    /// <summary>Makes a tokenizer of what another file format has, for example GGUF.</summary>
    /// <exception cref="ConfigException">The parts contradict each other.</exception>
    public static Tokenizer Create(TokenizerParts parts) => new(parts.ToDefinition());

    /// <summary>Token ids of <paramref name="text"/>; special tokens written in the text are recognised.</summary>
    /// <param name="text">Text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Apply the template (for example a leading BOS).</param>
    /// <exception cref="ConfigException">The tokenizer's file makes too much work of the text.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        text = WellFormed(text);
        var budget = WorkBudget.ForText(text.Length, Source);
        var ids = new List<int>(text.Length / 4 + 8);
        var chain = _preTokenizer.Attach(new ModelSink(_model, ids, budget), budget);
        foreach (var part in _inText.Split(text, budget))
            if (part.Token is not null) ids.Add(part.Token.Id);
            else EncodeNormalized(Normalize(text[part.Start..part.End], budget), part.Start == 0, chain, ids, budget);
        if (addSpecialTokens)
            foreach (var template in _templates) ids = template.Apply(ids, budget);
        return [.. ids];
    }

    /// <summary>Text of <paramref name="ids"/>; ids that the vocabulary does not have add nothing, invalid UTF-8 becomes U+FFFD.</summary>
    /// <param name="ids">Ids.</param>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var decoder = CreateStreamDecoder(skipSpecialTokens);
        foreach (var id in ids) decoder.Feed(id);
        return decoder.Flush();
    }

    /// <summary>Id of a token by its exact content, or null. Byte-level tokens are written in their printable alphabet.</summary>
    public int? TokenId(string content) =>
        _added.TryGetValue(content, out var added) ? added.Id : _vocabulary.TryGetId(content, out var id) ? id : null;

    /// <summary>Content of the token with this id as the file writes it, or null where the vocabulary has none.</summary>
    public string? TokenContent(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>True for special tokens, which <see cref="Decode"/> leaves out unless told otherwise.</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    /// <summary>A decoder that is fed one id at a time and returns only whole characters.</summary>
    public StreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => new(this, _decoder, skipSpecialTokens);

    /// <summary>File the tokenizer comes from, for messages.</summary>
    internal string Source { get; }

    internal string? DecodableToken(int id, bool skipSpecialTokens) => skipSpecialTokens && IsSpecial(id) ? null : TokenContent(id);

    private void EncodeNormalized(string text, bool opensText, PieceSink chain, List<int> ids, WorkBudget budget)
    {
        foreach (var part in _inNormalized.Split(text, budget))
            if (part.Token is not null) ids.Add(part.Token.Id);
            else chain.Accept(text, part.Start, part.End - part.Start, opensText && part.Start == 0);
    }

    private string Normalize(string text, WorkBudget budget) => _normalizer is null ? text : _normalizer.Apply(text, budget);

    private string NormalizeToken(string content) => Normalize(content, WorkBudget.ForText(content.Length, Source));

    private static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0) return text;
        for (var at = 0; at < text.Length; at++)
            if (at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1])) at++;
            else if (char.IsSurrogate(text[at])) return Encoding.Unicode.GetString(Encoding.Unicode.GetBytes(text));
        return text;
    }
}

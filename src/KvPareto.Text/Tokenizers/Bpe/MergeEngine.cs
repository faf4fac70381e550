using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using KvPareto.Text.Input;
using Library = Microsoft.ML.Tokenizers;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016) of one piece at a time, with the rules of Hugging Face's <c>BPE</c> model: what a character
/// becomes is decided here, the merges are Microsoft.ML.Tokenizers'.
/// </summary>
internal sealed class MergeEngine
{
    // The library takes out merged symbols one by one, in quadratic time.
    private const int LongestMerged = 512;
    private const int UnitsPerSquare = 64;
    private const int ShortWord = 15; // what the library keeps the ids of

    // Half surrogate pairs, which no token and no text has. The library parts a merge at its space, so tokens have another character for
    // one.
    private const char Space = '\uDC00';
    private const char Unknown = '\uDC01';

    private readonly TokenTable _vocabulary;
    private readonly MergeList _merges;
    private readonly BpeOptions _options;
    private readonly Library.BpeTokenizer? _library; // null where the vocabulary is empty

    // Part of the library's ids, by which its table of merges is keyed as they are: a file cannot be made to collide.
    private readonly int _key = RandomNumberGenerator.GetInt32(VocabularyBuilder.IdLimit);
    private readonly int[] _byteIds = new int[256];
    private readonly bool[] _plain = new bool[char.MaxValue + 1]; // known, and the library knows it by the same name
    private readonly bool _hasAffixes;
    private readonly bool _cutsAtWords;

    /// <param name="builder">The vocabulary.</param>
    /// <param name="tokens">The tokens by id.</param>
    /// <param name="merges">Merges over the vocabulary.</param>
    /// <param name="options">Rules.</param>
    /// <exception cref="ConfigException">A merge has a token that is not in the vocabulary.</exception>
    public MergeEngine(VocabularyBuilder builder, ReadOnlySpan<string?> tokens, MergeList merges, BpeOptions options)
    {
        (_vocabulary, _merges, _options) = (builder.Vocabulary, merges, options);
        for (var b = 0; b < _byteIds.Length; b++) _byteIds[b] = _vocabulary.IdOrMinusOne($"<0x{b:X2}>");
        _hasAffixes = options.ContinuingPrefix.Length + options.EndSuffix.Length > 0;
        _cutsAtWords = !options.MapBytes && !options.IgnoreMerges && !_hasAffixes && _vocabulary.IdOrMinusOne([MergeList.WordStart]) >= 0;
        var vocabulary = new List<KeyValuePair<string, int>>(_vocabulary.Count);
        for (var id = 0; id < tokens.Length; id++)
        {
            if (!builder.InVocabulary(id)) continue;
            vocabulary.Add(new(Visible(tokens[id]!), id ^ _key));
            if (tokens[id] is [var character] && character != ' ') _plain[character] = true;
        }
        if (vocabulary.Count > 0) _library = Create(vocabulary, options.UnknownId is { } unknown ? Visible(tokens[unknown]!) : null);
    }

    /// <summary>Appends the ids of <paramref name="piece"/>.</summary>
    /// <exception cref="ConfigException">The merges make too much work of it.</exception>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids, PieceMemo memo, WorkBudget budget)
    {
        if (_cutsAtWords && piece.Length > ShortWord)
            while (NextWord(piece) is var cut and > 0)
            {
                EncodeOnce(piece[..cut], ids, memo, budget);
                piece = piece[cut..];
            }
        EncodeOnce(piece, ids, memo, budget);
    }

    private void EncodeOnce(ReadOnlySpan<char> piece, List<int> ids, PieceMemo memo, WorkBudget budget)
    {
        if (memo.TryRepeat(piece)) return;
        var start = ids.Count;
        EncodeWord(piece, ids, budget);
        memo.Keep(piece, start);
    }

    // No merge joins what stands on the two sides of such a cut, and a known character after it ends any run of unknown ones, so the
    // parts encode as the whole would.
    private int NextWord(ReadOnlySpan<char> piece)
    {
        for (var from = 1; from < piece.Length; from++)
        {
            var offset = piece[from..].IndexOf(MergeList.WordStart);
            if (offset < 0) return 0;
            from += offset;
            if (piece[from - 1] != MergeList.WordStart && !_merges.JoinsWordStart(piece[from - 1])) return from;
        }
        return 0;
    }

    private void EncodeWord(ReadOnlySpan<char> piece, List<int> ids, WorkBudget budget)
    {
        if (_library is null) return;
        if (_options.MapBytes) piece = ByteAlphabet.Map(piece);
        if (_options.IgnoreMerges && _vocabulary.TryGetId(piece, out var whole)) ids.Add(whole);
        else if (_hasAffixes) EncodeWithAffixes(piece, ids, budget);
        else if (IsPlain(piece)) Merge(piece, ids, budget);
        else EncodeCharacters(piece, ids, budget);
    }

    private bool IsPlain(ReadOnlySpan<char> piece)
    {
        foreach (var character in piece)
            if (!_plain[character]) return false;
        return true;
    }

    // Which characters are known depends on where in the piece they stand: the library looks.
    private void EncodeWithAffixes(ReadOnlySpan<char> piece, List<int> ids, WorkBudget budget)
    {
        budget.Spend((long)piece.Length * piece.Length / UnitsPerSquare);
        MergeShort(Visible(piece.ToString()), ids);
    }

    private void EncodeCharacters(ReadOnlySpan<char> piece, List<int> ids, WorkBudget budget)
    {
        var rented = ArrayPool<char>.Shared.Rent(piece.Length);
        var (count, unknownPending) = (0, false);
        for (var at = 0; at < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[at..], out _, out var width);
            var character = piece.Slice(at, width);
            at += width;
            if (_vocabulary.IdOrMinusOne(character) >= 0)
            {
                if (unknownPending) rented[count++] = Unknown;
                unknownPending = false;
                character.CopyTo(rented.AsSpan(count));
                if (character[0] == ' ') rented[count] = Space;
                count += width;
            }
            // A pending unknown token is not flushed here: Hugging Face's comes after the bytes, too.
            else if (_options.ByteFallback && HasBytes(character))
            {
                Merge(rented.AsSpan(0, count), ids, budget);
                count = 0;
                AddBytes(character, ids);
            }
            else if (_options.UnknownId is not null)
            {
                if (unknownPending && !_options.FuseUnknown) rented[count++] = Unknown;
                unknownPending = true;
            }
        }
        if (unknownPending) rented[count++] = Unknown;
        Merge(rented.AsSpan(0, count), ids, budget);
        ArrayPool<char>.Shared.Return(rented);
    }

    private bool HasBytes(ReadOnlySpan<char> character)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var b in bytes[..Encoding.UTF8.GetBytes(character, bytes)])
            if (_byteIds[b] < 0) return false;
        return true;
    }

    private void AddBytes(ReadOnlySpan<char> character, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var b in bytes[..Encoding.UTF8.GetBytes(character, bytes)]) ids.Add(_byteIds[b]);
    }

    private void Merge(ReadOnlySpan<char> characters, List<int> ids, WorkBudget budget)
    {
        if (characters.Length > LongestMerged) MergeLong(characters, ids, budget);
        else if (!characters.IsEmpty) MergeShort(characters, ids);
    }

    private void MergeShort(ReadOnlySpan<char> characters, List<int> ids)
    {
        var merged = _library!.EncodeToIds(characters, considerPreTokenization: false, considerNormalization: false);
        for (var i = 0; i < merged.Count; i++) ids.Add(merged[i] ^ _key);
    }

    /// <summary>
    /// Merges a stretch window by window, each from a token boundary of the one before. Where both have the same first token there, no
    /// merge of the whole crosses its two ends: one that did would have found the same neighbours, in the same order of ranks, in the
    /// window that holds them. So the tokens of the one up to there and of the other from there are those of the whole.
    /// </summary>
    private void MergeLong(ReadOnlySpan<char> characters, List<int> ids, WorkBudget budget)
    {
        var (start, length) = (0, LongestMerged);
        var tokens = Tokens(characters, start, length);
        while (start + length < characters.Length)
        {
            var last = 0;
            while (last < tokens.Count && tokens[last].Offset.Start.Value < length - length / 4) last++;
            if (last > 0 && last < tokens.Count)
            {
                var next = Tokens(characters, start + tokens[last].Offset.Start.Value, LongestMerged);
                if (next[0].Offset.End.Value == tokens[last].Offset.End.Value - tokens[last].Offset.Start.Value)
                {
                    for (var i = 0; i < last; i++) ids.Add(tokens[i].Id ^ _key);
                    (start, length, tokens) = (start + tokens[last].Offset.Start.Value, LongestMerged, next);
                    continue;
                }
            }
            length *= 2;
            budget.Spend((long)length * length / UnitsPerSquare);
            tokens = Tokens(characters, start, length);
        }
        foreach (var token in tokens) ids.Add(token.Id ^ _key);
    }

    private IReadOnlyList<Library.EncodedToken> Tokens(ReadOnlySpan<char> characters, int start, int length)
    {
        var end = Math.Min(start + length, characters.Length);
        if (char.IsHighSurrogate(characters[end - 1])) end--;
        return _library!.EncodeToTokens(characters[start..end], out _, considerPreTokenization: false, considerNormalization: false);
    }

    private Library.BpeTokenizer Create(IEnumerable<KeyValuePair<string, int>> vocabulary, string? unknownToken)
    {
        var library = new Library.BpeOptions(vocabulary)
        {
            Merges = _merges.Unchecked,
            UnknownToken = unknownToken,
            FuseUnknownTokens = _options.FuseUnknown,
            ContinuingSubwordPrefix = _options.ContinuingPrefix.Length > 0 ? Visible(_options.ContinuingPrefix) : null,
            EndOfWordSuffix = _options.EndSuffix.Length > 0 ? Visible(_options.EndSuffix) : null,
        };
        try
        {
            return Library.BpeTokenizer.Create(library);
        }
        catch (Exception problem) when (problem is InvalidOperationException or ArgumentException)
        {
            _merges.Check();
            library.Merges = _merges.Distinct(Space);
            return Library.BpeTokenizer.Create(library);
        }
    }

    private static string Visible(string text) => text.Replace(' ', Space);
}

using System.Buffers;
using System.Text;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>How characters outside the vocabulary and whole words are treated.</summary>
/// <param name="MapBytes">Pieces come as text and are mapped to <see cref="ByteAlphabet"/> here.</param>
/// <param name="IgnoreMerges">A piece that is itself a token is taken whole.</param>
/// <param name="ByteFallback">Unknown characters become <c>&lt;0xNN&gt;</c> tokens of their UTF-8 bytes.</param>
/// <param name="UnknownId">Id for other unknown characters; null drops them.</param>
/// <param name="FuseUnknown">Neighbouring unknown characters become one token.</param>
/// <param name="ContinuingPrefix">Put before every character of a piece but the first.</param>
/// <param name="EndSuffix">Put after the last character of a piece.</param>
internal sealed record BpeOptions(
    bool MapBytes = false,
    bool IgnoreMerges = false,
    bool ByteFallback = false,
    int? UnknownId = null,
    bool FuseUnknown = false,
    string ContinuingPrefix = "",
    string EndSuffix = "");

/// <summary>Byte-pair encoding (Sennrich et al. 2016) of one piece at a time, with the rules of Hugging Face's <c>BPE</c> model.</summary>
internal sealed class BpeModel
{
    /// <summary>SentencePiece's visible space.</summary>
    public const char WordStart = '\u2581';

    private const int LongestQuadratic = 40;

    // Covers ByteAlphabet and Latin.
    private const int CommonCharacters = 0x180;

    private readonly TokenTable _ids;
    private readonly MergeTable _merges;
    private readonly BpeOptions _options;
    private readonly int[] _byteIds = new int[256];
    private readonly int[] _characterIds = new int[CommonCharacters];
    private readonly bool _cutsAtWords;
    private readonly PieceCache _cache = new();

    public BpeModel(TokenTable vocabulary, MergeTable merges, BpeOptions options)
    {
        (_ids, _merges, _options) = (vocabulary, merges, options);
        for (var b = 0; b < _byteIds.Length; b++) _byteIds[b] = vocabulary.IdOrMinusOne($"<0x{b:X2}>");
        for (var c = 0; c < CommonCharacters; c++) _characterIds[c] = vocabulary.IdOrMinusOne([(char)c]);
        _cutsAtWords = !options.MapBytes && !options.IgnoreMerges && options.ContinuingPrefix.Length == 0 && options.EndSuffix.Length == 0
            && vocabulary.TryGetId([WordStart], out _);
    }

    /// <summary>Appends the ids of <paramref name="piece"/>.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_cutsAtWords && piece.Length > PieceCache.LongestPiece)
            while (NextWord(piece) is var cut and > 0)
            {
                EncodeWord(piece[..cut], ids);
                piece = piece[cut..];
            }
        EncodeWord(piece, ids);
    }

    // No merge joins what stands on the two sides of such a cut, and a known character after it ends any run of unknown ones, so the
    // parts encode as the whole would: a text without pre-tokenizer need not be one queue of a million symbols.
    private int NextWord(ReadOnlySpan<char> piece)
    {
        for (var from = 1; from < piece.Length; from++)
        {
            var offset = piece[from..].IndexOf(WordStart);
            if (offset < 0) return 0;
            from += offset;
            if (piece[from - 1] != WordStart && !_merges.JoinsWordStart(piece[from - 1])) return from;
        }
        return 0;
    }

    private void EncodeWord(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.Length > PieceCache.LongestPiece)
        {
            EncodeUncached(piece, ids);
            return;
        }
        if (_cache.TryAppend(piece, ids)) return;
        var start = ids.Count;
        EncodeUncached(piece, ids);
        _cache.Add(piece, ids.GetRange(start, ids.Count - start).ToArray());
    }

    private void EncodeUncached(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_options.MapBytes) piece = ByteAlphabet.Map(piece);
        if (_options.IgnoreMerges && _ids.TryGetId(piece, out var whole))
        {
            ids.Add(whole);
            return;
        }
        // Byte fallback makes up to three symbols of one UTF-16 unit.
        var rented = ArrayPool<int>.Shared.Rent(piece.Length * 3);
        var symbols = rented.AsSpan(0, FirstSymbols(piece, rented));
        var count = symbols.Length <= LongestQuadratic ? MergeInPlace(symbols) : MergeQueue.Merge(symbols, _merges);
        ids.AddRange(symbols[..count]);
        ArrayPool<int>.Shared.Return(rented);
    }

    private int FirstSymbols(ReadOnlySpan<char> piece, Span<int> symbols)
    {
        var (count, unknownPending) = (0, false);
        for (var at = 0; at < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[at..], out _, out var width);
            var character = piece.Slice(at, width);
            at += width;
            if (TryFind(character, first: at == width, last: at == piece.Length, out var id))
            {
                if (unknownPending) symbols[count++] = _options.UnknownId!.Value;
                unknownPending = false;
                symbols[count++] = id;
            }
            // A pending unknown token is not flushed here: Hugging Face's comes after the bytes, too.
            else if (_options.ByteFallback && TryBytes(character, symbols, ref count)) continue;
            else if (_options.UnknownId is { } unknown)
            {
                if (unknownPending && !_options.FuseUnknown) symbols[count++] = unknown;
                unknownPending = true;
            }
        }
        if (unknownPending) symbols[count++] = _options.UnknownId!.Value;
        return count;
    }

    private bool TryFind(ReadOnlySpan<char> character, bool first, bool last, out int id)
    {
        var prefix = first ? "" : _options.ContinuingPrefix;
        var suffix = last ? _options.EndSuffix : "";
        id = prefix.Length + suffix.Length > 0 ? _ids.IdOrMinusOne(string.Concat(prefix, character, suffix))
            : character[0] < CommonCharacters ? _characterIds[character[0]]
            : _ids.IdOrMinusOne(character);
        return id >= 0;
    }

    private bool TryBytes(ReadOnlySpan<char> character, Span<int> symbols, ref int count)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (var b in bytes)
            if (_byteIds[b] < 0) return false;
        foreach (var b in bytes) symbols[count++] = _byteIds[b];
        return true;
    }

    /// <summary>Merges short pieces by looking for the lowest rank again and again; equal to <see cref="MergeQueue"/>.</summary>
    /// <returns>Symbols left.</returns>
    private int MergeInPlace(Span<int> symbols)
    {
        Span<Merge> pairs = stackalloc Merge[LongestQuadratic];
        var count = symbols.Length;
        for (var i = 0; i + 1 < count; i++) pairs[i] = Find(symbols, i);
        while (count > 1)
        {
            var best = 0;
            for (var i = 1; i + 1 < count; i++)
                if (pairs[i].Rank < pairs[best].Rank) best = i;
            if (pairs[best].Rank == int.MaxValue) break;
            symbols[best] = pairs[best].Id;
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            if (best + 2 < count) pairs[(best + 2)..(count - 1)].CopyTo(pairs[(best + 1)..]);
            count--;
            if (best > 0) pairs[best - 1] = Find(symbols, best - 1);
            if (best + 1 < count) pairs[best] = Find(symbols, best);
        }
        return count;
    }

    private Merge Find(Span<int> symbols, int left) =>
        _merges.TryGet(symbols[left], symbols[left + 1], out var merge) ? merge : new Merge(int.MaxValue, 0);
}

using System.Runtime.InteropServices;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>
/// Where the ids of the pieces of one text stand, among the ids of that text: of an article's pieces nine in ten have been there before,
/// and a copy costs a fraction of what the merges do. It goes with the text.
/// </summary>
internal sealed class PieceMemo(List<int> ids)
{
    // A piece that takes longer to compare than to look for is rare.
    private const int LongestPiece = 64;

    private readonly TokenTable _pieces = new();
    private readonly List<(int Start, int Count)> _places = [];

    /// <summary>Appends the ids of a piece again; false where it is new.</summary>
    public bool TryRepeat(ReadOnlySpan<char> piece)
    {
        if (piece.Length > LongestPiece || !_pieces.TryGetId(piece, out var index)) return false;
        var (start, count) = _places[index];
        if (count == 1) ids.Add(ids[start]);
        else
        {
            ids.EnsureCapacity(ids.Count + count);
            ids.AddRange(CollectionsMarshal.AsSpan(ids).Slice(start, count));
        }
        return true;
    }

    /// <summary>Keeps the place of a new piece, whose ids are the last from <paramref name="start"/> on.</summary>
    public void Keep(ReadOnlySpan<char> piece, int start)
    {
        if (piece.Length > LongestPiece) return;
        _pieces.TryAdd(piece, _places.Count);
        _places.Add((start, ids.Count - start));
    }
}

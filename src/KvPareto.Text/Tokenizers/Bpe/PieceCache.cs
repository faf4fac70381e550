namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>
/// Ids of recently encoded short pieces. A direct-mapped table: its size is its bound, and since an entry is one immutable object,
/// threads share it without locks.
/// </summary>
internal sealed class PieceCache
{
    /// <summary>UTF-16 units of the longest piece kept.</summary>
    public const int LongestPiece = 48;

    private const int Slots = 1 << 16;

    private readonly Entry?[] _entries = new Entry?[Slots];

    /// <summary>Appends the ids of <paramref name="piece"/>; false where they are not known.</summary>
    public bool TryAppend(ReadOnlySpan<char> piece, List<int> ids)
    {
        var entry = Volatile.Read(ref _entries[Slot(piece)]);
        if (entry is null || !piece.SequenceEqual(entry.Piece)) return false;
        ids.AddRange(entry.Ids.AsSpan());
        return true;
    }

    /// <summary>Keeps the ids of <paramref name="piece"/>, in place of whatever lay in its slot.</summary>
    public void Add(ReadOnlySpan<char> piece, int[] ids) => Volatile.Write(ref _entries[Slot(piece)], new Entry(piece.ToString(), ids));

    private static int Slot(ReadOnlySpan<char> piece) => string.GetHashCode(piece) & (Slots - 1);

    private sealed record Entry(string Piece, int[] Ids);
}

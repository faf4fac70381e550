namespace KvPareto.Engine.Text.Bpe;

/// <summary>What two neighbouring tokens merge to.</summary>
/// <param name="Rank">Lower merges first.</param>
/// <param name="Id">The whole.</param>
internal readonly record struct Merge(int Rank, int Id);

/// <summary>The merges of a vocabulary by the ids of their parts.</summary>
/// <param name="vocabulary">Ids by token.</param>
/// <param name="prefixLength">UTF-16 units of the continuing-subword prefix, which a right part loses when it merges.</param>
internal sealed class MergeTable(Dictionary<string, int> vocabulary, int prefixLength = 0)
{
    private readonly Dictionary<ulong, Merge> _merges = [];
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
    private readonly HashSet<char> _beforeWordStart = [];
    private char[] _whole = new char[256];

    /// <summary>Merges added, duplicates included: the next rank.</summary>
    public int Count { get; private set; }

    /// <summary>Adds the merge of next rank. A pair given twice counts with its last rank, as in Hugging Face's.</summary>
    /// <returns>Null, or which token is not in the vocabulary.</returns>
    public string? Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right) => Add(left, right, Count);

    /// <summary>Adds a merge of a rank that others may share; of equal ranks the leftmost pair of a text merges first.</summary>
    /// <returns>Null, or which token is not in the vocabulary.</returns>
    public string? Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right, int rank)
    {
        if (!_ids.TryGetValue(left, out var leftId)) return Missing(left);
        if (!_ids.TryGetValue(right, out var rightId)) return Missing(right);
        var tail = right[Math.Min(prefixLength, right.Length)..];
        var length = left.Length + tail.Length;
        if (_whole.Length < length) _whole = new char[length * 2];
        left.CopyTo(_whole);
        tail.CopyTo(_whole.AsSpan(left.Length));
        if (!_ids.TryGetValue(_whole.AsSpan(0, length), out var id)) return Missing(_whole.AsSpan(0, length));
        if (left.Length > 0 && right.StartsWith(BpeModel.WordStart)) _beforeWordStart.Add(left[^1]);
        _merges[Key(leftId, rightId)] = new Merge(rank, id);
        Count++;
        return null;
    }

    /// <summary>The merge of two neighbours, if there is one.</summary>
    public bool TryGet(int left, int right, out Merge merge) => _merges.TryGetValue(Key(left, right), out merge);

    /// <summary>True where a merge may join a token that ends with <paramref name="last"/> to one that starts with <see cref="BpeModel.WordStart"/>.</summary>
    public bool JoinsWordStart(char last) => _beforeWordStart.Contains(last);

    private static ulong Key(int left, int right) => (ulong)(uint)left << 32 | (uint)right;

    private static string Missing(ReadOnlySpan<char> token) => $"{ErrorText.Quote(token)} is not in the vocabulary";
}

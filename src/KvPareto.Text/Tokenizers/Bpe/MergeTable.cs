using System.Security.Cryptography;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>What two neighbouring tokens merge to.</summary>
/// <param name="Rank">Lower merges first.</param>
/// <param name="Id">The whole.</param>
internal readonly record struct Merge(int Rank, int Id);

/// <summary>The merges of a vocabulary by the ids of their parts.</summary>
/// <param name="vocabulary">Ids by token.</param>
/// <param name="prefixLength">UTF-16 units of the continuing-subword prefix, which a right part loses when it merges.</param>
internal sealed class MergeTable(TokenTable vocabulary, int prefixLength = 0)
{
    private static readonly ulong Multiplier = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;

    private readonly HashSet<char> _beforeWordStart = [];
    private Slot[] _slots = new Slot[1024];
    private int _pairs;
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
        if (!vocabulary.TryGetId(left, out var leftId)) return Missing(left);
        if (!vocabulary.TryGetId(right, out var rightId)) return Missing(right);
        var tail = right[Math.Min(prefixLength, right.Length)..];
        var length = left.Length + tail.Length;
        if (_whole.Length < length) _whole = new char[length * 2];
        left.CopyTo(_whole);
        tail.CopyTo(_whole.AsSpan(left.Length));
        if (!vocabulary.TryGetId(_whole.AsSpan(0, length), out var id)) return Missing(_whole.AsSpan(0, length));
        if (left.Length > 0 && right.StartsWith(BpeModel.WordStart)) _beforeWordStart.Add(left[^1]);
        Set(Key(leftId, rightId), new Merge(rank, id));
        Count++;
        return null;
    }

    /// <summary>The merge of two neighbours, if there is one.</summary>
    public bool TryGet(int left, int right, out Merge merge)
    {
        ref readonly var slot = ref Find(Key(left, right));
        merge = slot.Merge;
        return slot.Key != 0;
    }

    /// <summary>
    /// True where a merge may join a token that ends with <paramref name="last"/> to one that starts with <see cref="BpeModel.WordStart"/>.
    /// </summary>
    public bool JoinsWordStart(char last) => _beforeWordStart.Contains(last);

    // Ids from 1, so that no key is 0, the mark of a free slot.
    private static ulong Key(int left, int right) => (ulong)(uint)(left + 1) << 32 | (uint)(right + 1);

    private static string Missing(ReadOnlySpan<char> token) => $"{ErrorText.Quote(token)} is not in the vocabulary";

    private void Set(ulong key, Merge merge)
    {
        if (2 * (_pairs + 1) > _slots.Length) Grow();
        ref var slot = ref Find(key);
        if (slot.Key == 0) _pairs++;
        slot = new Slot(key, merge);
    }

    private ref Slot Find(ulong key)
    {
        for (var at = Place(key); ; at = (at + 1) & (_slots.Length - 1))
        {
            ref var slot = ref _slots[at];
            if (slot.Key == key || slot.Key == 0) return ref slot;
        }
    }

    // Keyed anew in each process: a file cannot be made to collide.
    private int Place(ulong key) => (int)(key * Multiplier >> 33) & (_slots.Length - 1);

    private void Grow()
    {
        var old = _slots;
        _slots = new Slot[2 * old.Length];
        foreach (var slot in old)
            if (slot.Key != 0) Find(slot.Key) = slot;
    }

    private readonly record struct Slot(ulong Key, Merge Merge);
}

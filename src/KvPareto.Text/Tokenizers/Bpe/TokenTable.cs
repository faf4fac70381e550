namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>
/// Tokens and their ids. A hash table over one block of characters rather than a dictionary of strings: reading a file of 280,000
/// merges looks up three tokens for each, nearly all of them far from the processor's caches.
/// </summary>
internal sealed class TokenTable
{
    private Slot[] _slots = new Slot[1024];
    private char[] _characters = new char[4096];
    private int[] _starts = new int[512];

    /// <summary>Tokens in the table; each has an index below this, in order of addition.</summary>
    public int Count { get; private set; }

    /// <summary>The token with this index.</summary>
    public ReadOnlySpan<char> this[int index] => _characters.AsSpan(_starts[index].._starts[index + 1]);

    /// <summary>Adds a token; false where it is there already.</summary>
    public bool TryAdd(ReadOnlySpan<char> token, int id)
    {
        if (2 * (Count + 1) > _slots.Length) Grow();
        ref var slot = ref Find(token, out var hash);
        if (slot.IndexPlusOne != 0) return false;
        if (Count + 2 > _starts.Length) Array.Resize(ref _starts, 2 * _starts.Length);
        var start = _starts[Count];
        if (start + token.Length > _characters.Length)
            Array.Resize(ref _characters, Math.Max(2 * _characters.Length, start + token.Length));
        token.CopyTo(_characters.AsSpan(start));
        _starts[++Count] = start + token.Length;
        slot = new Slot(hash, Count, id);
        return true;
    }

    /// <summary>Looks up a token.</summary>
    public bool TryGetId(ReadOnlySpan<char> token, out int id)
    {
        ref readonly var slot = ref Find(token, out _);
        id = slot.Id;
        return slot.IndexPlusOne != 0;
    }

    /// <summary>The id of a token, or −1.</summary>
    public int IdOrMinusOne(ReadOnlySpan<char> token) => TryGetId(token, out var id) ? id : -1;

    private ref Slot Find(ReadOnlySpan<char> token, out int hash)
    {
        // Keyed anew in each process: a file cannot be made to collide.
        hash = string.GetHashCode(token);
        for (var at = hash & (_slots.Length - 1); ; at = (at + 1) & (_slots.Length - 1))
        {
            ref var slot = ref _slots[at];
            if (slot.IndexPlusOne == 0 || (slot.Hash == hash && token.SequenceEqual(this[slot.IndexPlusOne - 1]))) return ref slot;
        }
    }

    private void Grow()
    {
        var old = _slots;
        _slots = new Slot[2 * old.Length];
        foreach (var slot in old)
        {
            if (slot.IndexPlusOne == 0) continue;
            var at = slot.Hash & (_slots.Length - 1);
            while (_slots[at].IndexPlusOne != 0) at = (at + 1) & (_slots.Length - 1);
            _slots[at] = slot;
        }
    }

    private readonly record struct Slot(int Hash, int IndexPlusOne, int Id);
}

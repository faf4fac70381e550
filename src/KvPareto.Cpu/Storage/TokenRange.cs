namespace KvPareto.Cpu.Storage;

/// <summary>A stretch of a sequence that lies in one store.</summary>
/// <param name="store">The store.</param>
/// <param name="place">Where the head's part of it lies.</param>
/// <param name="first">First token of the stretch.</param>
/// <param name="end">The token after its last.</param>
/// <param name="origin">The token of the sequence that is the store's first: token t is the store's t − origin.</param>
internal readonly struct TokenRange<TStore>(TStore store, StorePlace place, int first, int end, int origin)
    where TStore : TokenStore
{
    /// <summary>The store.</summary>
    public TStore Store { get; } = store;

    /// <summary>Where the head's part of it lies.</summary>
    public StorePlace Place { get; } = place;

    /// <summary>First token of the stretch.</summary>
    public int First { get; } = first;

    /// <summary>The token after its last.</summary>
    public int End { get; } = end;

    /// <summary>The token of the sequence that is the store's first.</summary>
    public int Origin { get; } = origin;
}

/// <summary>The stretches of one head, first to last; at most four.</summary>
internal struct TokenRanges<TStore>
    where TStore : TokenStore
{
    private TokenRange<TStore> _first;
    private TokenRange<TStore> _second;
    private TokenRange<TStore> _third;
    private TokenRange<TStore> _fourth;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>One of them.</summary>
    public readonly TokenRange<TStore> this[int index] => index switch { 0 => _first, 1 => _second, 2 => _third, _ => _fourth };

    /// <summary>Adds the next; an empty stretch is left out.</summary>
    public void Add(TokenRange<TStore> range)
    {
        if (range.First >= range.End) return;
        switch (Count++)
        {
            case 0: _first = range; break;
            case 1: _second = range; break;
            case 2: _third = range; break;
            default: _fourth = range; break;
        }
    }
}

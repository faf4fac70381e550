namespace KvPareto.Cpu.Storage;

/// <summary>A stretch of a sequence that lies in one store.</summary>
/// <param name="store">The store.</param>
/// <param name="place">Where the head's part of it lies.</param>
/// <param name="first">First token of the stretch.</param>
/// <param name="end">The token after its last.</param>
/// <param name="origin">The token of the sequence that is the store's first: token t is the store's t − origin.</param>
internal readonly struct Segment<TStore>(TStore store, StorePlace place, int first, int end, int origin)
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
internal struct Segments<TStore>
    where TStore : TokenStore
{
    private Segment<TStore> _first;
    private Segment<TStore> _second;
    private Segment<TStore> _third;
    private Segment<TStore> _fourth;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>One of them.</summary>
    public readonly Segment<TStore> this[int index] => index switch { 0 => _first, 1 => _second, 2 => _third, _ => _fourth };

    /// <summary>Adds the next; an empty stretch is left out.</summary>
    public void Add(Segment<TStore> segment)
    {
        if (segment.First >= segment.End) return;
        switch (Count++)
        {
            case 0: _first = segment; break;
            case 1: _second = segment; break;
            case 2: _third = segment; break;
            default: _fourth = segment; break;
        }
    }
}

namespace KvPareto.Text.Templates.Jinja;

/// <summary>
/// A list or dict with its size: what is walked by comparing, printing or writing as JSON is bounded when it is made, so that none
/// of these can take for ever or overflow the stack, however often one part is shared.
/// </summary>
internal abstract class JinjaContainer
{
    private const int MostParts = 1 << 22;
    private const int DeepestNesting = 100;
    private const int CharactersPerPart = 16;

    /// <summary>Values within, at all depths, long strings counted by their length.</summary>
    public int Parts { get; private set; } = 1;

    private int Depth { get; set; } = 1;

    /// <summary>Parts of any value.</summary>
    public static int PartsOf(object? value) => value switch
    {
        JinjaContainer container => container.Parts,
        string text => 1 + text.Length / CharactersPerPart,
        _ => 1,
    };

    /// <summary>Counts an item in.</summary>
    /// <exception cref="JinjaException">The container is too large or too deep.</exception>
    protected void Count(object? item)
    {
        Parts += PartsOf(item);
        if (item is JinjaContainer inner) Depth = Math.Max(Depth, inner.Depth + 1);
        if (Parts > MostParts) throw new JinjaException($"a value of more than {MostParts} parts");
        if (Depth > DeepestNesting) throw new JinjaException($"more than {DeepestNesting} lists or dicts within each other");
    }
}

/// <summary>A list or tuple; does not change once made.</summary>
internal sealed class JinjaList : JinjaContainer
{
    /// <param name="items">Items; the list is taken over.</param>
    /// <param name="isTuple">A tuple, which differs in printing and is never equal to a list.</param>
    public JinjaList(List<object?> items, bool isTuple = false)
    {
        (Items, IsTuple) = (items, isTuple);
        foreach (var item in items) Count(item);
    }

    public List<object?> Items { get; }

    public bool IsTuple { get; }

    /// <summary>
    /// Null for a list or tuple. Else what is walked like one, but is none: <c>dict_keys</c>, <c>dict_values</c>, <c>dict_items</c>, or a
    /// range as it is printed.
    /// </summary>
    public string? View { get; init; }

    /// <summary>True for what a dict shows of itself, which has no places.</summary>
    public bool IsOfDict => View is not (null or [.., ')']);

    /// <summary>What <c>groupby</c> makes: a tuple whose places are called <c>grouper</c> and <c>list</c>, too.</summary>
    public bool IsGroup { get; init; }
}

/// <summary>What filters such as <c>select</c> and <c>map</c> give: walked once, always true, without length or places.</summary>
internal sealed class JinjaGenerator : JinjaContainer
{
    private readonly Queue<object?> _left;

    /// <param name="items">What it yields.</param>
    public JinjaGenerator(IEnumerable<object?> items)
    {
        _left = new(items);
        foreach (var item in _left) Count(item);
    }

    /// <summary>All that is left.</summary>
    public List<object?> Rest()
    {
        List<object?> rest = [.. _left];
        _left.Clear();
        return rest;
    }

    /// <summary>The next value, or null where none is left.</summary>
    public (object? Value, bool IsThere) Next() => _left.TryDequeue(out var value) ? (value, true) : (null, false);
}

/// <summary>A dict, in insertion order; does not change once made.</summary>
internal sealed class JinjaDict : JinjaContainer
{
    private readonly OrderedDictionary<object, object?> _items = new(ValueComparer.Instance);

    /// <param name="pairs">Pairs; a later one replaces the value of an earlier one.</param>
    public JinjaDict(IEnumerable<KeyValuePair<object, object?>> pairs)
    {
        foreach (var (key, value) in pairs)
        {
            _items[key] = value;
            Count(key);
            Count(value);
        }
    }

    public IReadOnlyDictionary<object, object?> Items => _items;
}

/// <summary>The object of <c>namespace()</c>: attributes that survive the scope they are set in.</summary>
internal sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

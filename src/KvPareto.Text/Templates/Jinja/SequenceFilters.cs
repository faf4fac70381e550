using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>
/// The filters over lists, dicts and other sequences. What Jinja2 walks lazily is reckoned at once, and walked once all the same.
/// </summary>
internal static class SequenceFilters
{
    private static readonly object None = new();
    private static readonly object NotThere = new();

    /// <summary>Filters by name.</summary>
    public static IReadOnlyDictionary<string, Filter> All { get; } = new Dictionary<string, Filter>(StringComparer.Ordinal)
    {
        ["length"] = static (_, v, _) => Length(v),
        ["list"] = static (s, v, _) => List(Items(s, v)),
        ["first"] = First,
        ["last"] = static (s, v, _) => v is JinjaGenerator ? throw Filters.Wrong(v, "a sequence")
            : Items(s, v) is { Count: > 0 } items ? items[^1] : new Undefined("the last item of nothing"),
        ["join"] = Join,
        ["items"] = static (s, v, _) =>
            v is Undefined ? Lazy([]) : v is JinjaDict dict ? Lazy(DictMethods.Pairs(dict).Items) : throw Filters.Wrong(v, "a dict"),
        ["dictsort"] = DictSort,
        ["sort"] = Sort,
        ["unique"] = static (s, v, a) => Lazy(Distinct(s, Items(s, v), a)),
        ["reverse"] = static (s, v, _) => Enumerable.Reverse(Items(s, v)) is var r && v is string ? string.Concat(r)
            : v is JinjaGenerator ? List(r) : Lazy(r),
        ["sum"] = static (s, v, a) => Items(s, v)
            .Select(i => Pick(s, i, a.Get(0, "attribute"))).Aggregate(a.Get(1, "start", 0L), (x, y) => Operators.Binary("+", x, y, s)),
        ["min"] = static (s, v, a) =>
            Sorted(s, Items(s, v), a.Get(1, "attribute"), a.Flag(0, "case_sensitive"), false) is { Count: > 0 } items ? items[0]
                : new Undefined("the minimum of nothing"),
        ["max"] = static (s, v, a) =>
            Sorted(s, Items(s, v), a.Get(1, "attribute"), a.Flag(0, "case_sensitive"), true) is { Count: > 0 } items ? items[0]
                : new Undefined("the maximum of nothing"),
        ["map"] = Map,
        ["select"] = static (s, v, a) => Lazy(Some(s, v).Where(i => Passes(s, i, a, 0))),
        ["reject"] = static (s, v, a) => Lazy(Some(s, v).Where(i => !Passes(s, i, a, 0))),
        ["selectattr"] = static (s, v, a) => Lazy(Some(s, v).Where(i => Passes(s, Members.Path(i, a.Required(0, "attribute"), s), a, 1))),
        ["rejectattr"] = static (s, v, a) => Lazy(Some(s, v).Where(i => !Passes(s, Members.Path(i, a.Required(0, "attribute"), s), a, 1))),
        ["groupby"] = GroupBy,
        ["batch"] = Batch,
        ["slice"] = Slice,
        ["attr"] = static (_, v, a) => Members.WithoutItems(v, a.Text(0, "name")),
    };

    private static JinjaGenerator Lazy(IEnumerable<object?> items) => new(items);

    private static object? First(RenderState state, object? value, Arguments arguments)
    {
        var (item, isThere) = value is JinjaGenerator generator ? generator.Next()
            : Items(state, value) is { Count: > 0 } items ? (items[0], true) : (null, false);
        return isThere ? item : new Undefined("the first item of nothing");
    }

    private static JinjaList List(IEnumerable<object?> items) => new([.. items]);

    private static List<object?> Items(RenderState state, object? value)
    {
        var items = Values.Iterate(value, state);
        state.Step(items.Count);
        return items;
    }

    // The filters that choose and map look only into what is true: none has no items.
    private static List<object?> Some(RenderState state, object? value) => Values.IsTrue(value) ? Items(state, value) : [];

    private static long Length(object? value) => value switch
    {
        string text => (long)PythonText.Length(text),
        JinjaList list => (long)list.Items.Count,
        JinjaDict dict => (long)dict.Items.Count,
        Undefined => 0L,
        _ => throw Filters.Wrong(value, "a sequence"),
    };

    private static object? Pick(RenderState state, object? item, object? attribute) =>
        attribute is null ? item : Members.Path(item, attribute, state);

    private static string Join(RenderState state, object? value, Arguments arguments)
    {
        var texts = Items(state, value).Select(i => (object?)state.ToText(Pick(state, i, arguments.Get(1, "attribute")))).ToList();
        return StringMethods.Join(state.ToText(arguments.Get(0, "d", "")), texts, state);
    }

    private static object? Fold(RenderState state, object? value, bool caseSensitive)
    {
        if (value is not string text || caseSensitive) return value;
        state.Walk(text);
        return PythonCase.Lower(text);
    }

    private static List<object?> Sorted(RenderState state, List<object?> items, object? attribute, bool caseSensitive, bool descending)
    {
        state.Step(items.Count * 8L);
        object? Key(object? item) => Fold(state, Pick(state, item, attribute), caseSensitive);
        return InOrder(state, items, Key, descending);
    }

    // By several attributes, with commas between them; the list of their values is the key.
    private static JinjaList Sort(RenderState state, object? value, Arguments arguments)
    {
        var (attribute, caseSensitive) = (arguments.Get(2, "attribute"), arguments.Flag(1, "case_sensitive"));
        object?[] attributes = attribute is string text ? text.Split(',') : [attribute];
        var items = Items(state, value);
        state.Step(items.Count * 8L * attributes.Length);
        JinjaList Key(object? item) => new([.. attributes.Select(a => Fold(state, Pick(state, item, a), caseSensitive))]);
        return List(InOrder(state, items, Key, arguments.Flag(0, "reverse")));
    }

    /// <summary>Items by their keys, equal ones as they stood.</summary>
    /// <exception cref="JinjaException">Two keys have no order.</exception>
    public static List<T> InOrder<T>(RenderState state, List<T> items, Func<T, object?> key, bool descending = false)
    {
        var order = Comparer<object?>.Create(state.Compare);
        try
        {
            return [.. descending ? items.OrderByDescending(key, order) : items.OrderBy(key, order)];
        }
        catch (InvalidOperationException problem) when (problem.InnerException is JinjaException inner)
        {
            throw inner;
        }
    }

    private static JinjaList DictSort(RenderState state, object? value, Arguments arguments)
    {
        if (value is not JinjaDict dict) throw Filters.Wrong(value, "a dict");
        var by = arguments.Text(1, "by", "key") switch
        {
            "key" => 0L,
            "value" => 1L,
            _ => throw new JinjaException("'by' is not known; known: key, value"),
        };
        return List(Sorted(state, DictMethods.Pairs(dict).Items, by, arguments.Flag(0, "case_sensitive"),
            arguments.Flag(2, "reverse")));
    }

    private static IEnumerable<object?> Distinct(RenderState state, List<object?> items, Arguments arguments)
    {
        var seen = new HashSet<object>(ValueComparer.Instance);
        foreach (var item in items)
        {
            state.Step();
            var key = Fold(state, Pick(state, item, arguments.Get(1, "attribute")), arguments.Flag(0, "case_sensitive"));
            state.Walk(key);
            if (seen.Add(key switch { null => None, Undefined => NotThere, _ => Operators.Key(key) })) yield return item;
        }
    }

    private static JinjaGenerator Map(RenderState state, object? value, Arguments arguments)
    {
        if (arguments.Named.TryGetValue("attribute", out var attribute))
            return Lazy(Some(state, value).Select(i => Members.Path(i, attribute, state, arguments.Named.GetValueOrDefault("default"))));
        var name = arguments.Text(0, "filter");
        var filter = Filters.Find(name) ?? throw new JinjaException($"filter {OneLine.Quote(name)} is not known");
        var rest = new Arguments(arguments.Positional[1..], arguments.Named);
        return Lazy(Some(state, value).Select(i => Filters.Apply(filter, state, i, rest)));
    }

    private static bool Passes(RenderState state, object? value, Arguments arguments, int at)
    {
        state.Step();
        if (arguments.Positional.Count <= at) return Values.IsTrue(value);
        var name = arguments.Text(at, "test");
        var test = Tests.Find(name) ?? throw new JinjaException($"test {OneLine.Quote(name)} is not known");
        return test(state, value, new(arguments.Positional[(at + 1)..], arguments.Named));
    }

    private static JinjaList GroupBy(RenderState state, object? value, Arguments arguments)
    {
        var (attribute, absent) = (arguments.Required(0, "attribute"), arguments.Get(1, "default"));
        object? Of(object? item) => Members.Path(item, attribute, state, absent);
        var caseSensitive = arguments.Flag(2, "case_sensitive");
        var groups = new List<(object? Key, object? Folded, List<object?> Items)>();
        foreach (var item in InOrder(state, Items(state, value), i => Fold(state, Of(i), caseSensitive)))
        {
            var key = Of(item);
            var folded = Fold(state, key, caseSensitive);
            if (groups.Count > 0 && state.AreEqual(groups[^1].Folded, folded)) groups[^1].Items.Add(item);
            else groups.Add((key, folded, [item]));
        }
        return List(groups.Select(static g => new JinjaList([g.Key, new JinjaList(g.Items)], isTuple: true) { IsGroup = true }));
    }

    private static JinjaGenerator Batch(RenderState state, object? value, Arguments arguments)
    {
        var size = arguments.Whole(0, "linecount", 0) is var given and > 0 and <= RenderState.LongestRange ? (int)given
            : throw new JinjaException("'linecount' is not within 1 to 100000");
        state.Step(size);
        var rows = Items(state, value).Chunk(size).Select(static c => c.ToList()).ToList();
        if (rows.Count > 0 && arguments.Get(1, "fill_with") is { } fill) rows[^1].AddRange(Enumerable.Repeat(fill, size - rows[^1].Count));
        return Lazy(rows.Select(static r => new JinjaList(r)));
    }

    // The first ones are longer by one where the number does not go up.
    private static JinjaGenerator Slice(RenderState state, object? value, Arguments arguments)
    {
        var count = arguments.Whole(0, "slices", 0) is var given and > 0 and <= RenderState.LongestRange ? (int)given
            : throw new JinjaException("'slices' is not within 1 to 100000");
        state.Step(count);
        var (items, fill, from) = (Items(state, value), arguments.Get(1, "fill_with"), 0);
        var rows = new List<object?>();
        for (var i = 0; i < count; i++)
        {
            var size = items.Count / count + (i < items.Count % count ? 1 : 0);
            var row = items.GetRange(from, size);
            if (fill is not null && i >= items.Count % count) row.Add(fill);
            rows.Add(new JinjaList(row));
            from += size;
        }
        return Lazy(rows);
    }
}

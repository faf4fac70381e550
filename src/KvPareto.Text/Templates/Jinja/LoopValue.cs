namespace KvPareto.Text.Templates.Jinja;

/// <summary>The variable <c>loop</c> within a for loop.</summary>
/// <param name="items">All items.</param>
/// <param name="depth">0 for the outermost level of a recursive loop.</param>
/// <param name="recurse">Renders the loop's body over other items; null where the loop is not recursive.</param>
internal sealed class LoopValue(List<object?> items, int depth, JinjaFunction? recurse)
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem", "cycle",
        "changed",
    };

    private Arguments? _changed;

    /// <summary>The current item's place, from 0.</summary>
    public int Index { get; set; }

    /// <summary>Renders the loop's body over other items; null where the loop is not recursive.</summary>
    public JinjaFunction? Recurse { get; } = recurse;

    /// <summary>True for names that <see cref="Attribute"/> knows.</summary>
    public static bool HasAttribute(string name) => Names.Contains(name);

    /// <summary>The value of an attribute; null also where it is none.</summary>
    public object? Attribute(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => items.Count - Index - 1L,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => Index > 0 ? items[Index - 1] : new Undefined("'loop.previtem' of the first item"),
        "nextitem" => Index < items.Count - 1 ? items[Index + 1] : new Undefined("'loop.nextitem' of the last item"),
        "cycle" => new JinjaFunction("cycle", (_, a) =>
            a.Positional.Count > 0 ? a.Positional[Index % a.Positional.Count] : throw new JinjaException("no items for cycling given")),
        "changed" => new JinjaFunction("changed", (s, a) => HasChanged(s, a)),
        _ => null,
    };

    private bool HasChanged(RenderState state, Arguments arguments)
    {
        var same = _changed is not null && state.AreEqual(new JinjaList(_changed.Positional), new JinjaList(arguments.Positional));
        _changed = arguments;
        return !same;
    }
}

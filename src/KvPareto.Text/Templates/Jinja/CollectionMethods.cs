
namespace KvPareto.Text.Templates.Jinja;

/// <summary>The methods of Python's <c>dict</c> that change nothing.</summary>
internal static class DictMethods
{
    /// <summary>The method of <paramref name="dict"/> with this name, or null.</summary>
    public static JinjaFunction? Find(JinjaDict dict, string name) => name switch
    {
        "items" => Of(name, () => Pairs(dict)),
        "keys" => Of(name, () => new JinjaList([.. dict.Items.Keys])),
        "values" => Of(name, () => new JinjaList([.. dict.Items.Values])),
        "copy" => Of(name, () => new JinjaDict(dict.Items)),
        "get" => new(name, (_, a) =>
            dict.Items.TryGetValue(Operators.Key(a.Required(0, "key")), out var value) ? value : a.Get(1, "default")),
        _ => null,
    };

    /// <summary>Key and value tuples.</summary>
    public static JinjaList Pairs(JinjaDict dict) =>
        new([.. dict.Items.Select(static p => new JinjaList([p.Key, p.Value], isTuple: true))]);

    private static JinjaFunction Of(string name, Func<object?> value) => new(name, (state, _) =>
    {
        state.Step();
        return value();
    });
}

/// <summary>The methods of Python's <c>list</c> that change nothing; the others are refused, as Jinja2's immutable sandbox does.</summary>
internal static class ListMethods
{
    /// <summary>The method of <paramref name="list"/> with this name, or null.</summary>
    /// <exception cref="JinjaException">A method that would change the list.</exception>
    public static JinjaFunction? Find(JinjaList list, string name) => name switch
    {
        "index" => new(name, (_, a) => list.Items.FindIndex(i => Values.AreEqual(i, a.Required(0, "value"))) is var at and >= 0 ? (long)at
            : throw new JinjaException("value not in list")),
        "count" => new(name, (_, a) => (long)list.Items.Count(i => Values.AreEqual(i, a.Required(0, "value")))),
        "copy" => new(name, (_, _) => new JinjaList([.. list.Items], list.IsTuple)),
        "append" or "extend" or "insert" or "pop" or "remove" or "reverse" or "sort" or "clear" when !list.IsTuple =>
            throw new JinjaException($"the method '{name}' of a list is not allowed: it would change the list"),
        _ => null,
    };
}

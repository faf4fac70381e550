
namespace KvPareto.Text.Templates.Jinja;

/// <summary>The methods of Python's <c>dict</c> that change nothing.</summary>
internal static class DictMethods
{
    /// <summary>The method of <paramref name="dict"/> with this name, or null.</summary>
    public static JinjaFunction? Find(JinjaDict dict, string name) => name switch
    {
        "items" => Of(name, dict, static d => new JinjaList(Pairs(d).Items) { View = "dict_items" }),
        "keys" => Of(name, dict, static d => new JinjaList([.. d.Items.Keys]) { View = "dict_keys" }),
        "values" => Of(name, dict, static d => new JinjaList([.. d.Items.Values]) { View = "dict_values" }),
        "copy" => Of(name, dict, static d => new JinjaDict(d.Items)),
        "get" => new(name, (s, a) => s.TryGet(dict, a.Required(0, "key"), out var value) ? value : a.Get(1, "default")),
        _ => null,
    };

    /// <summary>Key and value tuples.</summary>
    public static JinjaList Pairs(JinjaDict dict) =>
        new([.. dict.Items.Select(static p => new JinjaList([p.Key, p.Value], isTuple: true))]);

    // Keys are hashed anew in a copy, and each pair is a tuple of its own.
    private static JinjaFunction Of(string name, JinjaDict dict, Func<JinjaDict, object?> value) => new(name, (state, _) =>
    {
        state.Step(dict.Items.Count + dict.Items.Keys.Sum(static k => (long)JinjaContainer.PartsOf(k)));
        return value(dict);
    });
}

/// <summary>The methods of Python's <c>list</c> that change nothing; the others are refused, as Jinja2's immutable sandbox does.</summary>
internal static class ListMethods
{
    /// <summary>The method of <paramref name="list"/> with this name, or null.</summary>
    /// <exception cref="JinjaException">A method that would change the list.</exception>
    public static JinjaFunction? Find(JinjaList list, string name) => list.IsOfDict ? null : name switch
    {
        "index" => new(name, (s, a) => list.Items.FindIndex(i => s.AreEqual(i, a.Required(0, "value"))) is var at and >= 0 ? (long)at
            : throw new JinjaException("value not in list")),
        "count" => new(name, (s, a) => (long)list.Items.Count(i => s.AreEqual(i, a.Required(0, "value")))),
        "copy" => new(name, (s, _) =>
        {
            s.Step(list.Items.Count);
            return new JinjaList([.. list.Items], list.IsTuple);
        }),
        "append" or "extend" or "insert" or "pop" or "remove" or "reverse" or "sort" or "clear" when !list.IsTuple && list.View is null =>
            throw new JinjaException($"the method '{name}' of a list is not allowed: it would change the list"),
        _ => null,
    };
}

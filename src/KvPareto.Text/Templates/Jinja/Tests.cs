namespace KvPareto.Text.Templates.Jinja;

/// <summary>What <c>is</c> asks of a value.</summary>
internal delegate bool Test(object? value, Arguments arguments);

/// <summary>Jinja2's tests.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Test> All = new(StringComparer.Ordinal)
    {
        ["defined"] = static (v, _) => v is not Undefined,
        ["undefined"] = static (v, _) => v is Undefined,
        ["none"] = static (v, _) => v is null,
        ["boolean"] = static (v, _) => v is bool,
        ["true"] = static (v, _) => v is true,
        ["false"] = static (v, _) => v is false,
        ["integer"] = static (v, _) => v is long,
        ["float"] = static (v, _) => v is double,
        ["number"] = static (v, _) => v is bool or long or double,
        ["string"] = static (v, _) => v is string,
        ["mapping"] = static (v, _) => v is JinjaDict,
        ["iterable"] = static (v, _) => v is string or JinjaList or JinjaDict or Undefined,
        ["sequence"] = static (v, _) => v is string or JinjaList or JinjaDict or Undefined,
        ["callable"] = static (v, _) => v is JinjaFunction,
        ["even"] = static (v, _) => Values.ToLong(v) % 2 == 0,
        ["odd"] = static (v, _) => Values.ToLong(v) % 2 != 0,
        ["divisibleby"] = static (v, a) => Values.ToLong(a.Required(0, "num")) is var by and not 0 ? Values.ToLong(v) % by == 0
            : throw new JinjaException("division by zero"),
        ["lower"] = static (v, _) => Values.ToText(v) is var t && t.Any(char.IsLower) && !t.Any(char.IsUpper),
        ["upper"] = static (v, _) => Values.ToText(v) is var t && t.Any(char.IsUpper) && !t.Any(char.IsLower),
        ["sameas"] = static (v, a) => a.Required(0, "other") is var o
            && (ReferenceEquals(v, o) || (v is bool or long or string && v.GetType() == o?.GetType() && v.Equals(o))),
        ["in"] = static (v, a) => a.Required(0, "seq") is string text && v is string part
            ? text.Contains(part, StringComparison.Ordinal)
            : Values.Iterate(a.Required(0, "seq")).Any(i => Values.AreEqual(i, v)),
        ["filter"] = static (v, _) => v is string name && Filters.Find(name) is not null,
        ["test"] = static (v, _) => v is string name && Find(name) is not null,
        ["eq"] = static (v, a) => Values.AreEqual(v, a.Required(0, "other")),
        ["ne"] = static (v, a) => !Values.AreEqual(v, a.Required(0, "other")),
        ["lt"] = static (v, a) => Values.Compare(v, a.Required(0, "other")) < 0,
        ["le"] = static (v, a) => Values.Compare(v, a.Required(0, "other")) <= 0,
        ["gt"] = static (v, a) => Values.Compare(v, a.Required(0, "other")) > 0,
        ["ge"] = static (v, a) => Values.Compare(v, a.Required(0, "other")) >= 0,
    };

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["equalto"] = "eq",
        ["=="] = "eq",
        ["!="] = "ne",
        ["lessthan"] = "lt",
        ["<"] = "lt",
        ["<="] = "le",
        ["greaterthan"] = "gt",
        [">"] = "gt",
        [">="] = "ge",
    };

    /// <summary>Names of the tests, for messages.</summary>
    public static IEnumerable<string> Names => All.Keys.Order(StringComparer.Ordinal);

    /// <summary>The test with this name, or null.</summary>
    public static Test? Find(string name) => All.GetValueOrDefault(Aliases.GetValueOrDefault(name, name));
}

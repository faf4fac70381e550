using System.Numerics;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>What <c>is</c> asks of a value.</summary>
internal delegate bool Test(RenderState state, object? value, Arguments arguments);

/// <summary>Jinja2's tests.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Test> All = new(StringComparer.Ordinal)
    {
        ["defined"] = static (_, v, _) => v is not Undefined,
        ["undefined"] = static (_, v, _) => v is Undefined,
        ["none"] = static (_, v, _) => v is null,
        ["boolean"] = static (_, v, _) => v is bool,
        ["true"] = static (_, v, _) => v is true,
        ["false"] = static (_, v, _) => v is false,
        ["integer"] = static (_, v, _) => v is long or BigInteger,
        ["float"] = static (_, v, _) => v is double,
        ["number"] = static (_, v, _) => v is bool or long or double or BigInteger,
        ["string"] = static (_, v, _) => v is string,
        ["mapping"] = static (_, v, _) => v is JinjaDict,
        ["iterable"] = static (_, v, _) => v is string or JinjaList or JinjaDict or JinjaGenerator or Undefined,
        ["sequence"] = static (_, v, _) => v is string or JinjaList { IsOfDict: false } or JinjaDict or Undefined,
        ["callable"] = static (_, v, _) => v is JinjaFunction or LoopValue or Undefined,
        ["even"] = static (s, v, _) => Leaves(s, v, 2L, 0L),
        ["odd"] = static (s, v, _) => Leaves(s, v, 2L, 1L),
        ["divisibleby"] = static (s, v, a) => Leaves(s, v, a.Required(0, "num"), 0L),
        ["lower"] = static (s, v, _) => PythonCase.IsLower(s.ToText(v)),
        ["upper"] = static (s, v, _) => PythonCase.IsUpper(s.ToText(v)),
        ["sameas"] = static (s, v, a) => a.Required(0, "other") is var o
            && (ReferenceEquals(v, o) || (v is bool or long or string && v.GetType() == o?.GetType() && s.AreEqual(v, o))),
        ["in"] = static (s, v, a) => Operators.Contains(a.Required(0, "seq"), v, s),
        ["filter"] = static (_, v, _) => v is string name && Filters.Find(name) is not null,
        ["test"] = static (_, v, _) => v is string name && Find(name) is not null,
        ["eq"] = static (s, v, a) => s.AreEqual(v, a.Required(0, "other")),
        ["ne"] = static (s, v, a) => !s.AreEqual(v, a.Required(0, "other")),
        ["lt"] = static (s, v, a) => s.Compare(v, a.Required(0, "other")) < 0,
        ["le"] = static (s, v, a) => s.Compare(v, a.Required(0, "other")) <= 0,
        ["gt"] = static (s, v, a) => s.Compare(v, a.Required(0, "other")) > 0,
        ["ge"] = static (s, v, a) => s.Compare(v, a.Required(0, "other")) >= 0,
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

    private static readonly HashSet<string> OfTwo =
        new(StringComparer.Ordinal) { "divisibleby", "sameas", "in", "eq", "ne", "lt", "le", "gt", "ge" };

    // value % divisor == rest; a str is formatted, as in Python.
    private static bool Leaves(RenderState state, object? value, object? divisor, object? rest) =>
        state.AreEqual(Operators.Binary("%", value, divisor, state), rest);

    /// <summary>Names of the tests, for messages.</summary>
    public static IEnumerable<string> Names => All.Keys.Order(StringComparer.Ordinal);

    /// <summary>The test with this name, or null.</summary>
    public static Test? Find(string name)
    {
        name = Aliases.GetValueOrDefault(name, name);
        var most = OfTwo.Contains(name) ? 1 : 0;
        return All.TryGetValue(name, out var test) ? (state, value, arguments) => test(state, value, arguments.AtMost(most)) : null;
    }
}

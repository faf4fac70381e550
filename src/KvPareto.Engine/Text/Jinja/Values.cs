using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KvPareto.Engine.Text.Jinja;

/// <summary>A name or attribute that has no value: false, empty, printed as nothing; anything further fails.</summary>
/// <param name="Description">What has no value, for messages.</param>
internal sealed record Undefined(string Description)
{
    /// <summary>The failure of using it.</summary>
    public JinjaException Error() => new($"{Description} is undefined");
}

/// <summary>A list or, immutable in name only here, a tuple.</summary>
internal sealed class JinjaList(List<object?> items, bool isTuple = false)
{
    public List<object?> Items { get; } = items;

    public bool IsTuple { get; } = isTuple;
}

/// <summary>A dict, in insertion order.</summary>
internal sealed class JinjaDict
{
    public OrderedDictionary<object, object?> Items { get; } = new(ValueComparer.Instance);
}

/// <summary>The object of <c>namespace()</c>: attributes that survive the scope they are set in.</summary>
internal sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>A function, method, macro or <c>loop</c> itself.</summary>
internal sealed record JinjaFunction(string Name, Func<RenderState, Arguments, object?> Call);

/// <summary>Equality of dict keys, by Python's rules.</summary>
internal sealed class ValueComparer : IEqualityComparer<object>
{
    public static ValueComparer Instance { get; } = new();

    public new bool Equals(object? x, object? y) => Values.AreEqual(x, y);

    public int GetHashCode(object value) => value switch
    {
        bool b => b ? 1.0.GetHashCode() : 0.0.GetHashCode(),
        long l => ((double)l).GetHashCode(),
        string s => s.GetHashCode(StringComparison.Ordinal),
        double d => d.GetHashCode(),
        _ => 0,
    };
}

/// <summary>Python's view of values: null, bool, long, double, string and the types of this file.</summary>
internal static class Values
{
    /// <summary>Converts what callers pass: strings, numbers, dictionaries with string keys, sequences, JSON.</summary>
    /// <exception cref="ArgumentException">Another type.</exception>
    public static object? From(object? value) => value switch
    {
        null or bool or long or double or string or JinjaList or JinjaDict or JinjaNamespace or JinjaFunction or Undefined => value,
        int number => (long)number,
        float number => (double)number,
        JsonElement json => FromJson(json),
        IEnumerable<KeyValuePair<string, object?>> pairs => Dict(pairs.Select(static p => KeyValuePair.Create<object, object?>(p.Key, From(p.Value)))),
        IEnumerable<KeyValuePair<string, string>> pairs => Dict(pairs.Select(static p => KeyValuePair.Create<object, object?>(p.Key, p.Value))),
        IEnumerable items => new JinjaList([.. items.Cast<object?>().Select(From)]),
        _ => throw new ArgumentException($"a template cannot use a {value.GetType().Name}", nameof(value)),
    };

    /// <summary>A dict of pairs; a later one replaces an earlier one.</summary>
    public static JinjaDict Dict(IEnumerable<KeyValuePair<object, object?>> pairs)
    {
        var dict = new JinjaDict();
        foreach (var (key, value) in pairs) dict.Items[key] = value;
        return dict;
    }

    /// <summary><c>bool(value)</c>.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        long l => l != 0,
        double d => d != 0,
        string s => s.Length > 0,
        JinjaList list => list.Items.Count > 0,
        JinjaDict dict => dict.Items.Count > 0,
        _ => true,
    };

    /// <summary><c>a == b</c>.</summary>
    public static bool AreEqual(object? a, object? b) => (a, b) switch
    {
        (null, null) or (Undefined, Undefined) => true,
        (string x, string y) => x == y,
        (JinjaList x, JinjaList y) => ReferenceEquals(x, y) || (x.IsTuple == y.IsTuple && x.Items.Count == y.Items.Count && Deep(() => x.Items.Zip(y.Items).All(static p => AreEqual(p.First, p.Second)))),
        (JinjaDict x, JinjaDict y) => ReferenceEquals(x, y) || (x.Items.Count == y.Items.Count && Deep(() => x.Items.All(p => y.Items.TryGetValue(p.Key, out var other) && AreEqual(p.Value, other)))),
        _ when TryNumber(a, out var x) && TryNumber(b, out var y) => a is double || b is double ? x == y : ToLong(a) == ToLong(b),
        _ => ReferenceEquals(a, b),
    };

    /// <summary>Negative, zero or positive as <c>a</c> is below, equal to or above <c>b</c>.</summary>
    /// <exception cref="JinjaException">The two have no order.</exception>
    public static int Compare(object? a, object? b)
    {
        switch (a, b)
        {
            case (string x, string y):
                // UTF-8 order is that of code points, which is Python's.
                return Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y));
            case (JinjaList x, JinjaList y) when x.IsTuple == y.IsTuple:
                return Deep(() => x.Items.Zip(y.Items).Where(static p => !AreEqual(p.First, p.Second)).Select(static p => Compare(p.First, p.Second)).FirstOrDefault(x.Items.Count - y.Items.Count));
            case var _ when TryNumber(a, out var x) && TryNumber(b, out var y):
                return a is double || b is double ? x.CompareTo(y) : ToLong(a).CompareTo(ToLong(b));
            default:
                throw Fail(a) ?? Fail(b) ?? new JinjaException($"{TypeName(a)} and {TypeName(b)} have no order");
        }
    }

    /// <summary>True for bool, int and float.</summary>
    public static bool TryNumber(object? value, out double number)
    {
        number = value switch { bool b => b ? 1 : 0, long l => l, double d => d, _ => double.NaN };
        return value is bool or long or double;
    }

    /// <summary>A bool or int as a number.</summary>
    public static long ToLong(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        long l => l,
        _ => throw Fail(value) ?? new JinjaException($"expected an int, not {TypeName(value)}"),
    };

    /// <summary>The values that a loop over <paramref name="value"/> sees.</summary>
    /// <exception cref="JinjaException">It cannot be iterated.</exception>
    public static List<object?> Iterate(object? value) => value switch
    {
        JinjaList list => list.Items,
        JinjaDict dict => [.. dict.Items.Keys],
        string text => [.. PythonText.Characters(text)],
        Undefined => [],
        _ => throw new JinjaException($"{TypeName(value)} is not iterable"),
    };

    /// <summary>Python's name of the type.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long => "int",
        double => "float",
        string => "str",
        JinjaList list => list.IsTuple ? "tuple" : "list",
        JinjaDict => "dict",
        JinjaNamespace => "Namespace",
        Undefined => "Undefined",
        _ => "function",
    };

    /// <summary><c>str(value)</c>: what an output tag prints.</summary>
    public static string ToText(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value),
    };

    /// <summary>The failure of using an undefined value, or null for others.</summary>
    public static JinjaException? Fail(object? value) => (value as Undefined)?.Error();

    /// <summary>Runs one more level of recursion over data, or fails while there is still stack to do so.</summary>
    public static T Deep<T>(Func<T> inner)
    {
        RenderState.EnsureStack();
        return inner();
    }

    private static string Repr(object? value) => value switch
    {
        null => "None",
        bool b => b ? "True" : "False",
        long l => l.ToString(CultureInfo.InvariantCulture),
        double d => PythonText.Repr(d),
        string s => PythonText.Repr(s),
        Undefined => "Undefined",
        JinjaList { IsTuple: true, Items.Count: 1 } single => Deep(() => $"({Repr(single.Items[0])},)"),
        JinjaList list => Deep(() => (list.IsTuple ? "(" : "[") + string.Join(", ", list.Items.Select(Repr)) + (list.IsTuple ? ")" : "]")),
        JinjaDict dict => Deep(() => "{" + string.Join(", ", dict.Items.Select(static p => $"{Repr(p.Key)}: {Repr(p.Value)}")) + "}"),
        JinjaFunction function => $"<function {function.Name}>",
        _ => $"<{TypeName(value)}>",
    };

    private static object? FromJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => Dict(json.EnumerateObject().Select(static p => KeyValuePair.Create<object, object?>(p.Name, FromJson(p.Value)))),
        JsonValueKind.Array => new JinjaList([.. json.EnumerateArray().Select(FromJson)]),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? (object)whole : json.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}

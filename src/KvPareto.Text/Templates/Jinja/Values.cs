using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>A name or attribute that has no value: false, empty, printed as nothing; anything further fails.</summary>
/// <param name="Description">What has no value, for messages.</param>
internal sealed record Undefined(string Description)
{
    /// <summary>The failure of using it.</summary>
    public JinjaException Error() => new($"{Description} is undefined");
}

/// <summary>A function, method, macro or <c>loop</c> itself.</summary>
internal sealed record JinjaFunction(string Name, Func<RenderState, Arguments, object?> Call);

/// <summary>Equality of dict keys, by Python's rules.</summary>
internal sealed class ValueComparer : IEqualityComparer<object>
{
    public static ValueComparer Instance { get; } = new();

    public new bool Equals(object? x, object? y) => Values.AreEqual(x, y);

    // Keyed anew in each process, so that a template cannot make keys collide; equal numbers of all types have one hash.
    public int GetHashCode(object value) => value switch
    {
        bool or long => Of(Values.ToLong(value)),
        double d when Values.IsWhole(d) => Of((long)d),
        double d => Of(BitConverter.DoubleToInt64Bits(d)),
        BigInteger i => Of(BitConverter.DoubleToInt64Bits((double)i)),
        string s => s.GetHashCode(StringComparison.Ordinal),
        JinjaList list =>
            list.Items.Aggregate(list.Items.Count, (hash, item) => HashCode.Combine(hash, item is null ? 0 : GetHashCode(item))),
        _ => 0,
    };

    private static int Of(long bits) => HashCode.Combine((int)(bits >> 32), (int)bits);
}

/// <summary>Python's view of values: null, bool, long, double, string and the types of this file.</summary>
internal static class Values
{
    /// <summary>Converts what callers pass: strings, numbers, dictionaries with string keys, sequences, JSON.</summary>
    /// <exception cref="ArgumentException">Another type.</exception>
    public static object? From(object? value) => value switch
    {
        null or bool or long or double or string or BigInteger or JinjaList or JinjaDict or JinjaNamespace or JinjaFunction
            or JinjaGenerator or Undefined => value,
        int number => (long)number,
        float number => (double)number,
        JsonElement json => FromJson(json),
        IEnumerable<KeyValuePair<string, object?>> pairs =>
            new JinjaDict(pairs.Select(static p => KeyValuePair.Create<object, object?>(p.Key, From(p.Value)))),
        IEnumerable<KeyValuePair<string, string>> pairs =>
            new JinjaDict(pairs.Select(static p => KeyValuePair.Create<object, object?>(p.Key, p.Value))),
        IEnumerable items => new JinjaList([.. items.Cast<object?>().Select(From)]),
        _ => throw new ArgumentException($"a template cannot use a {value.GetType().Name}", nameof(value)),
    };

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
        (JinjaList x, JinjaList y) =>
            ReferenceEquals(x, y)
                || (x.IsTuple == y.IsTuple && x.View is null == y.View is null && x.Items.Count == y.Items.Count
                    && x.Items.Zip(y.Items).All(static p => AreEqual(p.First, p.Second))),
        (JinjaDict x, JinjaDict y) => ReferenceEquals(x, y)
            || (x.Items.Count == y.Items.Count && x.Items.All(p => y.Items.TryGetValue(p.Key, out var other) && AreEqual(p.Value, other))),
        _ when IsNumber(a) && IsNumber(b) => CompareNumbers(a, b) == 0 && a is not double.NaN && b is not double.NaN,
        _ => ReferenceEquals(a, b),
    };

    /// <summary>Negative, zero or positive as <c>a</c> is below, equal to or above <c>b</c>.</summary>
    /// <exception cref="JinjaException">The two have no order.</exception>
    public static int Compare(object? a, object? b)
    {
        switch (a, b)
        {
            case (string x, string y):
                return PythonText.Compare(x, y);
            case (JinjaList { View: null } x, JinjaList { View: null } y) when x.IsTuple == y.IsTuple:
                return x.Items.Zip(y.Items).Where(static p => !AreEqual(p.First, p.Second))
                    .Select(static p => Compare(p.First, p.Second)).FirstOrDefault(x.Items.Count - y.Items.Count);
            case var _ when IsNumber(a) && IsNumber(b):
                return CompareNumbers(a, b);
            default:
                throw Fail(a) ?? Fail(b) ?? new JinjaException($"{TypeName(a)} and {TypeName(b)} have no order");
        }
    }

    /// <summary>True for a float that an int of 64 bits equals.</summary>
    public static bool IsWhole(double value) => value is >= -TwoTo63 and < TwoTo63 && Math.Truncate(value) == value;

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
    public static List<object?> Iterate(object? value, RenderState state)
    {
        state.Require(value);
        state.Step(value switch { JinjaDict dict => dict.Items.Count, string text => text.Length, _ => 0 });
        return value switch
        {
            JinjaList list => list.Items,
            JinjaGenerator generator => generator.Rest(),
            JinjaDict dict => [.. dict.Items.Keys],
            string text => [.. PythonText.Characters(text)],
            Undefined => [],
            _ => throw new JinjaException($"{TypeName(value)} is not iterable"),
        };
    }

    /// <summary>Python's name of the type.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        JinjaList list => list.IsTuple ? "tuple" : list.View?.Split('(')[0] ?? "list",
        JinjaDict => "dict",
        JinjaGenerator => "generator",
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

    private static bool IsNumber(object? value) => value is bool or long or double or BigInteger;

    private const double TwoTo63 = 9223372036854775808;

    // Exact, as Python's: an int may lie between two floats.
    private static int CompareNumbers(object? a, object? b) => (a, b) switch
    {
        (BigInteger x, double y) => -y.CompareTo((double)x),
        (double x, BigInteger y) => x.CompareTo((double)y),
        (BigInteger x, _) => x.CompareTo(b is BigInteger y ? y : ToLong(b)),
        (_, BigInteger) => -CompareNumbers(b, a),
        (double x, double y) => x.CompareTo(y),
        (double x, _) => -CompareWith(ToLong(b), x),
        (_, double y) => CompareWith(ToLong(a), y),
        _ => ToLong(a).CompareTo(ToLong(b)),
    };

    private static int CompareWith(long whole, double number) => number switch
    {
        double.NaN or < -TwoTo63 => 1,
        >= TwoTo63 => -1,
        _ => whole.CompareTo((long)Math.Floor(number)) is var order and not 0 ? order : number > Math.Floor(number) ? -1 : 0,
    };

    private static string Repr(object? value)
    {
        var output = new StringBuilder();
        AppendRepr(output, value);
        return output.ToString();
    }

    private static void AppendRepr(StringBuilder output, object? value)
    {
        switch (value)
        {
            case JinjaList { View: [.., ')'] range }:
                output.Append(range);
                break;
            case JinjaList { View: { } view } list:
                output.Append(view).Append('(');
                AppendAll(output, '[', list.Items, static (o, i) => AppendRepr(o, i));
                output.Append("])");
                break;
            case JinjaList list:
                AppendAll(output, list.IsTuple ? '(' : '[', list.Items, static (o, i) => AppendRepr(o, i));
                output.Append(list.IsTuple ? list.Items.Count == 1 ? ",)" : ")" : "]");
                break;
            case JinjaDict dict:
                AppendAll(output, '{', dict.Items, static (o, p) =>
                {
                    AppendRepr(o, p.Key);
                    o.Append(": ");
                    AppendRepr(o, p.Value);
                });
                output.Append('}');
                break;
            default:
                output.Append(value switch
                {
                    null => "None",
                    bool b => b ? "True" : "False",
                    long l => l.ToString(CultureInfo.InvariantCulture),
                    BigInteger i => i.ToString(CultureInfo.InvariantCulture),
                    double d => PythonText.Repr(d),
                    string s => PythonText.Repr(s),
                    Undefined => "Undefined",
                    JinjaFunction function => $"<function {function.Name}>",
                    _ => $"<{TypeName(value)}>",
                });
                break;
        }
        if (output.Length > RenderState.LongestText) throw new JinjaException($"a text of more than {RenderState.LongestText} characters");
    }

    private static void AppendAll<T>(StringBuilder output, char open, IEnumerable<T> items, Action<StringBuilder, T> append)
    {
        output.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first) output.Append(", ");
            first = false;
            append(output, item);
        }
    }

    private static object? FromJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object =>
            new JinjaDict(json.EnumerateObject().Select(static p => KeyValuePair.Create<object, object?>(p.Name, FromJson(p.Value)))),
        JsonValueKind.Array => new JinjaList([.. json.EnumerateArray().Select(FromJson)]),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? whole : LargeWhole(json) ?? (object)json.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    // An int beyond 64 bits, which is carried and printed, but not reckoned with.
    private static BigInteger? LargeWhole(JsonElement json) =>
        json.GetRawText() is { Length: <= PythonNumber.MostDigits } text && text.AsSpan().IndexOfAny('.', 'e', 'E') < 0
            ? BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : null;
}

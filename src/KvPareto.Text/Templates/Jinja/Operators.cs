using System.Numerics;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>Arithmetic and comparison by Python's rules; ints beyond 64 bits are an error.</summary>
internal static class Operators
{
    /// <summary><c>a operation b</c>.</summary>
    /// <exception cref="JinjaException">The types do not go together, or the result is too large.</exception>
    public static object? Binary(string operation, object? a, object? b, RenderState state)
    {
        if ((Values.Fail(a) ?? Values.Fail(b)) is { } undefined) throw undefined;
        switch (operation, a, b)
        {
            case ("+", string x, string y):
                state.Text((long)x.Length + y.Length);
                return x + y;
            case ("+", JinjaList { View: null } x, JinjaList { View: null } y) when x.IsTuple == y.IsTuple:
                state.Step(x.Items.Count + y.Items.Count);
                return new JinjaList([.. x.Items, .. y.Items], x.IsTuple);
            case ("*", string or JinjaList { View: null }, bool or long):
                return Repeat(a!, Values.ToLong(b), state);
            case ("*", bool or long, string or JinjaList { View: null }):
                return Repeat(b!, Values.ToLong(a), state);
            case ("%", string format, _):
                return PythonFormat.Percent(format, b, state);
        }
        if (!Values.TryNumber(a, out var left) || !Values.TryNumber(b, out var right))
            throw a is BigInteger || b is BigInteger ? new JinjaException($"'{operation}' has an int beyond 64 bits")
                : new JinjaException($"'{operation}' does not take {Values.TypeName(a)} and {Values.TypeName(b)}");
        if (operation is "/" or "//" or "%" && right == 0) throw new JinjaException("division by zero");
        if (operation == "/") return left / right;
        if (a is double || b is double || (operation == "**" && right < 0)) return Floating(operation, left, right);
        try
        {
            return Integer(operation, Values.ToLong(a), Values.ToLong(b));
        }
        catch (OverflowException)
        {
            throw new JinjaException($"'{operation}' gives an int beyond 64 bits");
        }
    }

    /// <summary>A comparison, or <c>in</c> and <c>not in</c>.</summary>
    public static bool Holds(string operation, object? a, object? b, RenderState state) => operation switch
    {
        "<" or "<=" or ">" or ">=" when a is double.NaN || b is double.NaN => false,
        "==" => state.AreEqual(a, b),
        "!=" => !state.AreEqual(a, b),
        "<" => state.Compare(a, b) < 0,
        "<=" => state.Compare(a, b) <= 0,
        ">" => state.Compare(a, b) > 0,
        ">=" => state.Compare(a, b) >= 0,
        "in" => Contains(b, a, state),
        _ => !Contains(b, a, state),
    };

    /// <summary><c>item in container</c>.</summary>
    public static bool Contains(object? container, object? item, RenderState state)
    {
        switch (container)
        {
            case string text:
                state.Text(text.Length);
                state.Walk(item);
                return item is string part ? part.Length == 0 || new TextSearch(part).Find(text) >= 0
                    : throw Values.Fail(item) ?? new JinjaException($"'in' a str needs a str, not {Values.TypeName(item)}");
            case JinjaDict dict:
                return state.TryGet(dict, item, out _);
            case JinjaList or JinjaGenerator or Undefined:
                return Values.Iterate(container, state).Any(i => state.AreEqual(i, item));
            default:
                throw new JinjaException($"'in' does not take {Values.TypeName(container)}");
        }
    }

    /// <summary><c>+a</c> or <c>-a</c>.</summary>
    public static object Sign(string operation, object? value)
    {
        if (!Values.TryNumber(value, out var number))
            throw Values.Fail(value) ?? new JinjaException($"'{operation}' does not take {Values.TypeName(value)}");
        var negative = operation == "-";
        if (value is double) return negative ? -number : number;
        var whole = Values.ToLong(value);
        return negative ? whole == long.MinValue ? throw new JinjaException("'-' gives an int beyond 64 bits") : -whole : whole;
    }

    /// <summary>A value as a dict's key.</summary>
    public static object Key(object? value) => value switch
    {
        string or bool or long or double or BigInteger => value,
        JinjaList { IsTuple: true } => value,
        _ => throw Values.Fail(value) ?? new JinjaException($"{Values.TypeName(value)} cannot be a dict's key"),
    };

    private static object Repeat(object value, long count, RenderState state)
    {
        count = Math.Max(count, 0);
        if (value is string text)
        {
            state.Text(Product(text.Length, count));
            return string.Concat(Enumerable.Repeat(text, (int)(text.Length == 0 ? 0 : count)));
        }
        var list = (JinjaList)value;
        state.Step(Product(list.Items.Count, count));
        return new JinjaList(
            [.. Enumerable.Repeat(list.Items, (int)(list.Items.Count == 0 ? 0 : count)).SelectMany(static i => i)], list.IsTuple);
    }

    private static long Product(long a, long b) => a == 0 || b <= long.MaxValue / a ? a * b : long.MaxValue;

    private static long Integer(string operation, long a, long b) => operation switch
    {
        "+" => checked(a + b),
        "-" => checked(a - b),
        "*" => checked(a * b),
        "//" => checked(a / b) - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0),
        "%" => b == -1 ? 0 : a % b is var rest && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest,
        _ => Power(a, b),
    };

    private static double Floating(string operation, double a, double b) => operation switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "//" => Quotient(a, b),
        "%" => Rest(a, b),
        _ => a == 0 && b < 0 ? throw new JinjaException("division by zero") : Math.Pow(a, b),
    };

    // .NET's rest has the dividend's sign, Python's the divisor's.
    private static double Rest(double a, double b)
    {
        var rest = a % b;
        return rest == 0 ? Math.CopySign(0, b) : rest < 0 != b < 0 ? rest + b : rest;
    }

    private static double Quotient(double a, double b)
    {
        var rest = a % b;
        var quotient = (a - rest) / b - (rest != 0 && rest < 0 != b < 0 ? 1 : 0);
        var floor = Math.Floor(quotient) + (quotient - Math.Floor(quotient) > 0.5 ? 1 : 0);
        return floor == 0 ? Math.CopySign(0, a / b) : floor;
    }

    private static long Power(long a, long exponent)
    {
        if (a is 0 or 1) return exponent == 0 ? 1 : a;
        if (a == -1) return exponent % 2 == 0 ? 1 : -1;
        var result = 1L;
        for (; exponent > 0; exponent--) result = checked(result * a);
        return result;
    }
}

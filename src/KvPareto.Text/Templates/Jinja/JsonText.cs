using System.Globalization;
using System.Numerics;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>
/// <c>tojson</c> as Hugging Face transformers defines it: Python's <c>json.dumps</c> with <c>ensure_ascii=False</c>, and no escaping
/// of HTML.
/// </summary>
internal sealed class JsonText(
    string? indent, string itemSeparator, string keySeparator, bool sortKeys, bool isAscii, RenderState state)
{
    private readonly StringBuilder _output = new();

    /// <summary>The filter <c>tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)</c>.</summary>
    public static string Filter(RenderState state, object? value, Arguments arguments)
    {
        var indent = arguments.Get(1, "indent") switch
        {
            null => null,
            string text => text,
            var number => new string(' ', (int)Math.Clamp(Values.ToLong(number), 0, 100)),
        };
        var separators = arguments.Get(2, "separators") as JinjaList;
        if (separators is not null and not { Items: [string, string] }) throw new JinjaException("separators must be two strings");
        var itemSeparator = separators?.Items[0] as string ?? (indent is null ? ", " : ",");
        var keySeparator = separators?.Items[1] as string ?? ": ";
        var sortKeys = arguments.Flag(3, "sort_keys");
        var writer = new JsonText(
            indent, itemSeparator, keySeparator, sortKeys, arguments.Flag(0, "ensure_ascii"), state);
        writer.Write(value, 0);
        return writer._output.ToString();
    }

    private void Write(object? value, int depth)
    {
        state.Step();
        switch (value)
        {
            case null: Append("null"); break;
            case bool b: Append(b ? "true" : "false"); break;
            case long l: Append(l.ToString(CultureInfo.InvariantCulture)); break;
            case double d: Append(Number(d)); break;
            case BigInteger i: Append(i.ToString(CultureInfo.InvariantCulture)); break;
            case string s: WriteString(s); break;
            case JinjaList { View: null } list: WriteItems('[', ']', list.Items, i => Write(i, depth + 1), depth); break;
            case JinjaDict dict: WriteItems('{', '}', Sorted(dict), p => WritePair(p, depth), depth); break;
            default: throw Values.Fail(value) ?? new JinjaException($"{Values.TypeName(value)} cannot be written as JSON");
        }
    }

    private List<KeyValuePair<object, object?>> Sorted(JinjaDict dict)
    {
        state.Step(dict.Items.Count);
        var pairs = dict.Items.ToList();
        return sortKeys ? SequenceFilters.InOrder(state, pairs, static p => p.Key) : pairs;
    }

    private void WritePair(KeyValuePair<object, object?> pair, int depth)
    {
        WriteString(pair.Key switch
        {
            string text => text,
            bool b => b ? "true" : "false",
            double d => Number(d),
            var key => state.ToText(key),
        });
        Append(keySeparator);
        Write(pair.Value, depth + 1);
    }

    private void WriteItems<T>(char open, char close, List<T> items, Action<T> write, int depth)
    {
        _output.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) Append(itemSeparator);
            NewLine(depth + 1);
            write(items[i]);
        }
        if (items.Count > 0) NewLine(depth);
        _output.Append(close);
    }

    private void NewLine(int depth)
    {
        if (indent is null) return;
        _output.Append('\n');
        for (var i = 0; i < depth; i++) Append(indent);
    }

    private void Append(string text)
    {
        state.Text(text.Length);
        state.CheckLength(_output.Length + (long)text.Length);
        _output.Append(text);
    }

    private void WriteString(string text)
    {
        state.Text(text.Length);
        _output.Append('"');
        foreach (var c in text)
        {
            state.CheckLength(_output.Length);
            switch (c)
            {
                case '"': _output.Append("\\\""); break;
                case '\\': _output.Append("\\\\"); break;
                case '\n': _output.Append("\\n"); break;
                case '\r': _output.Append("\\r"); break;
                case '\t': _output.Append("\\t"); break;
                case '\b': _output.Append("\\b"); break;
                case '\f': _output.Append("\\f"); break;
                case < ' ' or > '~' when c < ' ' || isAscii: _output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default: _output.Append(c); break;
            }
        }
        _output.Append('"');
    }

    private static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? (value > 0 ? "Infinity" : "-Infinity") : PythonText.Repr(value);
}

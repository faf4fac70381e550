using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvPareto.Sweep.Results;

/// <summary>
/// One text for one value, so that its hash can be an identity: RFC 8785's form (keys in UTF-16 order, no white space, shortest
/// escapes) for objects, arrays, strings, booleans, null and integers. Fractions are refused: nothing hashed here has any.
/// </summary>
internal static class CanonicalJson
{
    /// <summary>The canonical text of <paramref name="node"/>.</summary>
    /// <exception cref="ArgumentException">A number is not a 64-bit integer.</exception>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, text);
        return text.ToString();
    }

    private static void Write(JsonNode? node, StringBuilder text)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject members:
                WriteList('{', '}', members.OrderBy(member => member.Key, StringComparer.Ordinal), member =>
                {
                    WriteString(member.Key, text);
                    text.Append(':');
                    Write(member.Value, text);
                }, text);
                break;
            case JsonArray items:
                WriteList('[', ']', items, item => Write(item, text), text);
                break;
            case JsonValue value:
                WriteValue(value, text);
                break;
        }
    }

    private static void WriteList<T>(char open, char close, IEnumerable<T> items, Action<T> write, StringBuilder text)
    {
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first) text.Append(',');
            first = false;
            write(item);
        }
        text.Append(close);
    }

    private static void WriteValue(JsonValue value, StringBuilder text)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                WriteString(value.GetValue<string>(), text);
                break;
            case JsonValueKind.True:
                text.Append("true");
                break;
            case JsonValueKind.False:
                text.Append("false");
                break;
            default:
                if (!long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                    throw new ArgumentException($"{value.ToJsonString()} is not an integer", nameof(value));
                text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteString(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var c in value)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\b' => "\\b",
                '\f' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }
        text.Append('"');
    }
}

using System.Globalization;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>Options of a part of an Oniguruma pattern.</summary>
/// <param name="IgnoreCase"><c>(?i)</c>.</param>
/// <param name="DotAll"><c>(?m)</c>: . matches line ends.</param>
internal readonly record struct OnigurumaFlags(bool IgnoreCase, bool DotAll);

/// <summary>Rewrites the single characters and escapes of an Oniguruma pattern; see <see cref="OnigurumaTranslator"/>.</summary>
/// <param name="pattern">What is read.</param>
/// <param name="output">Where to.</param>
internal sealed class OnigurumaEscapes(PatternCursor pattern, StringBuilder output)
{
    private const string WordSet = @"\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}\u24B6-\u24E9";

    // Outside of sets Latin-1 has a table of its own, with superscripts and fractions.
    private const string Word = WordSet + @"\u00B2\u00B3\u00B9\u00BC-\u00BE";

    private static readonly HashSet<string> Categories = new(StringComparer.Ordinal)
    {
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
    };

    /// <summary>What stands after a backslash, itself included.</summary>
    public void Escape(OnigurumaFlags flags, bool inSet)
    {
        pattern.At++;
        if (pattern.AtEnd) throw pattern.Unknown("'\\' at the end");
        var c = pattern.Next();
        switch (c)
        {
            case 'p' or 'P':
                Property(c == 'P');
                break;
            case 'w' or 'W':
                if (inSet && c == 'W') throw pattern.Unknown("\\W within a set");
                output.Append(inSet ? WordSet : c == 'w' ? $"[{Word}]" : $"[^{Word}]");
                break;
            case 'b' or 'B' when !inSet:
                output.Append(c == 'b' ? $"(?:(?<=[{Word}])(?![{Word}])|(?<![{Word}])(?=[{Word}]))"
                    : $"(?:(?<=[{Word}])(?=[{Word}])|(?<![{Word}])(?![{Word}]))");
                break;
            case 'h' when !inSet:
                output.Append("[0-9a-fA-F]");
                break;
            case 's' or 'S' or 'd' or 'D' or 'n' or 'r' or 't' or 'f' or 'v' or 'a' or 'e':
            case 'A' or 'z' or 'Z' or 'G' when !inSet:
                output.Append('\\').Append(c);
                break;
            case 'x':
                CodePoint();
                break;
            case 'u':
                output.Append("\\u").Append(Hex(4));
                break;
            default:
                if (char.IsAsciiLetterOrDigit(c)) throw pattern.Unknown("escape \\" + c);
                if (inSet) output.Append('\\').Append(c);
                else Literal(c, flags);
                break;
        }
    }

    /// <summary>A character that means itself.</summary>
    public void Literal(char c, OnigurumaFlags flags)
    {
        if (char.IsSurrogate(c)) throw pattern.Unknown("a character beyond U+FFFF");
        if (!flags.IgnoreCase || !char.IsLetter(c))
        {
            if (char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c)) output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else output.Append(c);
            return;
        }
        output.Append('[').Append(char.ToLowerInvariant(c)).Append(char.ToUpperInvariant(c)).Append(c);
        if (c is 's' or 'S') output.Append('\u017F');
        if (c is 'k' or 'K') output.Append('\u212A');
        output.Append(']');
    }

    private void CodePoint()
    {
        if (!pattern.Take("{"))
        {
            output.Append("\\u00").Append(Hex(2));
            return;
        }
        var close = pattern.Text.IndexOf('}', pattern.At);
        if (close < 0 || !int.TryParse(
            pattern.Text.AsSpan(pattern.At, close - pattern.At), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var value))
            throw pattern.Unknown("escape \\x");
        if (value is < 0 or > 0xFFFF) throw pattern.Unknown("a character beyond U+FFFF");
        pattern.At = close + 1;
        output.Append(CultureInfo.InvariantCulture, $"\\u{value:X4}");
    }

    private string Hex(int digits)
    {
        var end = pattern.At + digits;
        if (end > pattern.Text.Length || !pattern.Text[pattern.At..end].All(char.IsAsciiHexDigit)) throw pattern.Unknown("escape");
        pattern.At = end;
        return pattern.Text[(end - digits)..end];
    }

    private void Property(bool negated)
    {
        var close = pattern.Text.IndexOf('}', pattern.At);
        if (!pattern.Take("{") || close < 0) throw pattern.Unknown("\\p without {…}");
        if (pattern.Take("^")) negated = !negated;
        var name = pattern.Text[pattern.At..close];
        if (!Categories.Contains(name))
            throw pattern.Unknown($"property {OneLine.Quote(name)} (known: general categories such as L, Lu, Nd)");
        pattern.At = close + 1;
        output.Append(negated ? "\\P{" : "\\p{").Append(name).Append('}');
    }
}

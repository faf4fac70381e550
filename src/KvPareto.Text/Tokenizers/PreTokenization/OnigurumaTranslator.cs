using System.Globalization;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>
/// Rewrites an Oniguruma pattern (Ruby syntax, Unicode) for .NET's engine. Different there, and so spelled out: possessive
/// quantifiers, <c>(?m)</c> (. matches line ends), ^ and $ (always at line ends), <c>\w</c>, <c>\h</c>, set intersections, and
/// letters without regard to case, where k also matches the Kelvin sign and s the long s.
/// </summary>
internal sealed class OnigurumaTranslator(string pattern)
{
    private const int DeepestNesting = 50;
    private const int LongestPattern = 1 << 13;
    private const int LongestTranslation = 1 << 16;
    private const int MostQuantifiers = 8;
    private const string WordSet = @"\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}\u24B6-\u24E9";

    private static readonly HashSet<string> Categories = new(StringComparer.Ordinal)
    {
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
    };

    private readonly StringBuilder _output = new();
    private readonly List<(int From, int To)> _astralRanges = [];
    private int _at;

    /// <summary>What stands for a character beyond U+FFFF in texts that the translated pattern is matched with.</summary>
    public char StandIn(int codePoint)
    {
        foreach (var (from, to) in _astralRanges)
            if (codePoint >= from && codePoint <= to
                && AstralStandIn.Named.TryGetValue(CharUnicodeInfo.GetUnicodeCategory(codePoint), out var named)) return named;
        return AstralStandIn.Of(codePoint);
    }

    /// <summary>The same pattern in .NET's syntax.</summary>
    /// <exception cref="FormatException">A construct that is not known.</exception>
    public string Translate()
    {
        if (pattern.Length > LongestPattern) throw Unknown($"more than {LongestPattern} characters");
        Alternatives(new Flags(false, false), 0);
        return _at == pattern.Length ? _output.ToString() : throw Unknown("')' without '('");
    }

    private void Alternatives(Flags flags, int depth)
    {
        if (depth > DeepestNesting) throw Unknown($"more than {DeepestNesting} nested groups");
        while (_at < pattern.Length && pattern[_at] != ')')
        {
            var start = _output.Length;
            if (_output.Length > LongestTranslation) throw Unknown("too long a pattern");
            if (!Atom(ref flags, depth)) continue;
            Quantifiers(start);
        }
    }

    /// <summary>False for what cannot be repeated.</summary>
    private bool Atom(ref Flags flags, int depth)
    {
        var c = pattern[_at];
        switch (c)
        {
            case '|':
                _at++;
                _output.Append('|');
                return false;
            case '^' or '$':
                _at++;
                _output.Append(c == '^' ? "(?m:^)" : "(?m:$)");
                return false;
            case '.':
                _at++;
                _output.Append(flags.DotAll ? "(?s:.)" : @"[^\n]");
                return true;
            case '(':
                return Group(ref flags, depth);
            case '[':
                Set(flags);
                return true;
            case '\\':
                Escape(flags, inSet: false);
                return true;
            case '*' or '+' or '?':
                throw Unknown($"'{c}' with nothing before it to repeat");
            default:
                _at++;
                Literal(c, flags);
                return true;
        }
    }

    private bool Group(ref Flags flags, int depth)
    {
        _at++;
        var inner = flags;
        string opening;
        if (!Take("?")) opening = "(?:";
        else if (Take(":")) opening = "(?:";
        else if (Take("=")) opening = "(?=";
        else if (Take("!")) opening = "(?!";
        else if (Take(">")) opening = "(?>";
        else if (Take("<=")) opening = "(?<=";
        else if (Take("<!")) opening = "(?<!";
        else
        {
            inner = Options(flags);
            if (Take(")"))
            {
                flags = inner;
                return false;
            }
            if (!Take(":")) throw Unknown("group");
            opening = "(?:";
        }
        _output.Append(opening);
        Alternatives(inner, depth + 1);
        if (!Take(")")) throw Unknown("'(' without ')'");
        _output.Append(')');
        return true;
    }

    private Flags Options(Flags flags)
    {
        for (var value = true; _at < pattern.Length; _at++)
            switch (pattern[_at])
            {
                case '-': value = false; break;
                case 'i': flags = flags with { IgnoreCase = value }; break;
                case 'm': flags = flags with { DotAll = value }; break;
                default: return flags;
            }
        return flags;
    }

    private void Quantifiers(int start)
    {
        for (var count = 1; _at < pattern.Length; count++)
        {
            var c = pattern[_at];
            if (count > MostQuantifiers && (c is '*' or '+' or '?'))
                throw Unknown($"more than {MostQuantifiers} quantifiers one after the other");
            if (c is '*' or '+' or '?')
            {
                _at++;
                _output.Append(c);
                if (Take("?")) _output.Append('?');
                else if (Take("+")) _output.Insert(start, "(?>").Append(')');
            }
            else if (c == '{' && Interval() is { } interval)
            {
                _output.Append(interval);
                if (Take("?")) _output.Append('?');
            }
            else return;
            // A second quantifier repeats the quantified whole.
            if (_at < pattern.Length && pattern[_at] is '*' or '+' or '?') _output.Insert(start, "(?:").Append(')');
        }
    }

    private string? Interval()
    {
        var close = pattern.IndexOf('}', _at);
        if (close < 0) return null;
        var parts = pattern[(_at + 1)..close].Split(',');
        if (parts.Length > 2 || !parts.All(static p => p.All(char.IsAsciiDigit)) || parts.All(static p => p.Length == 0)) return null;
        if (parts.Any(static p => p.Length > 6)) throw Unknown("repeat count");
        _at = close + 1;
        return parts.Length == 1 ? $"{{{parts[0]}}}" : $"{{{(parts[0].Length == 0 ? "0" : parts[0])},{parts[1]}}}";
    }

    private void Set(Flags flags)
    {
        var start = _output.Length;
        _at++;
        _output.Append('[');
        if (Take("^")) _output.Append('^');
        var (first, extras, astral) = (true, new StringBuilder(), _astralRanges.Count);
        for (; ; first = false)
        {
            if (_at >= pattern.Length) throw Unknown("'[' without ']'");
            var c = pattern[_at];
            if (c == ']' && !first) break;
            if (c == '[') throw Unknown(Ahead("[:") ? "POSIX class" : "set within a set");
            if (Ahead("&&"))
            {
                Intersection();
                break;
            }
            if (c == '\\') Escape(flags, inSet: true);
            else if (char.IsHighSurrogate(c)) AstralRange();
            else
            {
                _at++;
                Unit(c);
                if (c is 's' or 'S') extras.Append('\u017F');
                if (c is 'k' or 'K') extras.Append('\u212A');
                if (_at < pattern.Length && pattern[_at] == '-' && _at + 1 < pattern.Length && pattern[_at + 1] is 'z' or 'Z')
                    extras.Append("\u017F\u212A");
            }
        }
        _at++;
        if (_astralRanges.Count > astral)
        {
            if (astral > 0) throw Unknown("characters beyond U+FFFF in a second set");
            foreach (var named in AstralStandIn.Named.Values) _output.Append(named);
        }
        if (flags.IgnoreCase) _output.Append(extras);
        _output.Append(']');
        if (flags.IgnoreCase) _output.Insert(start, "(?i:").Append(')');
    }

    // Letters only: what stands for one of them tells the named ones from all others.
    private void AstralRange()
    {
        if (pattern[_at - 1] == '-') throw Unknown("a range that ends beyond U+FFFF on one side");
        var from = AstralUnit();
        var to = Take("-") ? AstralUnit() : from;
        if (to < from || to - from > 0x10000) throw Unknown("such a range of characters beyond U+FFFF");
        for (var c = from; c <= to; c++)
            if (!AstralStandIn.Named.ContainsKey(CharUnicodeInfo.GetUnicodeCategory(c)))
                throw Unknown("a character beyond U+FFFF that is no letter");
        _astralRanges.Add((from, to));
        if (_astralRanges.Count > DeepestNesting) throw Unknown($"more than {DeepestNesting} ranges of characters beyond U+FFFF");
    }

    private int AstralUnit()
    {
        if (_at + 1 >= pattern.Length || !char.IsSurrogatePair(pattern[_at], pattern[_at + 1]))
            throw Unknown("a range that ends beyond U+FFFF on one side");
        _at += 2;
        return char.ConvertToUtf32(pattern[_at - 2], pattern[_at - 1]);
    }

    // [a&&[^b]] is .NET's [a-[b]]; other intersections are not known.
    private void Intersection()
    {
        if (!Take("&&[^")) throw Unknown("set intersection");
        _output.Append("-[");
        while (_at < pattern.Length && pattern[_at] != ']')
        {
            if (pattern[_at] == '\\') Escape(default, inSet: true);
            else Unit(pattern[_at++]);
        }
        if (!Take("]") || _at >= pattern.Length || pattern[_at] != ']') throw Unknown("set intersection");
        _output.Append(']');
    }

    private void Unit(char c)
    {
        if (char.IsSurrogate(c)) throw Unknown("a character beyond U+FFFF");
        if (c is '[' or ']' or '^' or '\\') _output.Append('\\');
        _output.Append(c);
    }

    private void Escape(Flags flags, bool inSet)
    {
        if (++_at >= pattern.Length) throw Unknown("'\\' at the end");
        var c = pattern[_at++];
        switch (c)
        {
            case 'p' or 'P':
                Property(c == 'P');
                break;
            case 'w' or 'W':
                if (inSet && c == 'W') throw Unknown("\\W within a set");
                _output.Append(inSet ? WordSet : c == 'w' ? $"[{WordSet}]" : $"[^{WordSet}]");
                break;
            case 'h' when !inSet:
                _output.Append("[0-9a-fA-F]");
                break;
            case 's' or 'S' or 'd' or 'D' or 'n' or 'r' or 't' or 'f' or 'v' or 'a' or 'e':
            case 'A' or 'z' or 'Z' or 'b' or 'B' or 'G' when !inSet:
                _output.Append('\\').Append(c);
                break;
            case 'x':
                CodePoint();
                break;
            case 'u':
                _output.Append((string?)("\\u" + Hex(4)));
                break;
            default:
                if (char.IsAsciiLetterOrDigit(c)) throw Unknown("escape \\" + c);
                if (inSet) _output.Append('\\').Append(c);
                else Literal(c, flags);
                break;
        }
    }

    private void CodePoint()
    {
        if (!Take("{"))
        {
            _output.Append("\\u00").Append(Hex(2));
            return;
        }
        var close = pattern.IndexOf('}', _at);
        if (close < 0 || !int.TryParse(
            pattern.AsSpan(_at, close - _at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            throw Unknown("escape \\x");
        if (value is < 0 or > 0xFFFF) throw Unknown("a character beyond U+FFFF");
        _at = close + 1;
        _output.Append(CultureInfo.InvariantCulture, $"\\u{value:X4}");
    }

    private string Hex(int digits)
    {
        if (_at + digits > pattern.Length || !pattern.AsSpan(_at, digits).ToString().All(char.IsAsciiHexDigit)) throw Unknown("escape");
        _at += digits;
        return pattern.Substring(_at - digits, digits);
    }

    private void Property(bool negated)
    {
        var close = pattern.IndexOf('}', _at);
        if (!Take("{") || close < 0) throw Unknown("\\p without {…}");
        if (Take("^")) negated = !negated;
        var name = pattern[_at..close];
        if (!Categories.Contains(name)) throw Unknown($"property {ErrorText.Quote(name)} (known: general categories such as L, Lu, Nd)");
        _at = close + 1;
        _output.Append(negated ? "\\P{" : "\\p{").Append(name).Append('}');
    }

    private void Literal(char c, Flags flags)
    {
        if (char.IsSurrogate(c)) throw Unknown("a character beyond U+FFFF");
        if (!flags.IgnoreCase || !char.IsLetter(c))
        {
            if (char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c)) _output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else _output.Append(c);
            return;
        }
        _output.Append('[').Append(char.ToLowerInvariant(c)).Append(char.ToUpperInvariant(c)).Append(c);
        if (c is 's' or 'S') _output.Append('\u017F');
        if (c is 'k' or 'K') _output.Append('\u212A');
        _output.Append(']');
    }

    private bool Ahead(string text) => string.CompareOrdinal(pattern, _at, text, 0, text.Length) == 0;

    private bool Take(string text)
    {
        if (!Ahead(text)) return false;
        _at += text.Length;
        return true;
    }

    private FormatException Unknown(string construct) =>
        new($"{construct} at character {_at + 1} of the pattern {ErrorText.Quote(pattern)}");

    private readonly record struct Flags(bool IgnoreCase, bool DotAll);
}

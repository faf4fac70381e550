using System.Globalization;
using System.Text;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>
/// Rewrites an Oniguruma pattern (Ruby syntax, Unicode) for .NET's engine. Different there, and so spelled out: possessive
/// quantifiers, <c>(?m)</c> (. matches line ends), ^ and $ (always at line ends), <c>\w</c>, <c>\b</c>, <c>\h</c>, set intersections,
/// and letters without regard to case, where k also matches the Kelvin sign and s the long s.
/// </summary>
internal sealed class OnigurumaTranslator
{
    private const int DeepestNesting = 50;
    private const int LongestPattern = 1 << 13;
    private const int LongestTranslation = 1 << 16;
    private const int MostQuantifiers = 8;

    private readonly StringBuilder _output = new();
    private readonly List<(int From, int To)> _astralRanges = [];
    private readonly PatternCursor _pattern;
    private readonly OnigurumaEscapes _escapes;

    public OnigurumaTranslator(string pattern)
    {
        _pattern = new(pattern);
        _escapes = new(_pattern, _output);
    }

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
        if (_pattern.Text.Length > LongestPattern) throw _pattern.Unknown($"more than {LongestPattern} characters");
        Alternatives(new OnigurumaFlags(false, false), 0);
        return _pattern.AtEnd ? _output.ToString() : throw _pattern.Unknown("')' without '('");
    }

    private void Alternatives(OnigurumaFlags flags, int depth)
    {
        if (depth > DeepestNesting) throw _pattern.Unknown($"more than {DeepestNesting} nested groups");
        while (!_pattern.AtEnd && _pattern.Current != ')')
        {
            var start = _output.Length;
            if (_output.Length > LongestTranslation) throw _pattern.Unknown("too long a pattern");
            if (!Atom(ref flags, depth)) continue;
            Quantifiers(start);
        }
    }

    /// <summary>False for what cannot be repeated.</summary>
    private bool Atom(ref OnigurumaFlags flags, int depth)
    {
        var c = _pattern.Current;
        switch (c)
        {
            case '|':
                _pattern.At++;
                _output.Append('|');
                return false;
            case '^' or '$':
                _pattern.At++;
                _output.Append(c == '^' ? "(?m:^)" : "(?m:$)");
                return false;
            case '.':
                _pattern.At++;
                _output.Append(flags.DotAll ? "(?s:.)" : @"[^\n]");
                return true;
            case '(':
                return Group(ref flags, depth);
            case '[':
                Set(flags);
                return true;
            case '\\':
                _escapes.Escape(flags, inSet: false);
                return true;
            case '*' or '+' or '?':
                throw _pattern.Unknown($"'{c}' with nothing before it to repeat");
            default:
                _pattern.At++;
                _escapes.Literal(c, flags);
                return true;
        }
    }

    private bool Group(ref OnigurumaFlags flags, int depth)
    {
        _pattern.At++;
        var inner = flags;
        string opening;
        if (!_pattern.Take("?")) opening = "(?:";
        else if (_pattern.Take(":")) opening = "(?:";
        else if (_pattern.Take("=")) opening = "(?=";
        else if (_pattern.Take("!")) opening = "(?!";
        else if (_pattern.Take(">")) opening = "(?>";
        else if (_pattern.Take("<=")) opening = "(?<=";
        else if (_pattern.Take("<!")) opening = "(?<!";
        else
        {
            inner = Options(flags);
            if (_pattern.Take(")"))
            {
                flags = inner;
                return false;
            }
            if (!_pattern.Take(":")) throw _pattern.Unknown("group");
            opening = "(?:";
        }
        _output.Append(opening);
        Alternatives(inner, depth + 1);
        if (!_pattern.Take(")")) throw _pattern.Unknown("'(' without ')'");
        _output.Append(')');
        return true;
    }

    private OnigurumaFlags Options(OnigurumaFlags flags)
    {
        for (var value = true; !_pattern.AtEnd; _pattern.At++)
            switch (_pattern.Current)
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
        for (var count = 1; !_pattern.AtEnd; count++)
        {
            var c = _pattern.Current;
            if (count > MostQuantifiers && (c is '*' or '+' or '?'))
                throw _pattern.Unknown($"more than {MostQuantifiers} quantifiers one after the other");
            if (c is '*' or '+' or '?')
            {
                _pattern.At++;
                _output.Append(c);
                if (_pattern.Take("?")) _output.Append('?');
                else if (_pattern.Take("+")) _output.Insert(start, "(?>").Append(')');
            }
            else if (c == '{' && Interval() is { } interval)
            {
                _output.Append(interval);
                if (_pattern.Take("?")) _output.Append('?');
            }
            else return;
            // A second quantifier repeats the quantified whole.
            if (!_pattern.AtEnd && _pattern.Current is '*' or '+' or '?') _output.Insert(start, "(?:").Append(')');
        }
    }

    private string? Interval()
    {
        var close = _pattern.Text.IndexOf('}', _pattern.At);
        if (close < 0) return null;
        var parts = _pattern.Text[(_pattern.At + 1)..close].Split(',');
        if (parts.Length > 2 || !parts.All(static p => p.All(char.IsAsciiDigit)) || parts.All(static p => p.Length == 0)) return null;
        if (parts.Any(static p => p.Length > 6)) throw _pattern.Unknown("repeat count");
        _pattern.At = close + 1;
        return parts.Length == 1 ? $"{{{parts[0]}}}" : $"{{{(parts[0].Length == 0 ? "0" : parts[0])},{parts[1]}}}";
    }

    private void Set(OnigurumaFlags flags)
    {
        var start = _output.Length;
        _pattern.At++;
        _output.Append('[');
        if (_pattern.Take("^")) _output.Append('^');
        var (first, extras, astral) = (true, new StringBuilder(), _astralRanges.Count);
        for (; ; first = false)
        {
            if (_pattern.AtEnd) throw _pattern.Unknown("'[' without ']'");
            var c = _pattern.Current;
            if (c == ']' && !first) break;
            if (c == '[') throw _pattern.Unknown(_pattern.Ahead("[:") ? "POSIX class" : "set within a set");
            if (_pattern.Ahead("&&"))
            {
                Intersection();
                break;
            }
            if (c == '\\') _escapes.Escape(flags, inSet: true);
            else if (char.IsHighSurrogate(c)) AstralRange();
            else
            {
                _pattern.At++;
                Unit(c);
                if (c is 's' or 'S') extras.Append('\u017F');
                if (c is 'k' or 'K') extras.Append('\u212A');
                if (_pattern.Ahead("-z") || _pattern.Ahead("-Z"))
                    extras.Append("\u017F\u212A");
            }
        }
        _pattern.At++;
        if (_astralRanges.Count > astral)
        {
            if (astral > 0) throw _pattern.Unknown("characters beyond U+FFFF in a second set");
            foreach (var named in AstralStandIn.Named.Values) _output.Append(named);
        }
        if (flags.IgnoreCase) _output.Append(extras);
        _output.Append(']');
        if (flags.IgnoreCase) _output.Insert(start, "(?i:").Append(')');
    }

    // Letters only: what stands for one of them tells the named ones from all others.
    private void AstralRange()
    {
        if (_pattern.Text[_pattern.At - 1] == '-') throw _pattern.Unknown("a range that ends beyond U+FFFF on one side");
        var from = AstralUnit();
        var to = _pattern.Take("-") ? AstralUnit() : from;
        if (to < from || to - from > 0x10000) throw _pattern.Unknown("such a range of characters beyond U+FFFF");
        for (var c = from; c <= to; c++)
            if (!AstralStandIn.Named.ContainsKey(CharUnicodeInfo.GetUnicodeCategory(c)))
                throw _pattern.Unknown("a character beyond U+FFFF that is no letter");
        _astralRanges.Add((from, to));
        if (_astralRanges.Count > DeepestNesting) throw _pattern.Unknown($"more than {DeepestNesting} ranges of characters beyond U+FFFF");
    }

    private int AstralUnit()
    {
        if (_pattern.At + 1 >= _pattern.Text.Length || !char.IsSurrogatePair(_pattern.Text, _pattern.At))
            throw _pattern.Unknown("a range that ends beyond U+FFFF on one side");
        _pattern.At += 2;
        return char.ConvertToUtf32(_pattern.Text, _pattern.At - 2);
    }

    // [a&&[^b]] is .NET's [a-[b]]; other intersections are not known.
    private void Intersection()
    {
        if (!_pattern.Take("&&[^")) throw _pattern.Unknown("set intersection");
        _output.Append("-[");
        while (!_pattern.AtEnd && _pattern.Current != ']')
        {
            if (_pattern.Current == '\\') _escapes.Escape(default, inSet: true);
            else Unit(_pattern.Next());
        }
        if (!_pattern.Take("]") || _pattern.AtEnd || _pattern.Current != ']') throw _pattern.Unknown("set intersection");
        _output.Append(']');
    }

    private void Unit(char c)
    {
        if (char.IsSurrogate(c)) throw _pattern.Unknown("a character beyond U+FFFF");
        if (c is '[' or ']' or '^' or '\\') _output.Append('\\');
        _output.Append(c);
    }
}

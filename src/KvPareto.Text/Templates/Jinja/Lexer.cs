using System.Globalization;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>
/// Cuts a template into tokens as Jinja2 does with <c>trim_blocks</c> and <c>lstrip_blocks</c>, the way Hugging Face transformers
/// sets it up; one line end at the template's end is dropped.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",",
        ";",
    ];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _open = new();
    private int _at;
    private int _line = 1;
    private bool _lineStarting = true;

    private Lexer(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = source.EndsWith('\n') ? source[..^1] : source;
    }

    /// <summary>The tokens of <paramref name="source"/>, with <see cref="TokenKind.End"/> last.</summary>
    /// <exception cref="JinjaException">A tag, string or bracket that does not end, or an unknown character.</exception>
    public static List<Token> Tokenize(string source)
    {
        var lexer = new Lexer(source);
        while (lexer._at < lexer._source.Length) lexer.DataAndTag();
        lexer.Add(TokenKind.End, "");
        return lexer._tokens;
    }

    private void DataAndTag()
    {
        var tag = _at;
        while ((tag = _source.IndexOf('{', tag)) >= 0 && !(tag + 1 < _source.Length && _source[tag + 1] is '{' or '%' or '#')) tag++;
        if (tag < 0)
        {
            Data(_source[_at..]);
            Advance(_source.Length);
            return;
        }
        var kind = _source[tag + 1];
        var sign = tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : '\0';
        Data(Stripped(_source[_at..tag], sign, kind));
        Advance(tag + (sign == '\0' ? 2 : 3));
        if (kind == '#') Comment();
        else if (kind == '%' && TryRaw()) return;
        else Tag(kind == '%');
    }

    // A minus strips all white space before the tag; lstrip_blocks strips what stands between the line's start and a block or comment.
    private string Stripped(string text, char sign, char kind)
    {
        if (sign == '-') return text.AsSpan().TrimEnd(PythonText.WhiteSpace).ToString();
        if (sign == '+' || kind == '{') return text;
        var lineStart = text.LastIndexOf('\n') + 1;
        if (lineStart == 0 && !_lineStarting) return text;
        return text.AsSpan(lineStart).IndexOfAnyExcept(PythonText.WhiteSpace) < 0 ? text[..lineStart] : text;
    }

    private void Data(string text)
    {
        if (text.Length > 0) Add(TokenKind.Data, text);
    }

    private void Comment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0) throw new JinjaException("the comment '{#' does not end", _line);
        var sign = end > _at ? _source[end - 1] : '\0';
        Advance(end + 2);
        SkipAfterBlock(sign);
    }

    private bool TryRaw()
    {
        var start = SkipSpace(_at);
        if (string.CompareOrdinal(_source, start, "raw", 0, 3) != 0) return false;
        var end = SkipSpace(start + 3);
        var minus = end < _source.Length && _source[end] == '-';
        if (string.CompareOrdinal(_source, minus ? end + 1 : end, "%}", 0, 2) != 0) return false;
        Advance(minus ? SkipSpace(end + 3) : end + 2);
        _lineStarting = _source[_at - 1] == '\n';
        for (var from = _at; (from = _source.IndexOf("{%", from, StringComparison.Ordinal)) >= 0; from += 2)
        {
            var sign = from + 2 < _source.Length && _source[from + 2] is '-' or '+' ? _source[from + 2] : '\0';
            var word = SkipSpace(from + (sign == '\0' ? 2 : 3));
            if (string.CompareOrdinal(_source, word, "endraw", 0, 6) != 0) continue;
            var close = SkipSpace(word + 6);
            var closeSign = close < _source.Length && _source[close] is '-' or '+' ? _source[close] : '\0';
            if (closeSign != '\0') close++;
            if (string.CompareOrdinal(_source, close, "%}", 0, 2) != 0) continue;
            Data(Stripped(_source[_at..from], sign, '%'));
            Advance(close + 2);
            SkipAfterBlock(closeSign);
            return true;
        }
        throw new JinjaException("'raw' without 'endraw'", _line);
    }

    private void Tag(bool block)
    {
        Add(block ? TokenKind.BlockBegin : TokenKind.VariableBegin, block ? "{%" : "{{");
        var startLine = _line;
        while (true)
        {
            Advance(SkipSpace(_at));
            if (_at >= _source.Length)
                throw new JinjaException(block ? "the tag '{%' does not end" : "the tag '{{' does not end", startLine);
            if (_open.Count == 0 && TryEnd(block)) return;
            Inner();
        }
    }

    private bool TryEnd(bool block)
    {
        var sign = _source[_at] == '-' || (block && _source[_at] == '+') ? _source[_at] : '\0';
        if (string.CompareOrdinal(_source, _at + (sign == '\0' ? 0 : 1), block ? "%}" : "}}", 0, 2) != 0) return false;
        Add(block ? TokenKind.BlockEnd : TokenKind.VariableEnd, block ? "%}" : "}}");
        Advance(_at + (sign == '\0' ? 2 : 3));
        if (block || sign == '-') SkipAfterBlock(sign);
        else _lineStarting = false;
        return true;
    }

    // A minus strips all white space after the tag; trim_blocks strips one line end; a plus neither.
    private void SkipAfterBlock(char sign)
    {
        if (sign == '-') Advance(SkipSpace(_at));
        else if (sign != '+' && _at < _source.Length && _source[_at] == '\n') Advance(_at + 1);
        _lineStarting = _source[_at - 1] == '\n';
    }

    private void Inner()
    {
        var c = _source[_at];
        if (c is '"' or '\'') StringLiteral(c);
        else if (char.IsAsciiDigit(c)) Number();
        else if (c == '_' || char.IsLetter(c))
        {
            var end = _at;
            while (end < _source.Length && (_source[end] == '_' || char.IsLetterOrDigit(_source[end]))) end++;
            AddTo(TokenKind.Name, end);
        }
        else Operator();
    }

    private void Operator()
    {
        var found = Array.Find(Operators, o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0)
            ?? throw new JinjaException($"unexpected character {OneLine.Quote(_source.AsSpan(_at, 1))}", _line);
        if (found is "(" or "[" or "{") _open.Push(found == "(" ? ')' : found == "[" ? ']' : '}');
        else if (found is ")" or "]" or "}" && (!_open.TryPop(out var expected) || expected != found[0]))
            throw new JinjaException($"unexpected '{found}'", _line);
        AddTo(TokenKind.Operator, _at + found.Length);
    }

    private void Number()
    {
        var end = Digits(_at);
        if (_source[_at] == '0' && end == _at + 1 && end < _source.Length && char.ToLowerInvariant(_source[end]) is 'x' or 'o' or 'b')
        {
            for (end++; end < _source.Length && (char.IsAsciiHexDigit(_source[end]) || _source[end] == '_');) end++;
            AddTo(TokenKind.Integer, end);
            return;
        }
        // After a dot, as in a.0.1, digits are an index and the next dot another.
        var isFloat = false;
        if (!(_tokens.Count > 0 && _tokens[^1].IsOperator(".")))
        {
            if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
                (isFloat, end) = (true, Digits(end + 1));
            var exponent = end + 1 < _source.Length && _source[end] is 'e' or 'E' ? end + (_source[end + 1] is '+' or '-' ? 2 : 1)
                : _source.Length;
            if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent])) (isFloat, end) = (true, Digits(exponent));
        }
        AddTo(isFloat ? TokenKind.Float : TokenKind.Integer, end);
    }

    private int Digits(int at)
    {
        while (at < _source.Length
            && (char.IsAsciiDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1]))))
            at++;
        return at;
    }

    private void StringLiteral(char quote)
    {
        var value = new StringBuilder();
        var at = _at + 1;
        for (; at < _source.Length && _source[at] != quote; at++)
            if (_source[at] != '\\') value.Append(_source[at]);
            else if (at + 1 < _source.Length) at = Escape(at + 1, value);
        if (at >= _source.Length) throw new JinjaException("the string does not end", _line);
        Add(TokenKind.String, value.ToString());
        Advance(at + 1);
    }

    /// <summary>
    /// Appends what the escape at <paramref name="at"/> stands for, as Python's unicode_escape; returns its last character's place.
    /// </summary>
    private int Escape(int at, StringBuilder value)
    {
        var c = _source[at];
        var simple = "\\'\"abfnrtv".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0) value.Append("\\'\"\a\b\f\n\r\t\v"[simple]);
        else if (c is 'x' or 'u' or 'U')
        {
            var digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
            if (at + digits >= _source.Length
                || !int.TryParse(_source.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                    out var point) || point is < 0 or > 0x10FFFF)
                throw new JinjaException($"bad escape \\{c}", _line);
            value.Append(point > 0xFFFF ? char.ConvertFromUtf32(point) : ((char)point).ToString());
            return at + digits;
        }
        else if (c is >= '0' and <= '7')
        {
            var (octal, end) = (0, at);
            while (end < _source.Length && end < at + 3 && _source[end] is >= '0' and <= '7') octal = octal * 8 + (_source[end++] - '0');
            value.Append((char)octal);
            return end - 1;
        }
        else if (c != '\n') value.Append('\\').Append(c);
        return at;
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && PythonText.IsWhiteSpace(_source[at])) at++;
        return at;
    }

    private void AddTo(TokenKind kind, int end)
    {
        Add(kind, _source[_at..end]);
        Advance(end);
    }

    private void Add(TokenKind kind, string text) => _tokens.Add(new(kind, text, _line));

    private void Advance(int to)
    {
        _line += _source.AsSpan(_at, to - _at).Count('\n');
        _at = to;
    }
}

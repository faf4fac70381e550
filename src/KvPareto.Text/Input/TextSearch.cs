namespace KvPareto.Text.Input;

/// <summary>Looks for one string in others, in time linear in both however they repeat themselves (Knuth, Morris and Pratt 1977).</summary>
/// <param name="part">What to look for; not empty.</param>
internal sealed class TextSearch(string part)
{
    // Up to here .NET's vectorised search, which takes the product of the lengths at worst.
    private const int LongestDirect = 32;

    private int[]? _borders;
    private int[]? _bordersBackward;

    /// <summary>The first place at or after <paramref name="from"/>; negative where there is none.</summary>
    public int Find(ReadOnlySpan<char> text, int from = 0)
    {
        if (part.Length <= LongestDirect) return text[from..].IndexOf(part, StringComparison.Ordinal) is var at and >= 0 ? from + at : -1;
        var borders = _borders ??= Borders(static (text, at) => text[at]);
        var matched = 0;
        for (var i = from; i < text.Length; i++)
        {
            while (matched > 0 && part[matched] != text[i]) matched = borders[matched - 1];
            if (part[matched] == text[i]) matched++;
            if (matched == part.Length) return i + 1 - part.Length;
        }
        return -1;
    }

    /// <summary>The last place; negative where there is none.</summary>
    public int FindLast(ReadOnlySpan<char> text)
    {
        if (part.Length <= LongestDirect) return text.LastIndexOf(part, StringComparison.Ordinal);
        var borders = _bordersBackward ??= Borders(static (text, at) => text[text.Length - 1 - at]);
        var matched = 0;
        for (var i = text.Length - 1; i >= 0; i--)
        {
            while (matched > 0 && part[part.Length - 1 - matched] != text[i]) matched = borders[matched - 1];
            if (part[part.Length - 1 - matched] == text[i]) matched++;
            if (matched == part.Length) return i;
        }
        return -1;
    }

    /// <summary>Places without overlaps, from left to right.</summary>
    public int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var at = 0; (at = Find(text, at)) >= 0; at += part.Length) count++;
        return count;
    }

    /// <summary>
    /// <paramref name="text"/> with the first <paramref name="count"/> occurrences replaced; <paramref name="text"/> itself where there are
    /// none.
    /// </summary>
    public string Replace(string text, string replacement, int count)
    {
        if (count == 0) return text;
        var length = text.Length + (long)count * (replacement.Length - part.Length);
        return string.Create(checked((int)length), (text, replacement, count, this), static (result, source) =>
        {
            var from = 0;
            var rest = source.text.AsSpan();
            for (var left = source.count; left > 0; left--)
            {
                var at = source.Item4.Find(rest);
                rest[..at].CopyTo(result[from..]);
                source.replacement.CopyTo(result[(from + at)..]);
                from += at + source.replacement.Length;
                rest = rest[(at + source.Item4.Length)..];
            }
            rest.CopyTo(result[from..]);
        });
    }

    private int Length => part.Length;

    // For each prefix the length of its longest border: a proper prefix of it that is also its suffix.
    private int[] Borders(Func<string, int, char> unit)
    {
        var borders = new int[part.Length];
        var matched = 0;
        for (var i = 1; i < part.Length; i++)
        {
            while (matched > 0 && unit(part, matched) != unit(part, i)) matched = borders[matched - 1];
            if (unit(part, matched) == unit(part, i)) matched++;
            borders[i] = matched;
        }
        return borders;
    }
}

using System.Globalization;
using System.Text;

namespace KvPareto.Tasks.Metrics;

/// <summary>
/// The string functions of Python 3 that scores and prompts rest on, where .NET's differ: Python works on code points, its
/// white space includes U+001C to U+001F, and its <c>\w</c> has no marks or joiners.
/// </summary>
internal static class PythonText
{
    /// <summary>The code points of <paramref name="text"/>; a lone surrogate becomes U+FFFD.</summary>
    public static int[] CodePoints(string text)
    {
        var points = new int[text.Length];
        var count = 0;
        foreach (var rune in text.EnumerateRunes()) points[count++] = rune.Value;
        return points[..count];
    }

    /// <summary><c>str.split()</c>: runs of white space separate, none is kept.</summary>
    public static List<string> Split(string text)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var inWord = i < text.Length && !IsWhiteSpace(text[i]);
            if (inWord && start < 0) start = i;
            if (inWord || start < 0) continue;
            words.Add(text[start..i]);
            start = -1;
        }
        return words;
    }

    /// <summary><c>str.strip()</c>: no white space at either end.</summary>
    public static string Strip(string text)
    {
        var (start, end) = (0, text.Length);
        while (start < end && IsWhiteSpace(text[start])) start++;
        while (end > start && IsWhiteSpace(text[end - 1])) end--;
        return text[start..end];
    }

    /// <summary><c>re.findall(r"\d+", text)</c>: the runs of decimal digits of any script.</summary>
    public static List<string> DigitRuns(string text)
    {
        var runs = new List<string>();
        var run = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber)
            {
                run.Append(rune.ToString());
                continue;
            }
            if (run.Length > 0) runs.Add(run.ToString());
            run.Clear();
        }
        if (run.Length > 0) runs.Add(run.ToString());
        return runs;
    }

    /// <summary><c>\w</c> of <c>re</c>: letters and numbers of every kind, and the underscore.</summary>
    public static bool IsWord(Rune rune) => rune.Value == '_' || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>One character of <c>string.punctuation</c>: the 32 ASCII punctuation marks and symbols.</summary>
    public static bool IsAsciiPunctuation(char c) =>
        c is (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~');

    /// <summary><c>str.isspace()</c> of one character.</summary>
    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}

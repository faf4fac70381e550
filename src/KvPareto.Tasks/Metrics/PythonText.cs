using System.Globalization;
using System.Text;

namespace KvPareto.Tasks.Metrics;

/// <summary>
/// The string functions of Python 3 that scores and prompts rest on, where .NET's differ: Python works on code points, its
/// white space includes U+001C to U+001F, its <c>\w</c> has no marks or joiners, and its <c>lower()</c> follows SpecialCasing.
/// </summary>
internal static class PythonText
{
    private const int Sigma = 0x3A3;
    private const int FinalSigma = 0x3C2;

    /// <summary>The code points of <paramref name="text"/>; a lone surrogate becomes U+FFFD.</summary>
    public static int[] CodePoints(string text)
    {
        var points = new int[text.Length];
        var count = 0;
        foreach (var rune in text.EnumerateRunes()) points[count++] = rune.Value;
        return points[..count];
    }

    /// <summary><c>str.lower()</c>: simple mappings, U+0130 as two code points, and a capital sigma by its place in the word.</summary>
    public static string Lower(string text)
    {
        var points = CodePoints(text);
        var lower = new StringBuilder(text.Length + 4);
        for (var i = 0; i < points.Length; i++)
        {
            if (points[i] == 0x130) lower.Append("i\u0307");
            else if (points[i] == Sigma && EndsWord(points, i)) lower.Append((char)FinalSigma);
            else lower.Append(Rune.ToLowerInvariant(new Rune(points[i])).ToString());
        }
        return lower.ToString();
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

    /// <summary>Unicode's Final_Sigma: a cased letter before and none after, case-ignorable characters passed over.</summary>
    private static bool EndsWord(int[] points, int sigma)
    {
        var before = sigma - 1;
        while (before >= 0 && IsCaseIgnorable(points[before])) before--;
        if (before < 0 || !IsCased(points[before])) return false;
        var after = sigma + 1;
        while (after < points.Length && IsCaseIgnorable(points[after])) after++;
        return after == points.Length || !IsCased(points[after]);
    }

    private static bool IsCaseIgnorable(int point) => Category(point) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
        or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
        || point is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027
            or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A;

    private static bool IsCased(int point) => Category(point) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        || point is 0xAA or 0xBA or (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9)
            or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private static UnicodeCategory Category(int point) => CharUnicodeInfo.GetUnicodeCategory(point);
}

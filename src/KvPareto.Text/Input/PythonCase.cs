using System.Globalization;
using System.Text;

namespace KvPareto.Text.Input;

/// <summary>
/// Upper, lower and title case as Python's <c>str</c> has them: Unicode's full mappings (SpecialCasing without languages), where .NET has
/// those of single characters only. A lone surrogate becomes U+FFFD.
/// </summary>
public static class PythonCase
{
    private const int Sigma = 0x3A3;
    private const int FinalSigma = 0x3C2;

    // A character, what it is in upper case, and in title case where that is another. Greek with a iota below is a rule of its own.
    private static readonly Dictionary<int, (string Upper, string Title)> Full = new[]
    {
        "ß SS Ss", "ı I", "ŉ ʼN", "ſ S", "ǰ J\u030C", "ΐ Ι\u0308\u0301", "ΰ Υ\u0308\u0301", "և ԵՒ Եւ",
        "\u1E96 H\u0331", "\u1E97 T\u0308", "\u1E98 W\u030A", "\u1E99 Y\u030A", "\u1E9A Aʾ",
        "\u1F50 Υ\u0313", "\u1F52 Υ\u0313\u0300", "\u1F54 Υ\u0313\u0301", "\u1F56 Υ\u0313\u0342",
        "\u1FB2 \u1FBAΙ \u1FBA\u0345", "\u1FB3 ΑΙ \u1FBC", "\u1FB4 \u0386Ι \u0386\u0345", "\u1FB6 Α\u0342",
        "\u1FB7 Α\u0342Ι Α\u0342\u0345", "\u1FBC ΑΙ \u1FBC", "\u1FC2 \u1FCAΙ \u1FCA\u0345", "\u1FC3 ΗΙ \u1FCC",
        "\u1FC4 \u0389Ι \u0389\u0345", "\u1FC6 Η\u0342", "\u1FC7 Η\u0342Ι Η\u0342\u0345", "\u1FCC ΗΙ \u1FCC",
        "\u1FD2 Ι\u0308\u0300", "\u1FD3 Ι\u0308\u0301", "\u1FD6 Ι\u0342", "\u1FD7 Ι\u0308\u0342",
        "\u1FE2 Υ\u0308\u0300", "\u1FE3 Υ\u0308\u0301", "\u1FE4 Ρ\u0313", "\u1FE6 Υ\u0342", "\u1FE7 Υ\u0308\u0342",
        "\u1FF2 \u1FFAΙ \u1FFA\u0345", "\u1FF3 ΩΙ \u1FFC", "\u1FF4 \u038FΙ \u038F\u0345", "\u1FF6 Ω\u0342",
        "\u1FF7 Ω\u0342Ι Ω\u0342\u0345", "\u1FFC ΩΙ \u1FFC",
        "ﬀ FF Ff", "ﬁ FI Fi", "ﬂ FL Fl", "ﬃ FFI Ffi", "ﬄ FFL Ffl", "ﬅ ST St", "ﬆ ST St",
        "ﬓ ՄՆ Մն", "ﬔ ՄԵ Մե", "ﬕ ՄԻ Մի", "ﬖ ՎՆ Վն", "ﬗ ՄԽ Մխ",
        "Ǆ Ǆ ǅ", "ǅ Ǆ ǅ", "ǆ Ǆ ǅ", "Ǉ Ǉ ǈ", "ǈ Ǉ ǈ", "ǉ Ǉ ǈ", "Ǌ Ǌ ǋ", "ǋ Ǌ ǋ", "ǌ Ǌ ǋ", "Ǳ Ǳ ǲ", "ǲ Ǳ ǲ", "ǳ Ǳ ǲ",
    }.Select(static line => line.Split(' ')).ToDictionary(static p => (int)p[0][0], static p => (p[1], p[^1]));

    /// <summary><c>str.lower()</c>: U+0130 as two characters, a capital sigma by its place in the word.</summary>
    public static string Lower(string text) => Ascii.IsValid(text) ? text.ToLowerInvariant() : Each(text, LowerAt);

    /// <summary><c>str.upper()</c>.</summary>
    public static string Upper(string text) => Ascii.IsValid(text) ? text.ToUpperInvariant() : Each(text, static (p, i) => UpperOf(p[i]));

    /// <summary><c>str.capitalize()</c>: the first character in title case, the others in lower case.</summary>
    public static string Capitalize(string text) => Each(text, static (p, i) => i == 0 ? TitleOf(p[0]) : LowerAt(p, i));

    /// <summary><c>str.title()</c>: title case where no cased character stands before, else lower case.</summary>
    public static string Title(string text) => Each(text, static (p, i) => i > 0 && IsCased(p[i - 1]) ? LowerAt(p, i) : TitleOf(p[i]));

    /// <summary><c>str.swapcase()</c>.</summary>
    public static string Swap(string text) =>
        Each(text, static (p, i) => IsUpper(p[i]) ? LowerAt(p, i) : IsLower(p[i]) ? UpperOf(p[i]) : Text(p[i]));

    /// <summary><c>str.casefold()</c>.</summary>
    public static string Fold(string text) => Each(text, static (p, i) => p[i] switch
    {
        'ı' => "ı",
        'ẞ' => "ss",
        (>= 0x13A0 and <= 0x13FD) or (>= 0xAB70 and <= 0xABBF) => UpperOf(p[i]),
        0x130 => "i\u0307",
        0x345 => "ι",
        var point => string.Concat(UpperOf(point).EnumerateRunes().Select(static r => Rune.ToLowerInvariant(r).ToString())),
    });

    /// <summary><c>str.isupper()</c>: of the cased characters, of which there is one, each is upper case.</summary>
    public static bool IsUpper(string text) => Cased(text) is { Count: > 0 } cased && cased.TrueForAll(IsUpper);

    /// <summary><c>str.islower()</c>.</summary>
    public static bool IsLower(string text) => Cased(text) is { Count: > 0 } cased && cased.TrueForAll(IsLower);

    /// <summary><c>str.istitle()</c>: a cased character, and upper or title case just where none stands before.</summary>
    public static bool IsTitle(string text)
    {
        var (isCased, any) = (false, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isSmall = IsLower(rune.Value);
            var isCapital = !isSmall && IsCased(rune.Value);
            if ((isCapital && isCased) || (isSmall && !isCased)) return false;
            isCased = isCapital || isSmall;
            any |= isCased;
        }
        return any;
    }

    private static List<int> Cased(string text) => [.. text.EnumerateRunes().Select(static r => r.Value).Where(IsCased)];

    private static string Each(string text, Func<int[], int, string> map)
    {
        int[] points = [.. text.EnumerateRunes().Select(static r => r.Value)];
        var result = new StringBuilder(text.Length + 4);
        for (var i = 0; i < points.Length; i++) result.Append(map(points, i));
        return result.ToString();
    }

    private static string LowerAt(int[] points, int at) => points[at] switch
    {
        0x130 => "i\u0307",
        Sigma when EndsWord(points, at) => Text(FinalSigma),
        var point => Rune.ToLowerInvariant(new Rune(point)).ToString(),
    };

    private static string UpperOf(int point) =>
        IsIotaBelow(point) ? Text(0x1F08 + (((point - 0x1F80) >> 4) switch { 0 => 0, 1 => 0x20, _ => 0x60 }) + (point & 7)) + 'Ι'
        : Full.TryGetValue(point, out var full) ? full.Upper : Rune.ToUpperInvariant(new Rune(point)).ToString();

    // Georgian letters have capitals, but are their own title case.
    private static string TitleOf(int point) =>
        IsIotaBelow(point) ? Text(point | 8)
        : Full.TryGetValue(point, out var full) ? full.Title
        : point is >= 0x10D0 and <= 0x10FF ? Text(point) : Rune.ToUpperInvariant(new Rune(point)).ToString();

    private static bool IsIotaBelow(int point) => point is >= 0x1F80 and <= 0x1FAF;

    private static string Text(int point) => new Rune(point).ToString();

    // Unicode's Final_Sigma: a cased letter before and none after, case-ignorable characters passed over.
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

    private static bool IsCased(int point) => IsUpper(point) || IsLower(point) || Category(point) == UnicodeCategory.TitlecaseLetter;

    // Letters, Roman numerals and letters in circles and squares.
    private static bool IsUpper(int point) => Category(point) == UnicodeCategory.UppercaseLetter
        || point is (>= 0x2160 and <= 0x216F) or (>= 0x24B6 and <= 0x24CF)
            or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    // The same, and raised and lowered letters.
    private static bool IsLower(int point) => Category(point) == UnicodeCategory.LowercaseLetter
        || point is 0xAA or 0xBA or (>= 0x2B0 and <= 0x2B8) or 0x2C0 or 0x2C1 or (>= 0x2E0 and <= 0x2E4) or 0x345 or 0x37A
            or (>= 0x1D2C and <= 0x1D6A) or 0x1D78 or (>= 0x1D9B and <= 0x1DBF) or 0x2071 or 0x207F or (>= 0x2090 and <= 0x209C)
            or (>= 0x2170 and <= 0x217F) or (>= 0x24D0 and <= 0x24E9) or 0x2C7C or 0x2C7D or 0xA69C or 0xA69D or 0xA770 or 0xA7F8 or 0xA7F9
            or (>= 0xAB5C and <= 0xAB5F);

    private static UnicodeCategory Category(int point) => CharUnicodeInfo.GetUnicodeCategory(point);
}

using System.Globalization;
using System.Text;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>The classes that splitting regexes speak of.</summary>
internal static class CharacterKind
{
    /// <summary><c>\p{L}</c>.</summary>
    public const byte Letter = 1;

    /// <summary><c>\p{N}</c>.</summary>
    public const byte Number = 2;

    /// <summary><c>\s</c>: Unicode White_Space.</summary>
    public const byte Space = 4;

    private static readonly byte[] Basic = CreateBasic();

    /// <summary>Kind of the character at <paramref name="index"/> (0 for all others) and its length in UTF-16 units.</summary>
    public static byte At(ReadOnlySpan<char> text, int index, out int width)
    {
        var c = text[index];
        if (!char.IsHighSurrogate(c) || index + 1 >= text.Length || !char.IsLowSurrogate(text[index + 1]))
        {
            width = 1;
            return Basic[c];
        }
        width = 2;
        return Of(CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(c, text[index + 1])));
    }

    /// <summary>True for what Rust's <c>\w</c> matches: Alphabetic, marks, decimal digits, connectors, joiners.</summary>
    public static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D || IsCircledLetter(rune.Value),
    };

    /// <summary>Symbols with the property Alphabetic: circled, squared and negative letters.</summary>
    public static bool IsCircledLetter(int codePoint) =>
        codePoint is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private static byte[] CreateBasic()
    {
        var kinds = new byte[char.MaxValue + 1];
        for (var c = 0; c < kinds.Length; c++) kinds[c] = char.IsWhiteSpace((char)c) ? Space : Of(char.GetUnicodeCategory((char)c));
        return kinds;
    }

    private static byte Of(UnicodeCategory category) => category switch
    {
        <= UnicodeCategory.OtherLetter => Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        _ => 0,
    };
}

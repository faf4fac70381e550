using System.Globalization;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>For each character beyond U+FFFF one within it that splitting regexes cannot tell from it.</summary>
internal static class AstralStandIn
{
    private const char Alphabetic = '\u24B6';

    /// <summary>
    /// One character of each general category that astral characters have, which no known pattern names: not within U+0800 to U+9FA5 or
    /// U+AC00 to U+D7FF, which are DeepSeek's ideographs.
    /// </summary>
    internal static IReadOnlyDictionary<UnicodeCategory, char> ByCategory { get; } = new Dictionary<UnicodeCategory, char>
    {
        [UnicodeCategory.UppercaseLetter] = '\uA790',
        [UnicodeCategory.LowercaseLetter] = '\uA791',
        [UnicodeCategory.ModifierLetter] = '\uA015',
        [UnicodeCategory.OtherLetter] = '\uA000',
        [UnicodeCategory.NonSpacingMark] = '\uA674',
        [UnicodeCategory.SpacingCombiningMark] = '\uA823',
        [UnicodeCategory.DecimalDigitNumber] = '\uA620',
        [UnicodeCategory.LetterNumber] = '\uA6E6',
        [UnicodeCategory.OtherNumber] = '\uA830',
        [UnicodeCategory.Format] = '\uFFF9',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.DashPunctuation] = '\uFE58',
        [UnicodeCategory.OtherPunctuation] = '\uA4FE',
        [UnicodeCategory.MathSymbol] = '\uFB29',
        [UnicodeCategory.CurrencySymbol] = '\uFDFC',
        [UnicodeCategory.ModifierSymbol] = '\uA700',
        [UnicodeCategory.OtherSymbol] = '\uA490',
        [UnicodeCategory.OtherNotAssigned] = '\u0378',
    };

    /// <summary>Others of the same kind, for letters that a pattern names by their range.</summary>
    internal static IReadOnlyDictionary<UnicodeCategory, char> Named { get; } = new Dictionary<UnicodeCategory, char>
    {
        [UnicodeCategory.UppercaseLetter] = '\uA792',
        [UnicodeCategory.LowercaseLetter] = '\uA793',
        [UnicodeCategory.OtherLetter] = '\uA001',
    };

    /// <summary>The stand-in of an astral <paramref name="codePoint"/>.</summary>
    public static char Of(int codePoint) => CharacterKind.IsCircledLetter(codePoint)
        ? Alphabetic
        : ByCategory.GetValueOrDefault(CharUnicodeInfo.GetUnicodeCategory(codePoint), ByCategory[UnicodeCategory.OtherNotAssigned]);
}

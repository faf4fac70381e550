using System.Globalization;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>For each character beyond U+FFFF one within it that splitting regexes cannot tell from it.</summary>
internal static class AstralStandIn
{
    private const char Alphabetic = '\u24B6';

    /// <summary>One character of each general category that no known pattern names literally.</summary>
    internal static IReadOnlyDictionary<UnicodeCategory, char> ByCategory { get; } = new Dictionary<UnicodeCategory, char>
    {
        [UnicodeCategory.UppercaseLetter] = '\uA790',
        [UnicodeCategory.LowercaseLetter] = '\uA791',
        [UnicodeCategory.TitlecaseLetter] = '\u1F88',
        [UnicodeCategory.ModifierLetter] = '\u10FC',
        [UnicodeCategory.OtherLetter] = '\u1401',
        [UnicodeCategory.NonSpacingMark] = '\u1DC0',
        [UnicodeCategory.SpacingCombiningMark] = '\u1B04',
        [UnicodeCategory.EnclosingMark] = '\u20DD',
        [UnicodeCategory.DecimalDigitNumber] = '\u1040',
        [UnicodeCategory.LetterNumber] = '\u2160',
        [UnicodeCategory.OtherNumber] = '\u2460',
        [UnicodeCategory.Format] = '\u2061',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.ConnectorPunctuation] = '\u203F',
        [UnicodeCategory.DashPunctuation] = '\u2E3A',
        [UnicodeCategory.OpenPunctuation] = '\u2E28',
        [UnicodeCategory.ClosePunctuation] = '\u2E29',
        [UnicodeCategory.InitialQuotePunctuation] = '\u2E02',
        [UnicodeCategory.FinalQuotePunctuation] = '\u2E03',
        [UnicodeCategory.OtherPunctuation] = '\u2E00',
        [UnicodeCategory.MathSymbol] = '\u2A00',
        [UnicodeCategory.CurrencySymbol] = '\u20A0',
        [UnicodeCategory.ModifierSymbol] = '\uA700',
        [UnicodeCategory.OtherSymbol] = '\u2400',
        [UnicodeCategory.OtherNotAssigned] = '\u0378',
    };

    /// <summary>Others of the same kind, for letters that a pattern names by their range.</summary>
    internal static IReadOnlyDictionary<UnicodeCategory, char> Named { get; } = new Dictionary<UnicodeCategory, char>
    {
        [UnicodeCategory.UppercaseLetter] = '\uA792',
        [UnicodeCategory.LowercaseLetter] = '\uA793',
        [UnicodeCategory.OtherLetter] = '\u1402',
    };

    /// <summary>The stand-in of an astral <paramref name="codePoint"/>.</summary>
    public static char Of(int codePoint) => CharacterKind.IsCircledLetter(codePoint)
        ? Alphabetic
        : ByCategory.GetValueOrDefault(CharUnicodeInfo.GetUnicodeCategory(codePoint), ByCategory[UnicodeCategory.OtherNotAssigned]);
}

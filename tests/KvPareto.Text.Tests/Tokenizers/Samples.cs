using FsCheck;
using FsCheck.Fluent;

namespace KvPareto.Text.Tests.Tokenizers;

/// <summary>Texts of the pieces that tokenizers and regex engines trip over.</summary>
internal static class Samples
{
    private static readonly string[] Pieces =
    [
        "'s", "'S", "'\u017F", "x'll", "'LL", "'Re", "'vE", " 'd", "’s", "\u212A", "\u017F", " ", "  ", "      ", "\n", "\r\n", "\r", "\t",
            "\v", "\u00A0", "\u3000",
        "\u2028", "\u0085", "\u1680", "\u180E", "\u200B", "\u200D", "\uFEFF", "\u001C", "é", "e\u0301", "a\u0323\u0301", "\u212B", "\u0344",
            "\u0958", "각",
        "\u1100\u1161\u11A8", "한국어", "日本語", "𝒜", "𝒷𝒸", "𠀀", "𞤀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "1", "12", "12345", "½", "²", "Ⅷ", "𝟘𝟙", "١٢", "مرحبا",
            "नमस्ते", "ไทย",
        "ab", "Hello", "don't", "_", "--", "!?", "\u0301", "\u0316\u0301", "\0", "\uE000", "\u0378", "\U000F0000", "▁", "Ⓐ", "🄰", "ﬁ", "ß",
            "İ", "Σ", "<s>", "</s>", "<a>",
        "<|begin_of_text|>", "<0x41>",
    ];

    /// <summary>Well-formed texts of up to a dozen pieces.</summary>
    public static Arbitrary<string> Texts { get; } = Gen.Elements(Pieces).ListOf(6).SelectMany(
        static a => Gen.Choose(0, 6).Select(n => string.Concat(a.Take(n).Concat(a.Skip(3))))).ToArbitrary();
}

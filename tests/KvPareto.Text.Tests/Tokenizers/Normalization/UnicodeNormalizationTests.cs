using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Text.Tokenizers.Normalization;

namespace KvPareto.Text.Tests.Tokenizers.Normalization;

public class UnicodeNormalizationTests
{
    private const string Stable = "\u4E02";

    /// <summary>
    /// SHA-256 of what Hugging Face's tokenizers 0.22 makes of every character up to U+31FFF and of the tags, 500 a text.
    /// </summary>
    [Theory]
    [InlineData("Nfc", "b39fdb8239dbd2701906ae96894f107710a16a996764057449ef97c0a7740ee3")]
    [InlineData("Nfd", "36db261d301bee56b8017e81afc7c04690fbcaae10028fa5a3a6b95fd865dd3d")]
    [InlineData("Nfkc", "44b3a34e4b2b21c998d9534bcc620b3c4385647040ee40fc3b55ef7375fe3ba9")]
    [InlineData("Nfkd", "7ef685e4644eec3ea344fee63f10005ec913cf6742c9487b015db97e03d367d3")]
    public void EveryCharacterEqualsHuggingFace(string form, string digest)
    {
        var characters = Enumerable.Range(0, 0x32000).Concat(Enumerable.Range(0xE0000, 0x200)).Where(static c => c is < 0xD800 or > 0xDFFF)
            .Select(char.ConvertFromUtf32);
        var texts = characters.Chunk(500).Select(static c => Stable + string.Join(Stable, c) + Stable);

        var normalized = string.Concat(texts.Select(t => UnicodeNormalization.Apply(t, Enum.Parse<UnicodeForm>(form))));

        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(normalized))));
    }

    [Theory]
    [InlineData("e\u0301", "é")]
    [InlineData("A\u030A\u0301", "\u01FA")]
    [InlineData("a\u0301\u0323", "\u1EA1\u0301")]
    [InlineData("\u1100\u1161\u11A8", "각")]
    [InlineData("\uAC00\u11A8", "각")]
    [InlineData("\uAC00\u11A7", "\uAC00\u11A7")]
    [InlineData("\u212B", "Å")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\U00011099\U000110BA", "\U0001109A")]
    [InlineData("\U00011935\U00011930", "\U00011935\U00011930")]
    public void ComposesKnownSequences(string text, string expected) =>
        Assert.Equal(expected, UnicodeNormalization.Apply(text, UnicodeForm.Nfc));

    [Fact]
    public void FormsAgreeWithEachOther() => Prop.ForAll(Samples.Texts, static text =>
    {
        var (c, d) = (UnicodeNormalization.Apply(text, UnicodeForm.Nfc), UnicodeNormalization.Apply(text, UnicodeForm.Nfd));
        return UnicodeNormalization.Apply(d, UnicodeForm.Nfc) == c
            && UnicodeNormalization.Apply(c, UnicodeForm.Nfd) == d
            && UnicodeNormalization.Apply(c, UnicodeForm.Nfc) == c
            && UnicodeNormalization.Apply(
                UnicodeNormalization.Apply(text, UnicodeForm.Nfkd), UnicodeForm.Nfkc) == UnicodeNormalization.Apply(text, UnicodeForm.Nfkc);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void LongRunsOfMarksAreSorted()
    {
        var marks = string.Concat(Enumerable.Repeat("\u0301\u0323", 50_000));

        var normalized = UnicodeNormalization.Apply("a" + marks, UnicodeForm.Nfc);

        Assert.Equal("\u1EA1" + new string('\u0323', 49_999) + new string('\u0301', 50_000), normalized);
    }

    [Fact]
    public void NormalizedTextIsTheSameObject()
    {
        const string Text = "Plain text – with “signs”, 日本語 and é";
        Assert.Same(Text, UnicodeNormalization.Apply(Text, UnicodeForm.Nfc));
    }
}

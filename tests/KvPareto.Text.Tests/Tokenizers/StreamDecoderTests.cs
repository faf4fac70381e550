using FsCheck;
using FsCheck.Fluent;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Text.Tests.Tokenizers;

public class StreamDecoderTests
{
    [Theory]
    [InlineData("llama3")]
    [InlineData("no-decoder")]
    [InlineData("sp-legacy")]
    [InlineData("gemma")]
    [InlineData("metaspace-first")]
    [InlineData("strip-each")]
    [InlineData("word-ends")]
    public void PiecesOfRandomIdsJoinToTheWhole(string name)
    {
        var tokenizer = TokenizerFixtures.Load(name);
        var ids = Gen.Choose(-1, tokenizer.VocabularySize).ArrayOf().ToArbitrary();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(ids, i => string.Concat(Stream(tokenizer, i)) == tokenizer.Decode(i)));
    }

    [Theory]
    [InlineData("llama3")]
    [InlineData("sp-legacy")]
    public void NoPieceEndsWithinACharacter(string name)
    {
        var tokenizer = TokenizerFixtures.Load(name);
        Prop.ForAll(Samples.Texts, text =>
            Stream(tokenizer, tokenizer.Encode("x" + text)).All(
                static p => p.Length == 0 || !(char.IsLowSurrogate(p[0]) || char.IsHighSurrogate(p[^1]))))
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void EmojiComesWithItsLastByte()
    {
        var tokenizer = TokenizerFixtures.Load("gpt2");
        var ids = tokenizer.Encode("😀");
        Assert.Equal(4, ids.Length);
        Assert.Equal(["", "", "", "😀", ""], Stream(tokenizer, ids));
    }

    [Fact]
    public void InvalidByteBecomesTheReplacementCharacterAtOnce()
    {
        var tokenizer = TokenizerFixtures.Load("gpt2");
        int[] ids = [tokenizer.TokenId("ð")!.Value, tokenizer.TokenId("Ł")!.Value, tokenizer.TokenId("a")!.Value,
            tokenizer.TokenId("Ģ")!.Value];
        Assert.Equal(["", "", "\uFFFDa", "\uFFFD", ""], Stream(tokenizer, ids));
    }

    [Fact]
    public void ByteRunIsHeldUntilItEnds()
    {
        var tokenizer = TokenizerFixtures.Load("gemma");
        int[] Ids(params string[] tokens) => [.. tokens.Select(t => tokenizer.TokenId(t)!.Value)];
        Assert.Equal(["", "", "", "你a", ""], Stream(tokenizer, Ids("<0xE4>", "<0xBD>", "<0xA0>", "a")));
        Assert.Equal("\uFFFD\uFFFD\uFFFD\uFFFDa", tokenizer.Decode(Ids("<0xE4>", "<0xBD>", "<0xA0>", "<0xFF>", "a")));
    }

    [Fact]
    public void FlushEndsTheStream()
    {
        var decoder = TokenizerFixtures.Load("gpt2").CreateStreamDecoder();
        Assert.Equal("", decoder.Flush());
        Assert.Equal("", decoder.Flush());
        Assert.Throws<InvalidOperationException>(() => decoder.Push(1));
    }

    private static List<string> Stream(Tokenizer tokenizer, int[] ids)
    {
        var decoder = tokenizer.CreateStreamDecoder();
        return [.. ids.Select(decoder.Push), decoder.Flush()];
    }
}

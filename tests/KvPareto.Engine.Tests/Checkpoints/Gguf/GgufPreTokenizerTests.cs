using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

/// <summary>
/// The pieces that each named splitting makes of a text, worked out by hand from the regexes of llama.cpp and of the models
/// themselves.
/// </summary>
public class GgufPreTokenizerTests
{
    [Theory]
    [InlineData("tekken", "HelloWorld 1234", "Hello|World| |1|2|3|4")]
    [InlineData("tekken", "iPhone's", "i|Phone|'s")]
    [InlineData("smaug-bpe", "HelloWorld 1234", "HelloWorld| |123|4")]
    [InlineData("falcon3", "HelloWorld 1234", "HelloWorld| |123|4")]
    [InlineData("gpt-4o", "HelloWorld's 1234", "Hello|World's| |123|4")]
    [InlineData("deepseek-llm", "ab 12  x\n\ny, z. ", "ab| |12| | x|\n|\n|y|,| z|.| ")]
    [InlineData("deepseek-llm", "日本𐐀𐐁𝒜", "日本|𐐀𐐁|𝒜")]
    [InlineData("deepseek-coder", "ab 12, x\n\ny", "ab| |1|2|,| x|\n|\n|y")]
    [InlineData("deepseek-v3", "ab 1234 日本 .x", "ab| |123|4| |日本| .|x")]
    [InlineData("falcon", "ab 1234 (x`", "ab| |123|4| |(|x|`")]
    [InlineData("default", "ab 1234 (x", "ab| |123|4| |(|x")]
    [InlineData(null, "don't 12.5", "don|'|t| |12|.|5")]
    [InlineData("command-r", "ab 12", "ab| |1|2")]
    [InlineData("phi-2", "ab 12", "ab| 12")]
    [InlineData("bloom", "ab, 12 (x", "ab|,| 12| (|x")]
    public void SplitsAsItsNameSays(string? name, string text, string expected) =>
        Assert.Equal(expected, string.Join('|', Pieces(name, text)));

    [Fact]
    public void ControlTokensOfWrongTypeEndATurn()
    {
        using var folder = new ScratchFolder();
        var file = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "gpt-2")
            .Add("tokenizer.ggml.tokens", ["a", "<|im_end|>", "</s>"]).Add("tokenizer.ggml.token_type", [1, 1, 1])
            .Add("tokenizer.ggml.merges", Array.Empty<string>()).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        var tokenizer = GgufTokenizer.Read(opened.Metadata);
        Assert.Equal([1], tokenizer.EndOfTurnIds);
        Assert.Equal([0, 1], tokenizer.Encode("a<|im_end|>"));
        Assert.Equal("a", tokenizer.Decode([0, 1]));
    }

    private static IEnumerable<string> Pieces(string? name, string text)
    {
        using var folder = new ScratchFolder();
        var builder = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "gpt2");
        if (name is not null) builder = builder.Add("tokenizer.ggml.pre", name);
        var file = builder.Add("tokenizer.ggml.tokens", ["a"]).Add("tokenizer.ggml.merges", Array.Empty<string>()).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        var parts = (TokenizerParts)GgufTokenizer.ReadParts(opened.Metadata);
        return PieceRecorder.Split(parts.SplitPatterns, text);
    }
}

using System.Text.Json.Nodes;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Text.Tests.Tokenizers;

public class TokenizerGoldenTests
{
    public static TheoryData<string> Fixtures => [.. TokenizerFixtures.Names];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void SmallTokenizersEqualHuggingFace(string name) => AssertEqual(TokenizerFixtures.Load(name), TokenizerFixtures.Cases(name));

    [Theory]
    [InlineData("llama3.1")]
    [InlineData("qwen3")]
    [InlineData("mistral-v0.1")]
    public void PublishedTokenizersEqualHuggingFace(string name)
    {
        var tokenizer = Tokenizer.Load(TestData.SharedOrSkip("tokenizers", name));
        AssertEqual(tokenizer, JsonNode.Parse(File.ReadAllText(TestData.Golden("text", $"tokenizer-{name}.json")))!.AsArray());
    }

    [Theory]
    [InlineData("llama3.1", 289_077, 128_256)]
    [InlineData("qwen3", 299_078, 151_669)]
    [InlineData("mistral-v0.1", 328_880, 32_000)]
    public void WholeFileGivesTheCountOfHuggingFace(string name, int tokens, int vocabulary)
    {
        var tokenizer = Tokenizer.Load(TestData.SharedOrSkip("tokenizers", name));
        var text = File.ReadAllText(TestData.SharedOrSkip("data", "text", "wiki.test.raw"));

        var ids = tokenizer.Encode(text);

        Assert.Equal(tokens, ids.Length);
        Assert.Equal(vocabulary, tokenizer.VocabularySize);
        Assert.Equal(text, tokenizer.Decode(ids));
    }

    private static void AssertEqual(Tokenizer tokenizer, JsonArray cases)
    {
        Assert.NotEmpty(cases);
        foreach (var one in cases)
        {
            var (text, ids) = ((string)one!["text"]!, one["ids"]!.Ids());
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal((string?)one["decoded"], tokenizer.Decode(ids));
            if (one["raw"] is { } raw) Assert.Equal((string?)raw, tokenizer.Decode(ids, skipSpecialTokens: false));
        }
    }
}

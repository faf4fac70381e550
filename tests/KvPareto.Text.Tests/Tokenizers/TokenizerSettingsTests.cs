using System.Text.Json.Nodes;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Text.Tests.Tokenizers;

public class TokenizerSettingsTests
{
    private const string Beginning = """{"id":600,"content":"<bos>","special":true}""";
    private const string End = """{"id":601,"content":"<eos>","special":true}""";

    /// <summary>The byte-level vocabulary has a = 64 and b = 65; its own post-processor adds nothing unless a case says so.</summary>
    [Theory]
    [InlineData("{}", "64")]
    [InlineData("""{"tokenizer_class":"LlamaTokenizerFast","bos_token":"<bos>","eos_token":"<eos>","add_bos_token":true,"add_eos_token":false}""", "600 64")]
    [InlineData("""{"bos_token":{"content":"<bos>"},"eos_token":"<eos>","add_bos_token":true,"add_eos_token":true}""", "600 64 601")]
    [InlineData("""{"eos_token":"<eos>","add_eos_token":true}""", "64 601")]
    [InlineData("""{"bos_token":null,"add_bos_token":false}""", "64")]
    [InlineData("""{"bos_token":"<bos>"}""", "64")]
    public void FlagsDecideWhatGoesAroundAText(string settings, string expected) => Assert.Equal(expected, Ids(settings, null, "a"));

    [Theory]
    [InlineData("{}", "600 64")]
    [InlineData("""{"bos_token":"<bos>","add_bos_token":false}""", "64")]
    [InlineData("""{"bos_token":"<bos>","add_bos_token":true}""", "600 64")]
    [InlineData("""{"bos_token":"<bos>","eos_token":"<eos>","add_eos_token":true}""", "600 64 601")]
    public void FlagsReplaceThePostProcessor(string settings, string expected) => Assert.Equal(expected, Ids(settings,
        """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<bos>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<bos>":{"ids":[600]}}}""", "a"));

    [Theory]
    [InlineData("""{"602":{"content":"<new>","special":true}}""", "<new>a", "602 64")]
    [InlineData("""{"600":{"content":"<bos>","rstrip":true,"special":true}}""", "<bos>  a", "600 64")]
    [InlineData("""{"64":{"content":"a","special":false}}""", "a", "64")]
    public void AddedTokensDecoderHolds(string tokens, string text, string expected) =>
        Assert.Equal(expected, Ids($$"""{"added_tokens_decoder":{{tokens}}}""", null, text));

    [Theory]
    [InlineData("""{"add_bos_token":true}""", "'add_bos_token' is true, but there is no 'bos_token'; allowed: false, or a token")]
    [InlineData("""{"add_eos_token":true,"eos_token":"</none>"}""", "'eos_token' is '</none>', which the vocabulary does not have")]
    [InlineData("""{"add_bos_token":1}""", "add_bos_token: expected true or false")]
    [InlineData("""{"added_tokens_decoder":[]}""", "added_tokens_decoder: expected an object")]
    [InlineData("""{"added_tokens_decoder":{"x":{}}}""", "the key is not an id")]
    [InlineData("""{"added_tokens_decoder":{"64":{"content":"<other>"}}}""", "added_tokens_decoder of tokenizer_config.json: id 64 belongs to both")]
    [InlineData("""{"added_tokens_decoder":{"700":{"content":"a"}}}""", "'a' has id 700 here and 64 in the vocabulary")]
    [InlineData("""{"added_tokens_decoder":{"4194304":{"content":"<x>"}}}""", "is not within 0 to")]
    public void ContradictionIsOneLine(string settings, string expected)
    {
        var message = Assert.Throws<ConfigException>(() => Ids(settings, null, "a")).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("tokenizer_config.json", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("<|im_end|> <|endoftext|> <x>", "<|im_end|> <|endoftext|>")]
    [InlineData("<|eot_id|> <|eom_id|> <|end_of_text|>", "<|eot_id|> <|eom_id|> <|end_of_text|>")]
    [InlineData("<end_of_turn> <eos>", "<end_of_turn> <eos>")]
    [InlineData("<|end|> <|endoftext|>", "<|end|> <|endoftext|>")]
    [InlineData("<|end|> <|return|> <|call|>", "<|return|> <|call|>")]
    [InlineData("</s> <turn|>", "</s> <turn|>")]
    [InlineData("</s> <|tool_response>", "<|tool_response>")]
    public void EndOfTurnIsKnownByItsText(string tokens, string expected)
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        file["added_tokens"] = new JsonArray([.. tokens.Split(' ').Select((token, i) =>
            (JsonNode)new JsonObject { ["id"] = 600 + i, ["content"] = token, ["special"] = true })]);
        var tokenizer = TokenizerFixtures.Parse(file.ToJsonString());
        Assert.Equal(expected, string.Join(' ', tokenizer.EndOfTurnIds.Select(tokenizer.TokenContent)));
    }

    private static string Ids(string settings, string? postProcessor, string text)
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        file["added_tokens"] = JsonNode.Parse($"[{Beginning},{End}]");
        file["post_processor"] = postProcessor is null ? null : JsonNode.Parse(postProcessor);
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["tokenizer.json"], file.ToJsonString());
        File.WriteAllText(folder["tokenizer_config.json"], settings);
        return string.Join(' ', Tokenizer.Load(folder.Root).Encode(text));
    }
}

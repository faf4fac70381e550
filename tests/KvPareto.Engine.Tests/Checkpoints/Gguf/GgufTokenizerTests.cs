using System.Text.Json;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;
using KvPareto.Text.Tokenizers.Json;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

public class GgufTokenizerTests
{
    [Theory]
    [InlineData("llama", "llama128-Q8_0.gguf")]
    [InlineData("qwen2", "qwen128-Q8_0.gguf")]
    public void Texts_HaveTheirIdsAndComeBack(string vocabulary, string file)
    {
        using var folder = new ScratchFolder();
        using var opened = GgufFile.Open(GgufGolden.PathOf(file));
        Tokenizer[] tokenizers = [ModelSource.Open(GgufGolden.PathOf(file)).RequireTokenizer(), Written(opened.Metadata, folder)];
        var rows = File.ReadLines(TestData.Golden("gguf", "tokenizer-texts.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(row => row.GetProperty("vocabulary").GetString() == vocabulary)
            .ToArray();
        Assert.InRange(rows.Length, 10, 100);
        foreach (var row in rows)
        {
            var ids = row.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
            foreach (var tokenizer in tokenizers)
            {
                Assert.Equal(ids, tokenizer.Encode(row.GetProperty("text").GetString()!));
                Assert.Equal(row.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecialTokens: false));
            }
        }
    }

    [Fact]
    public void ChatTemplate_SeesTheSpecialTokens()
    {
        var template = ModelSource.Open(GgufGolden.PathOf("llama128-Q8_0.gguf")).LoadChatTemplate();
        Assert.Equal(
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            template!.Render([new ChatMessage("user", " Hello ")]));
    }

    [Fact]
    public void UnknownPreTokenizer_IsRefusedWithTheKnownOnes()
    {
        using var folder = new ScratchFolder();
        var file = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "kimi-k2")
            .Add("tokenizer.ggml.tokens", ["a", "b"]).Add("tokenizer.ggml.merges", Array.Empty<string>()).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        var error = Assert.Throws<ConfigException>(() => GgufTokenizer.Read(opened.Metadata));
        Assert.Contains("key 'tokenizer.ggml.pre' is 'kimi-k2'; allowed: llama-bpe,", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Without a space before the text; special tokens at both its ends; ids that no token has; a token that is no special
    /// one.</summary>
    [Fact]
    public void Written_KeepsWhatTheMetadataSays()
    {
        using var folder = new ScratchFolder();
        string[] tokens = ["<unk>", "<s>", "</s>", "▁", "a", "b", "[PAD4]", "ab", "<tool>"];
        var file = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "llama")
            .Add("tokenizer.ggml.tokens", tokens).Add("tokenizer.ggml.scores", [0f, 0, 0, -7, -8, -9, 0, -1, 0])
            .Add("tokenizer.ggml.token_type", [2, 3, 3, 1, 1, 1, 5, 1, 4]).Add("tokenizer.ggml.bos_token_id", 1u)
                .Add("tokenizer.ggml.eos_token_id", 2u)
            .Add("tokenizer.ggml.add_eos_token", true).Add("tokenizer.ggml.add_space_prefix", false).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        foreach (var tokenizer in new[] { GgufTokenizer.Read(opened.Metadata), Written(opened.Metadata, folder) })
        {
            Assert.Equal([1, 7, 3, 8, 4, 0, 2], tokenizer.Encode("ab <tool>aé"));
            Assert.Equal("ab <tool>a", tokenizer.Decode([1, 7, 3, 8, 4, 0, 6, 2]));
            Assert.Null(tokenizer.TokenContent(6));
        }
    }

    [Fact]
    public void Written_RefusesTextsWithoutEnd()
    {
        using var folder = new ScratchFolder();
        var length = (1 << 20) + 1;
        var file = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "gpt-2")
            .Add("tokenizer.ggml.tokens", ["a", new('b', length)]).Add("tokenizer.ggml.merges", Array.Empty<string>())
            .Add("tokenizer.chat_template", new string('c', length)).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        Assert.Equal($"{file}: tokens[1] has 1048577 characters; allowed: up to 1048576", Refusal(() => Written(opened.Metadata, folder)));
        Assert.Equal(
            $"{file}: key 'tokenizer.chat_template' has 1048577 characters; allowed: up to 1048576",
                Refusal(() => GgufTokenizer.ReadSettings(opened.Metadata)));
        Assert.Equal([file], Directory.GetFiles(folder.Root));

        static string Refusal(Func<object> action) => Assert.Throws<ConfigException>(action).Message;
    }

    /// <summary>
    /// Of a SentencePiece vocabulary the pair of highest score merges first, whatever its parts; equal ones from the left. Characters
    /// it lacks become bytes; a space goes before the text and comes off again.
    /// </summary>
    [Theory]
    [InlineData("abc", new[] { 1, 4, 9, 7 })] // ▁ ab c: ab beats bc
    [InlineData("bcab", new[] { 1, 4, 10, 9 })]
    [InlineData("caaa", new[] { 1, 4, 7, 11, 5 })] // aa a: from the left
    [InlineData("a ab", new[] { 1, 8, 4, 9 })] // ▁a ▁ ab: the score of ab is above that of ▁a, so ▁a forms only where no b follows
    [InlineData("é", new[] { 1, 4, 12, 13 })]
    [InlineData("</s>ab", new[] { 1, 2, 4, 9 })]
    [InlineData("", new[] { 1 })]
    public void SentencePiece_MergesByScore(string text, int[] ids)
    {
        using var folder = new ScratchFolder();
        string[] tokens = ["<unk>", "<s>", "</s>", "<0x0A>", "▁", "a", "b", "c", "▁a", "ab", "bc", "aa", "<0xC3>", "<0xA9>"];
        float[] scores = [0, 0, 0, 0, -7, -8, -9, -10, -3, -1, -2, -4, 0, 0];
        int[] types = [2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 1, 6, 6];
        var file = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "llama")
            .Add("tokenizer.ggml.tokens", tokens).Add("tokenizer.ggml.scores", scores).Add("tokenizer.ggml.token_type", types)
            .Add("tokenizer.ggml.bos_token_id", 1u).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        foreach (var tokenizer in new[] { GgufTokenizer.Read(opened.Metadata), Written(opened.Metadata, folder) })
        {
            Assert.Equal(ids, tokenizer.Encode(text));
            if (!text.StartsWith('<')) Assert.Equal(text, tokenizer.Decode(ids));
        }
    }

    /// <summary>Mistral's tokens have their scores in the order of their ids, runs of spaces the lowest: through GGUF they must give the
    /// ids of its tokenizer.json.</summary>
    [Fact]
    public void SentencePiece_EqualsTokenizerJson()
    {
        var original = Tokenizer.Load(TestData.SharedOrSkip("tokenizers", "mistral-v0.1"));
        using var folder = new ScratchFolder();
        var tokens = Enumerable.Range(0, original.VocabularySize).Select(id => original.TokenContent(id)!).ToArray();
        var types = tokens.Select((token, id) => id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1).ToArray();
        var file = new GgufBuilder().Add("general.architecture", "llama").Add("tokenizer.ggml.model", "llama")
            .Add("tokenizer.ggml.tokens", tokens).Add("tokenizer.ggml.scores", tokens.Select(Score).ToArray())
            .Add("tokenizer.ggml.token_type", types).Add("tokenizer.ggml.bos_token_id", 1u).Write(folder["x.gguf"]);
        using var opened = GgufFile.Open(file);
        Tokenizer[] tokenizers = [GgufTokenizer.Read(opened.Metadata), Written(opened.Metadata, folder)];
        var text = File.ReadAllText(TestData.Golden("gguf", "tokenizer-texts.jsonl"));
        foreach (var part in text.Split('"').Append(text))
        {
            var ids = original.Encode(part);
            foreach (var tokenizer in tokenizers)
            {
                Assert.Equal(ids, tokenizer.Encode(part));
                Assert.Equal(original.Decode(ids), tokenizer.Decode(ids));
            }
        }
        Assert.Equal(Merges(TestData.SharedOrSkip("tokenizers", "mistral-v0.1", "tokenizer.json")), Merges(folder["tokenizer.json"]));

        static IEnumerable<string> Merges(string path) =>
            JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("model").GetProperty("merges")
            .EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0]} {merge[1]}");

        static float Score(string token, int id) => id < 259 ? 0 : token.Length > 1 && token.All(c => c == '▁') ? -1e6f - id : -id;
    }

    private static Tokenizer Written(GgufMetadata metadata, ScratchFolder folder)
    {
        TokenizerWriter.Write(folder["tokenizer.json"], GgufTokenizer.ReadParts(metadata));
        return Tokenizer.Load(folder.Root);
    }
}

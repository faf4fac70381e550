using System.Text;
using System.Text.Json.Nodes;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Text.Tests.Tokenizers;

public class TokenizerHostileTests
{
    public static TheoryData<string, string> Damages => new()
    {
        { "merges/0=\"zzz q\"", "model.merges[0]: 'zzz' is not in the vocabulary" },
        { "merges/3=\"a\"", "model.merges[3]: expected two tokens" },
        { "merges/3=[\"a\"]", "model.merges[3]: expected" },
        { "merges/0=7", "model.merges[0]: expected" },
        { "vocab/!=-1", "id -1 of '!' is not within 0 to" },
        { "vocab/!=4194304", "is not within 0 to" },
        { "vocab/!=99999999999", "is not a whole number" },
        { "vocab/!=\"x\"", "is not a whole number" },
        { "vocab/!=1", "id 1 belongs to both '!' and" },
        { "type=\"Unigram\"", "the model type 'Unigram' is not known; known: BPE" },
        { "vocab=[1]", "model.vocab: expected an object, found Array" },
        { "vocab={}", "model.vocab: holds no token" },
        { "/model=\"BPE\"", "model: expected an object, found String" },
        { "type=7", "model.type: expected a string" },
        { "unk_token=\"nope\"", "model.unk_token: 'nope' is not in the vocabulary" },
        { "dropout=0.1", "model.dropout" },
        { "ignore_merges=3", "model.ignore_merges: expected true or false" },
        { "/normalizer={\"type\":\"Precompiled\"}", "normalizer: the normalizer 'Precompiled' is not known; known: Sequence, NFC" },
        { "/normalizer={}", "normalizer: the key 'type' is missing" },
        { "/normalizer=[]", "normalizer: expected an object" },
        { "/pre_tokenizer={\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Foo\"}]}",
            "pre_tokenizer.pretokenizers[0]: the pre-tokenizer 'Foo' is not known; known: Sequence" },
        { "/pre_tokenizer={\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{Han}\"},\"behavior\":\"Isolated\"}",
            "pre_tokenizer.pattern.Regex: not known: property 'Han'" },
        { "/pre_tokenizer={\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Sideways\"}",
            "the behavior 'Sideways' is not known; known: Removed, Isolated" },
        { "/pre_tokenizer={\"type\":\"Metaspace\",\"replacement\":\"__\"}", "must be one character" },
        { "/post_processor={\"type\":\"Bar\"}", "post_processor: the post-processor 'Bar' is not known" },
        { "/post_processor={\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"Q\"}}],\"special_tokens\":{}}",
            "post_processor.special_tokens: the key 'Q' is missing" },
        { "/post_processor={\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"Q\"}}],"
            + "\"special_tokens\":{\"Q\":{\"ids\":[9999]}}}", "id 9999 is not in the vocabulary" },
        { "/decoder={\"type\":\"WordPiece\"}", "decoder: the decoder 'WordPiece' is not known" },
        { "/decoder={\"type\":\"Strip\",\"content\":\" \",\"start\":-1,\"stop\":0}", "'start' is not within" },
        { "/added_tokens=[{\"id\":5,\"content\":\"<x>\"}]", "added_tokens[0]: id 5 belongs to both" },
        { "/added_tokens=[{\"id\":600,\"content\":\"!\"}]", "added_tokens[0]: '!' has id 600 here and 0 in the vocabulary" },
        { "/added_tokens=[{\"id\":600,\"content\":\"<x>\"},{\"id\":601,\"content\":\"<x>\"}]",
            "added_tokens[1]: the token '<x>' stands twice" },
        { "/added_tokens=7", "added_tokens: expected an array" },
        { "/added_tokens=[{\"id\":\"a\",\"content\":\"<x>\"}]", "added_tokens[0].id: expected a whole number" },
        { "/model=7", "model: expected an object, found Number" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void DamageIsOneLineThatNamesThePlace(string damage, string expected)
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        var (path, value) =
            (damage[..damage.IndexOf('=', StringComparison.Ordinal)],
                JsonNode.Parse(damage[(damage.IndexOf('=', StringComparison.Ordinal) + 1)..]));
        var target = path.StartsWith('/') ? file : file["model"]!;
        var keys = path.TrimStart('/').Split('/');
        if (keys.Length == 1) target[keys[0]] = value;
        else if (target[keys[0]] is JsonArray array) array[int.Parse(keys[1], null)] = value;
        else target[keys[0]]![keys[1]] = value;

        AssertRefused(file.ToJsonString(), expected);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "expected an object")]
    [InlineData("{}", "the key 'model' is missing")]
    [InlineData("{\"model\":{\"vocab\":{\"a\":0,\"a\":1}}}", "belongs to both|stands twice")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\ud800\":0}}}", "not valid JSON")]
    [InlineData("{\"model\":{},\"model\":{}}", "stands twice")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{}}} x", "not valid JSON")]
    public void BrokenJsonIsOneLine(string json, string expected) => AssertRefused(json, expected);

    [Fact]
    public void EveryTruncationIsOneLine()
    {
        var json = Encoding.UTF8.GetBytes(TokenizerFixtures.FileOf("qwen").ToJsonString());
        for (var length = 0; length < json.Length - 1; length += 1 + length / 40)
            AssertRefused(Encoding.UTF8.GetString(json, 0, length), "tokenizer.json");
    }

    [Fact]
    public void DeepNestingIsOneLine() =>
        AssertRefused("{\"normalizer\":" + string.Concat(Enumerable.Repeat("{\"type\":\"Sequence\",\"normalizers\":[", 100_000)),
            "not valid JSON");

    /// <summary>Chains that double, or square, what they are given: the text as a whole has a budget, whatever stage spends it.</summary>
    [Theory]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[*]}""", """{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[*]}""", """{"type":"Replace","pattern":{"Regex":"a"},"content":"aa"}""")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"é"},*]}""", """{"type":"ByteLevel"}""")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[*]}""", """{"type":"ByteLevel","add_prefix_space":true,"use_regex":false}""")]
    [InlineData("post_processor", """{"type":"Sequence","processors":[*]}""",
        """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"Sequence":{"id":"A"}}]}""")]
    public void GrowthIsBounded(string component, string sequence, string stage)
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        file[component] = JsonNode.Parse(sequence.Replace("*", string.Join(',', Enumerable.Repeat(stage, 40)), StringComparison.Ordinal));
        var tokenizer = TokenizerFixtures.Parse(file.ToJsonString());
        var message = Assert.Throws<ConfigException>(() => tokenizer.Encode("aaé aaé")).Message;
        Assert.Matches("this tokenizer needs (a text of more than|more than|too long)", message);
        Assert.DoesNotContain('\n', message);
    }

    /// <summary>A piece without an end takes time in proportion to its length, or ends in one line where no part of it can be taken
    /// alone.</summary>
    [Theory]
    [InlineData("gpt2", "a")]
    [InlineData("gpt2", "\n ")]
    [InlineData("llama3", "日é")]
    [InlineData("sp-legacy", "a")]
    [InlineData("sp-legacy", "▁")]
    [InlineData("sp-no-bytes", "日")]
    public async Task OneLongPieceIsEncoded(string name, string unit)
    {
        var tokenizer = TokenizerFixtures.Load(name);
        var text = string.Concat(Enumerable.Repeat(unit, (1 << 18) / unit.Length));
        var ids = await Task.Run(() => tokenizer.Encode(text, addSpecialTokens: false), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.InRange(ids.Length, 1, text.Length * 3);
    }

    [Fact]
    public void OneLongPieceWithASuffixIsRefused()
    {
        var file = TokenizerFixtures.FileOf("sp-no-bytes");
        file["model"]!["end_of_word_suffix"] = "</w>";
        var tokenizer = TokenizerFixtures.Parse(file.ToJsonString());
        Assert.Contains(
            "this tokenizer needs more than", Assert.Throws<ConfigException>(() => tokenizer.Encode(new string('a', 1 << 16)))
                .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BytesThatWouldMergeAreOneLine()
    {
        var file = TokenizerFixtures.FileOf("sp-legacy");
        file["model"]!["vocab"]!["<0x41>a"] = 5000;
        file["model"]!["merges"]!.AsArray().Insert(0, "<0x41> a");
        AssertRefused(file.ToJsonString(), "model.merges[0]: with byte_fallback tokens of bytes cannot merge");
        file = TokenizerFixtures.FileOf("sp-legacy");
        file["model"]!["continuing_subword_prefix"] = "##";
        AssertRefused(file.ToJsonString(), "model.byte_fallback: cannot be used with");
    }

    [Fact]
    public void DecodedGrowthIsBounded()
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        const string Stage = """{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""";
        file["decoder"] = JsonNode.Parse($$"""{"type":"Sequence","decoders":[{{string.Join(',', Enumerable.Repeat(Stage, 40))}}]}""");
        var tokenizer = TokenizerFixtures.Parse(file.ToJsonString());
        Assert.Matches(
            "this tokenizer's decoder needs (a text of )?more than",
                Assert.Throws<ConfigException>(() => tokenizer.Decode([tokenizer.TokenId("a")!.Value])).Message);
    }

    /// <summary>A thousand added tokens that agree with the text but in their last character.</summary>
    [Fact]
    public void AddedTokensAreFoundWithinTheBudget()
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        file["added_tokens"] = new JsonArray([.. Enumerable.Range(1, 2000).Select(i =>
            (JsonNode)new JsonObject { ["id"] = 5000 + i, ["content"] = new string('a', i) + "<" })]);
        var tokenizer = TokenizerFixtures.Parse(file.ToJsonString());
        Assert.Equal([5003], tokenizer.Encode("aaa<"));
        Assert.Throws<ConfigException>(() => tokenizer.Encode(new string('a', 1 << 17)));
    }

    [Theory]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[*]}""", """{"type":"NFC"}""", "65 stages; allowed: up to 64|66 stages")]
    [InlineData("added_tokens", "[*]", """{"id":600,"content":"<x>","note":"................................................................"}""", "more than 16 MiB")]
    public void ComponentsAreBounded(string component, string sequence, string stage, string expected)
    {
        var file = TokenizerFixtures.FileOf("gpt2");
        const string Place = "the stages";
        file[component] = Place;
        var stages = string.Join(',', Enumerable.Repeat(stage, component == "normalizer" ? 65 : 200_000));
        var json = sequence.Replace("*", stages, StringComparison.Ordinal);
        AssertRefused(file.ToJsonString().Replace($"\"{Place}\"", json, StringComparison.Ordinal), expected);
    }

    [Fact]
    public void EscapesOfLoneSurrogatesAreOneLine()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["tokenizer.json"], TokenizerFixtures.FileOf("gpt2").ToJsonString());
        foreach (var json in new[] { """{"\ud800": 1}""", """{"bos_token": "\ud800"}""", """{"added_tokens_decoder": {"\udc00": {}}}""" })
        {
            File.WriteAllText(folder["tokenizer_config.json"], json);
            Assert.Contains(
                "tokenizer_config.json: not valid JSON", Assert.Throws<ConfigException>(() => Tokenizer.Load(folder.Root))
                    .Message, StringComparison.Ordinal);
            Assert.Contains(
                "tokenizer_config.json: not valid JSON", Assert.Throws<ConfigException>(() => ChatTemplate.Load(folder.Root))
                    .Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void MissingFileIsOneLine()
    {
        using var folder = new ScratchFolder();
        Assert.Contains("no such file", Assert.Throws<ConfigException>(() => Tokenizer.Load(folder.Root)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void VocabularyMayHaveHolesAndMergesComeFirst()
    {
        var tokenizer = TokenizerFixtures.Parse("""{"model":{"merges":[["a","b"]],"vocab":{"a":3,"b":900,"ab":7},"type":"BPE"}}""");
        Assert.Equal([7, 900], tokenizer.Encode("abb"));
        Assert.Equal(901, tokenizer.VocabularySize);
        Assert.Equal("ab b", tokenizer.Decode([7, 8, 900]));
    }

    private static void AssertRefused(string json, string expected)
    {
        var message = Assert.Throws<ConfigException>(() => TokenizerFixtures.Parse(json)).Message;
        Assert.Contains("tokenizer.json", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Contains(expected.Split('|'), e => message.Contains(e, StringComparison.Ordinal));
    }
}

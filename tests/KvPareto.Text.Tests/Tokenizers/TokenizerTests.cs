using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;
using KvPareto.Text.Tokenizers.Bpe;

using TestData = KvPareto.Testing.TestData;

namespace KvPareto.Text.Tests.Tokenizers;

public class TokenizerTests
{
    [Fact]
    public void ByteLevelEncodingLosesNothing()
    {
        var tokenizer = TokenizerFixtures.Load("llama3");
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(Samples.Texts, text => tokenizer.Decode(tokenizer.Encode(text, false), false) == text));
    }

    [Fact]
    public void EncodingTwiceGivesTheSame()
    {
        var (warm, texts) =
            (TokenizerFixtures.Load("sp-legacy"), TokenizerFixtures.Cases("sp-legacy").Select(static c => (string)c!["text"]!).ToList());
        foreach (var text in texts) Assert.Equal(warm.Encode(text), warm.Encode(text));
    }

    [Fact]
    public void ThreadsShareOneTokenizer()
    {
        var tokenizer = TokenizerFixtures.Load("llama3");
        var cases = TokenizerFixtures.Cases("llama3").Select(static c => (Text: (string)c!["text"]!, Ids: c["ids"]!.Ids())).ToList();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (var round = 0; round < 20; round++)
                foreach (var (text, ids) in cases) Assert.Equal(ids, tokenizer.Encode(text));
        });
    }

    [Fact]
    public void LoneSurrogateCountsAsTheReplacementCharacter()
    {
        // Not a theory: attributes hold UTF-8, which has no lone surrogates.
        var tokenizer = TokenizerFixtures.Load("gpt2");
        foreach (var (text, same) in new[] { ("a\uD800b", "a\uFFFDb"), ("\uDC00", "\uFFFD"), ("\uD83D\uDE00\uD83D", "😀\uFFFD") })
            Assert.Equal(tokenizer.Encode(same), tokenizer.Encode(text));
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("sp-legacy")]
    public void LongRunWithoutBreaksIsEncoded(string name)
    {
        var tokenizer = TokenizerFixtures.Load(name);
        var text = string.Concat(Enumerable.Repeat("thea", 50_000));
        var ids = tokenizer.Encode(text, addSpecialTokens: false);
        Assert.Equal(text, tokenizer.Decode(ids));
        Assert.InRange(ids.Length, text.Length / 8, text.Length);
    }

    /// <summary>
    /// Texts of any length against merges made one after the other by rank, from the left: short ones, and ones of many windows. Among the
    /// pairs are one that stands twice, whose last rank counts, one with a space within a token, and one of the empty token.
    /// </summary>
    [Theory]
    [InlineData(30, 1000)]
    [InlineData(3000, 30)]
    public void MergesAreMadeInTheOrderOfTheirRanks(int length, int texts)
    {
        var builder = new VocabularyBuilder("x");
        var vocabulary = builder.Vocabulary;
        foreach (var token in "a|b|c| |ab|bc|aa|abc|aabc|bcbc|aaaa|c |abc |".Split('|'))
            builder.AddToken(token, 7 + 3 * vocabulary.Count, "vocab");
        var merges = new MergeList(vocabulary, "merges");
        string[] pairs = ["a|b", "b|c", "c| ", "|a", "a|b", "a|a", "ab|c", "a|bc", "aa|bc", "bc|bc", "aa|aa", "a|abc", "ab|c "];
        foreach (var pair in pairs) merges.Add(pair.Split('|')[0], pair.Split('|')[1]);
        var engine = new MergeEngine(builder, builder.ToArray(), merges, new BpeOptions());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(texts),
            Prop.ForAll(Gen.Elements('a', 'b', 'c', ' ').ArrayOf(length).ToArbitrary(), letters =>
        {
            var ids = new List<int>();
            engine.Encode(letters, ids, new PieceMemo(ids), WorkBudget.ForText(letters.Length, "x"));
            return ids.SequenceEqual(MergedByRank(letters, pairs).Select(token => vocabulary.IdOrMinusOne(token)));
        }));
    }

    /// <summary>A text's pieces are merged once; what comes again, between others too, has the same ids.</summary>
    [Fact]
    public void RepeatedPieces_HaveTheSameIds()
    {
        var ids = new List<int>();
        var (builder, merges, budget) = (new VocabularyBuilder("test"), default(MergeList), WorkBudget.ForText(100, "x"));
        foreach (var token in "a|b|c|ab".Split('|')) builder.AddToken(token, 5 + builder.Vocabulary.Count, "vocab");
        merges = new MergeList(builder.Vocabulary, "merges");
        merges.Add("a", "b");
        var (engine, memo) = (new MergeEngine(builder, builder.ToArray(), merges, new BpeOptions()), new PieceMemo(ids));
        foreach (var piece in new[] { "abc", "b", "abc", "", "cab", "abc", "b" }) engine.Encode(piece, ids, memo, budget);
        Assert.Equal([8, 7, 6, 8, 7, 7, 8, 8, 7, 6], ids);
    }

    private static List<string> MergedByRank(char[] letters, string[] pairs)
    {
        var tokens = letters.Select(static letter => letter.ToString()).ToList();
        // The rank of each token with the next one.
        var ranks = tokens.Select((_, at) => RankAt(at)).ToList();
        while (true)
        {
            var best = -1;
            for (var at = 0; at < ranks.Count; at++)
                if (ranks[at] >= 0 && (best < 0 || ranks[at] < ranks[best])) best = at;
            if (best < 0) return tokens;
            tokens[best] += tokens[best + 1];
            tokens.RemoveAt(best + 1);
            ranks.RemoveAt(best + 1);
            ranks[best] = RankAt(best);
            if (best > 0) ranks[best - 1] = RankAt(best - 1);
        }

        int RankAt(int at) => at + 1 < tokens.Count ? Array.LastIndexOf(pairs, tokens[at] + "|" + tokens[at + 1]) : -1;
    }

    /// <summary>Tokens of texts as Hugging Face's tokenizers 0.22.2 gives them, over a few characters and three whole pieces.</summary>
    [Theory]
    [InlineData("added_tokens", """["<s>","  "]""", "a<s>  <s>b", "a|<s>|<s>|b")]
    [InlineData("added_tokens", """["<s>","  "]""", "b  <s>", "b|  |<s>")]
    [InlineData("normalizer", """{"type":"StripAccents"}""", "a\u20E3b\u093E", "a|b")]
    [InlineData("normalizer", """{"type":"Lowercase"}""", "a Ab", "a| |aB")]
    [InlineData("pre_tokenizer", """{"type":"Whitespace"}""", "a\u200Db b½ a½", "a\u200Db|b|½|a|½")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"}""", "a\u200Db b½ a½", "a|\u200D|b| |b½| |a½")]
    public void Components_GiveTheirTokens(string component, string value, string text, string expected)
    {
        string[] tokens = ["a", "b", " ", "½", "\u20E3", "\u093E", "\u200D", "a\u200Db", "a½", "b½"];
        var file = new JsonObject
        {
            ["added_tokens"] = JsonNode.Parse(
                """[{"id":10,"content":"Ab","normalized":true},{"id":11,"content":"aB","normalized":true,"special":true}]"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["ignore_merges"] = true,
                ["vocab"] = new JsonObject(tokens.Select(static (token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
                ["merges"] = new JsonArray(),
            },
        };
        file[component] = component == "added_tokens"
            ? new JsonArray([.. JsonNode.Parse(value)!.AsArray().Select(static (content, i) => new JsonObject
            {
                ["id"] = 10 + i,
                ["content"] = (string)content!,
                ["lstrip"] = i > 0,
                ["rstrip"] = true,
            })])
            : JsonNode.Parse(value);
        var tokenizer = TokenizerFixtures.Parse(file.ToJsonString());
        Assert.Equal(expected, string.Join('|', tokenizer.Encode(text).Select(tokenizer.TokenContent)));
    }

    [Fact]
    public void TokensAreFoundByContentAndId()
    {
        var tokenizer = TokenizerFixtures.Load("added");
        Assert.Equal(514, tokenizer.TokenId("<ab>"));
        Assert.Equal("<ab>", tokenizer.TokenContent(514));
        Assert.Null(tokenizer.TokenId("no such token"));
        Assert.Null(tokenizer.TokenContent(tokenizer.VocabularySize));
        Assert.Null(tokenizer.TokenContent(-1));
        Assert.True(tokenizer.IsSpecial(tokenizer.TokenId("<|begin_of_text|>")!.Value));
        Assert.False(tokenizer.IsSpecial(0));
        Assert.Equal("", tokenizer.Decode([-1, 1 << 30]));
    }

    /// <summary>The same vocabulary as a GGUF file gives it; texts and ids of llama.cpp's golden file.</summary>
    [Fact]
    public void PartsEqualGolden()
    {
        var file = TokenizerFixtures.FileOf("llama3");
        var tokens = new string?[512];
        foreach (var (token, id) in file["model"]!["vocab"]!.AsObject()) tokens[(int)id!] = token;
        var added = file["added_tokens"]!.AsArray().Select(static a => new AddedToken((int)a!["id"]!, (string)a["content"]!, Special: true))
            .ToList();
        foreach (var token in added) tokens[token.Id] = token.Content;
        var tokenizer = Tokenizer.Create(new TokenizerParts
        {
            Source = "model.gguf",
            Tokens = tokens,
            Merges = [.. file["model"]!["merges"]!.AsArray().Select(static m => ((string)m!).Split(' ')).Select(static m => (m[0], m[1]))],
            AddedTokens = added,
            SplitPatterns = [TokenizerParts.Llama3Regex],
            IgnoreMerges = true,
            Prefix = [added[0].Id],
        });

        var cases = File.ReadLines(TestData.Golden("text", "gguf-tokenizer-texts.jsonl")).Select(static l => JsonNode.Parse(l)!)
            .Where(static c => (string)c["vocabulary"]! == "llama").ToList();

        Assert.NotEmpty(cases);
        foreach (var one in cases)
        {
            Assert.Equal(one["ids"]!.Ids(), tokenizer.Encode((string)one["text"]!));
            Assert.Equal((string)one["decoded"]!, tokenizer.Decode(one["ids"]!.Ids(), skipSpecialTokens: false));
        }
    }

    [Fact]
    public void PartsThatContradictAreRefused()
    {
        static ConfigException Refusal(TokenizerParts parts) => Assert.Throws<ConfigException>(() => Tokenizer.Create(parts));
        var parts = new TokenizerParts { Source = "model.gguf", Tokens = ["a", "b"], Merges = [] };
        Assert.Contains("model.gguf: merges[0]", Refusal(parts with { Merges = [("a", "b")] }).Message, StringComparison.Ordinal);
        Assert.Contains("stands twice", Refusal(parts with { Tokens = ["a", "a"] }).Message, StringComparison.Ordinal);
        Assert.Contains("id 7", Refusal(parts with { Prefix = [7] }).Message, StringComparison.Ordinal);
        Assert.Contains("belongs to both", Refusal(parts with { AddedTokens = [new AddedToken(1, "<s>", true)] }).Message,
            StringComparison.Ordinal);
        Assert.Contains("property", Refusal(parts with { SplitPatterns = [@"\p{Klingon}"] }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ByteAlphabetMapsEveryByteBack()
    {
        var characters = ByteAlphabet.Map(string.Concat(Enumerable.Range(0, 0x800).Select(static c => (char)c)));
        Assert.Equal(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 0x800).Select(static c => (char)c))),
            ByteAlphabet.Unmap(characters));
        Assert.Equal("Ġ", ByteAlphabet.Map(" "));
        Assert.Equal(Encoding.UTF8.GetBytes("日"), ByteAlphabet.Unmap("日"));
    }
}

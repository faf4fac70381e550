using System.Text.RegularExpressions;
using KvPareto.Tasks.Metrics;
using KvPareto.Tasks.Ruler;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Ruler;

public class RulerTaskTests
{
    private const string Uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

    public static TheoryData<string> Kinds => [.. RulerKind.All.Select(kind => kind.Name)];

    /// <summary>The room is what RULER has: the length less the answer's tokens; a unit is a word, a sentence or a needle.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Prompts_FillTheLengthAndNeverExceedIt(string kind)
    {
        using var folder = new ScratchFolder();
        foreach (var (length, chat) in new[] { (4000, false), (4000, true), (9000, false) })
        {
            var context = ByteTokenizer.Context(folder, 1_000_000, chat);
            var samples = new RulerTask(Options(folder, kind, length) with { Samples = 2 }).Prepare(context);
            Assert.Equal(2, samples.Count);
            foreach (var sample in samples)
            {
                var whole = sample.PromptIds.Length + sample.MaxNewTokens;
                Assert.InRange(whole, length - Unit(kind), length);
                var text = context.Tokenizer.Decode(sample.PromptIds, skipSpecialTokens: false);
                Assert.Equal(chat, text.Contains("[user]", StringComparison.Ordinal));
                Assert.All(sample.Answers, answer => Assert.Contains(answer, text, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Uuids_AreAskedForAsRulerAsks()
    {
        using var folder = new ScratchFolder();
        var (text, sample) = First(folder, "niah_multikey_3", 4000);
        var lines = text.Split('\n');
        Assert.Equal(
            "A special magic uuid is hidden within the following text. Make sure to memorize it. I will quiz you about the uuid afterwards.", lines[0]);
        Assert.All(lines[1..^1], line => Assert.Matches($"^One of the special magic uuids for {Uuid} is: {Uuid}\\.$", line));
        var match = Regex.Match(
            lines[^1],
            $"^What is the special magic uuid for ({Uuid}) mentioned in the provided text\\? The special magic uuid for \\1 mentioned "
                + "in the provided text is$");
        Assert.True(match.Success, lines[^1]);
        Assert.Equal(
            $"One of the special magic uuids for {match.Groups[1].Value} is: {Assert.Single(sample.Answers)}.",
                Assert.Single(lines, line => line.Contains(match.Groups[1].Value, StringComparison.Ordinal) && line[0] == 'O'));
    }

    [Theory]
    [InlineData("niah_single_2", 1, 1, "What is the special magic number for ")]
    [InlineData("niah_multikey_1", 4, 1, "What is the special magic number for ")]
    [InlineData("niah_multivalue", 4, 4, "What are all the special magic numbers for ")]
    [InlineData("niah_multiquery", 4, 4, "What are all the special magic numbers for ")]
    public void Needles_LieInTheEssayBetweenSentences(string kind, int needles, int answers, string question)
    {
        using var folder = new ScratchFolder();
        var (text, sample) = First(folder, kind, 6000);
        Assert.Equal(answers, sample.Answers.Distinct().Count());
        var found = Regex.Matches(text, "(.{2})One of the special magic numbers for [a-z]+-[a-z]+ is: [0-9]{7}\\.");
        Assert.Equal(needles, found.Count);
        Assert.All(found, needle => Assert.Matches("^([.!] |\\S\n)$", needle.Groups[1].Value));
        Assert.Contains("\n" + question, text, StringComparison.Ordinal);
        Assert.Equal(
            kind == "niah_multiquery",
                Regex.IsMatch(text, "for [a-z-]+, [a-z-]+, [a-z-]+, and [a-z-]+ mentioned in the provided text are$"));
    }

    [Fact]
    public void Variables_AreAssignedInOneChain()
    {
        using var folder = new ScratchFolder();
        var (text, sample) = First(folder, "vt", 5000);
        var question = text[text.LastIndexOf("Memorize and track", StringComparison.Ordinal)..];
        Assert.Equal(2, Regex.Count(text, "Memorize and track the chain"));
        var value = Regex.Match(question, "VAR ([A-Z]{5}) = ([0-9]{5})");
        Assert.Equal(sample.Answers[0], value.Groups[1].Value);
        Assert.Equal(
            sample.Answers.Zip(sample.Answers.Skip(1), (from, to) => $"VAR {to} = VAR {from}"),
            Regex.Matches(question, "VAR [A-Z]{5} = VAR [A-Z]{5}").Select(link => link.Value));
        Assert.EndsWith(
            $"Question: Find all variables that are assigned the value {value.Groups[2].Value} in the text above. Answer: According to "
                + "the chain(s) of variable "
                + $"assignment in the text above, 5 variables are assigned the value {value.Groups[2].Value}, they are: ",
            question, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4000, 6, 1)]
    [InlineData(9000, 30, 3)]
    public void CommonWords_StandMoreOftenThanAllOthers(int length, int common, int others)
    {
        using var folder = new ScratchFolder();
        var (text, sample) = First(folder, "cwe", length);
        var list = text[
            (text.LastIndexOf("most often.\n", StringComparison.Ordinal) + 12)..text.LastIndexOf("\nQuestion", StringComparison.Ordinal)];
        string[] words = [.. Regex.Matches(list, "([0-9]+)[.] (\\S+)").Select((match, index) =>
        {
            Assert.Equal($"{index + 1}", match.Groups[1].Value);
            return match.Groups[2].Value;
        })];
        var counts = words.CountBy(word => word).ToDictionary();
        Assert.Equal(10, sample.Answers.Count);
        Assert.All(sample.Answers, word => Assert.Equal(common, counts[word]));
        Assert.All(counts.Keys.Except(sample.Answers), word => Assert.Equal(others, counts[word]));
        Assert.Equal(2, Regex.Count(text, "The top 10 words that appear most often in the list are:"));
    }

    [Fact]
    public void FrequentWords_FallByTheSquareOfTheRank()
    {
        using var folder = new ScratchFolder();
        var (text, sample) = First(folder, "fwe", 9000);
        var words = Regex.Match(text, "coded words\\. (.*)\nQuestion").Groups[1].Value.Split(' ').CountBy(word => word)
            .OrderByDescending(pair => pair.Value).ToList();
        Assert.Equal(["...", .. sample.Answers], words.Take(4).Select(pair => pair.Key));
        Assert.True(words[3].Value > words[4].Value);
        Assert.InRange((double)words[0].Value / words[1].Value, 3.9, 4.1);
        Assert.InRange((double)words[0].Value / words[2].Value, 8.7, 9.4);
    }

    /// <summary>RULER's string_match_all: a share for each answer, in whatever case, wherever it stands.</summary>
    [Theory]
    [InlineData("ABCDE, fghij", 2.0 / 3)]
    [InlineData("abcdefghijklmno", 1)]
    [InlineData("", 0)]
    public void Score_IsTheShareOfTheAnswersFound(string prediction, double expected) =>
        Assert.Equal(expected, StringMatch.All(prediction, ["abcde", "FGHIJ", "klmno"]), 12);

    /// <summary>Case is Python's <c>lower()</c>, which RULER compares by: the Kelvin sign, the capital sharp s, a sigma at a word's
    /// end.</summary>
    [Theory]
    [InlineData("5 \u212A", "5 k", 1)]
    [InlineData("STRA\u1E9EE", "stra\u00DFe", 1)]
    [InlineData("\u039F\u0394\u039F\u03A3", "\u03BF\u03B4\u03BF\u03C2", 1)]
    [InlineData("\u03BF\u03B4\u03BF\u03C3", "\u03BF\u03B4\u03BF\u03C2", 0)]
    public void Score_IgnoresCaseAsPythonDoes(string prediction, string answer, double expected) =>
        Assert.Equal(expected, StringMatch.All(prediction, [answer]));

    [Fact]
    public void Questions_FollowTheSeed_AndTheDigestAllThatTheyAreMadeOf()
    {
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, 100_000);
        var options = Options(folder, "niah_single_2", 4000);
        Assert.Equal(Prompts(options), Prompts(options));
        Assert.NotEqual(Prompts(options), Prompts(options with { Seed = 8 }));
        Assert.Equal(3, Prompts(options).Distinct().Count());
        RulerOptions[] others =
        [
            options, options with { Seed = 8 }, options with { Length = 4001 }, options with { Samples = 4 }, options with { Chat = false },
            options with { MaxNewTokens = 5 }, options with { Kind = "niah_single_3" },
                options with { Haystack = folder.Write("other.txt", "Some. Thing.") },
        ];
        Assert.Equal(others.Length, others.Select(each => new RulerTask(each).Digest).Distinct().Count());

        string[] Prompts(RulerOptions each) =>
            [.. new RulerTask(each).Prepare(context).Select(sample => string.Join(',', sample.PromptIds))];
    }

    [Fact]
    public void Mistakes_NameTheKey()
    {
        using var folder = new ScratchFolder();
        var fine = Options(folder, "vt", 4000);
        Refuses(fine with { Kind = "vtt" }, "key 'kind' is 'vtt'; allowed: niah_single_1, ");
        Refuses(fine with { Kind = "niah_multivalue", Haystack = null }, "key 'haystack' is missing for niah_multivalue");
        Refuses(fine with { Length = 100 }, "key 'length' is 100; allowed: 256 to 1048576");
        var error = Assert.Throws<ConfigException>(
            () => new RulerTask(fine with { Length = 300 }).Prepare(ByteTokenizer.Context(folder, 10_000)));
        Assert.Contains("key 'length' is 300; allowed for vt in this model's tokens: ", error.Message, StringComparison.Ordinal);
        // What it allows is the least that is allowed.
        var least = int.Parse(Regex.Match(error.Message, @"(\d+) or more, 30 of them for the answer").Groups[1].Value);
        Assert.NotEmpty(new RulerTask(fine with { Length = least }).Prepare(ByteTokenizer.Context(folder, 10_000)));
        Assert.Throws<ConfigException>(
            () => new RulerTask(fine with { Length = least - 1 }).Prepare(ByteTokenizer.Context(folder, 10_000)));

        static void Refuses(RulerOptions options, string expected) =>
            Assert.Contains(expected, Assert.Throws<ConfigException>(() => new RulerTask(options)).Message, StringComparison.Ordinal);
    }

    // Bytes of the largest unit of a byte tokenizer.
    private static int Unit(string kind) => kind switch { "cwe" => 3 * 40, "fwe" => 8 * 30, "niah_multikey_3" => 140, _ => 110 };

    private static (string Text, TaskSample Sample) First(ScratchFolder folder, string kind, int length)
    {
        var context = ByteTokenizer.Context(folder, 100_000);
        var sample = Task(folder, kind, length).Prepare(context)[0];
        return (context.Tokenizer.Decode(sample.PromptIds), sample);
    }

    private static RulerTask Task(ScratchFolder folder, string kind, int length) => new(Options(folder, kind, length));

    private static RulerOptions Options(ScratchFolder folder, string kind, int length) => new()
    {
        Kind = kind,
        Length = length,
        Samples = 3,
        Seed = 7,
        Haystack = folder.Write(
            "essay.txt", string.Concat(Enumerable.Range(0, 300).Select(i => $"It was day {i} of the year. Nobody said a word!\n"))),
    };
}

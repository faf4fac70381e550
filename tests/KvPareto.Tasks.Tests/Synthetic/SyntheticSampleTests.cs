using System.Text.Json;
using KvPareto.Tasks.Synthetic;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Synthetic;

public class SyntheticSampleTests
{
    [Theory]
    [InlineData(SyntheticKind.Fact, Snapshot.Fact)]
    [InlineData(SyntheticKind.TwoHop, Snapshot.TwoHop)]
    [InlineData(SyntheticKind.Count, Snapshot.Count)]
    [InlineData(SyntheticKind.Label, Snapshot.Label)]
    public void ToJson_IsTheSnapshot(SyntheticKind kind, string expected) =>
        Assert.Equal(expected, Samples(kind, 1, 96, seed: 7)[0].ToJson());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Sample_DoesNotDependOnTheSamplesBefore(SyntheticKind kind)
    {
        var generator = new DocumentGenerator();
        foreach (var other in Enum.GetValues<SyntheticKind>()) generator.Generate(other, 99, 3, 700, questions: 9);
        var alone = generator.Generate(kind, 5, 19, 300);
        var inOrder = Samples(kind, 20, 300, seed: 5)[19];
        Assert.Equal(inOrder.Context, alone.Context);
        Assert.Equal(inOrder.Input, alone.Questions[0].Question);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Prompt_IsNeverLongerThanAsked_AndLessThanASentenceShorter(SyntheticKind kind)
    {
        const int longestSentence = 20;
        foreach (var length in new[] { SyntheticOptions.LeastLength, 97, 128, 333, 1000, 5000 })
        {
            foreach (var sample in Samples(kind, 50, length))
            {
                // One piece more for the beginning-of-sequence token.
                var pieces = TextPieces.Count(sample.Prompt) + 1;
                Assert.InRange(pieces, length - longestSentence, length);
            }
        }
    }

    [Theory]
    [InlineData(SyntheticKind.Fact)]
    [InlineData(SyntheticKind.TwoHop)]
    public void Depth_IsSpreadEvenly_AndTellsWhereTheAnswerStands(SyntheticKind kind)
    {
        var samples = Samples(kind, 200, 800);
        var deciles = samples.CountBy(sample => Math.Min((int)(sample.Depth * 10), 9)).ToDictionary();
        Assert.Equal(10, deciles.Count);
        Assert.All(deciles.Values, count => Assert.InRange(count, 16, 24));
        foreach (var sample in samples)
        {
            var sentences = TextSolver.Sentences(sample.Context);
            var position = (int)Math.Round(sample.Depth * (sentences.Length - 1));
            Assert.Contains(sample.Answer, sentences[position], StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Samples_OfOtherSeedsAreOtherTexts(SyntheticKind kind)
    {
        var heldOut = Enumerable.Range(0, 4).SelectMany(seed => Samples(kind, 100, 200, seed)).Select(sample => sample.Context).ToHashSet();
        Assert.Equal(400, heldOut.Count);
        var generator = new DocumentGenerator();
        for (var index = 0; index < 400; index++)
            Assert.DoesNotContain(generator.Generate(kind, SyntheticOptions.FirstTrainingSeed + 256, index, 200).Context, heldOut);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Answers_CannotBeGuessed(SyntheticKind kind)
    {
        var commonest = Samples(kind, 500, 400).CountBy(sample => sample.Answer).Max(pair => pair.Value);
        Assert.InRange(commonest, 1, 125);
    }

    [Fact]
    public void ToJson_HasLongBenchsFields()
    {
        var sample = Samples(SyntheticKind.Label, 1, 200)[0];
        var row = JsonDocument.Parse(sample.ToJson()).RootElement;
        Assert.Equal(
            ["input", "context", "answers", "length", "dataset", "language", "all_classes", "_id"],
            row.EnumerateObject().Select(property => property.Name));
        Assert.Equal(sample.Context, row.GetProperty("context").GetString());
        Assert.Equal(sample.Answer, row.GetProperty("answers")[0].GetString());
        Assert.Equal(sample.AllClasses, row.GetProperty("all_classes").EnumerateArray().Select(name => name.GetString()!));
        Assert.Contains(sample.Answer, sample.AllClasses);
        Assert.Equal($"{sample.Input} {sample.Context} {sample.Answer}".Split([' ', '\n']).Length, row.GetProperty("length").GetInt32());
    }

    [Theory]
    [InlineData("count", 0, 500, 0)]
    [InlineData("count", SyntheticOptions.MostCount + 1, 500, 0)]
    [InlineData("length", 1, SyntheticOptions.LeastLength - 1, 0)]
    [InlineData("length", 1, int.MaxValue, 0)]
    [InlineData("seed", 1, 500, -1)]
    [InlineData("seed", 1, 500, SyntheticOptions.FirstTrainingSeed)]
    public void Generate_NamesTheKeyOutOfRange(string key, int count, int length, int seed)
    {
        var options = new SyntheticOptions { Count = count, Length = length, Seed = seed };
        var error = Assert.Throws<ConfigException>(() => SyntheticSample.Generate(options));
        Assert.StartsWith(key + ":", error.Message, StringComparison.Ordinal);
        Assert.Contains("allowed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ParseKind_NamesWhatIsAllowed()
    {
        Assert.Equal(SyntheticKind.TwoHop, SyntheticOptions.ParseKind("two-hop"));
        var error = Assert.Throws<ConfigException>(() => SyntheticOptions.ParseKind("hop"));
        Assert.Equal("kind: 'hop' is unknown; allowed: fact, two-hop, count, label", error.Message);
    }

    public static TheoryData<SyntheticKind> Kinds() => [.. Enum.GetValues<SyntheticKind>()];

    private static SyntheticSample[] Samples(SyntheticKind kind, int count, int length, int seed = 0) =>
        [.. SyntheticSample.Generate(new SyntheticOptions { Kind = kind, Count = count, Length = length, Seed = seed })];
}

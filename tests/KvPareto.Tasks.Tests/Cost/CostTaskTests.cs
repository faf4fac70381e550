using KvPareto.Tasks.Cost;
using KvPareto.Tasks.Predictions;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Cost;

public class CostTaskTests
{
    [Fact]
    public void Prepare_MakesPromptsOfTheLength_TheSameEachTime()
    {
        var task = new CostTask(new() { Length = 300, NewTokens = 7, Count = 2, Seed = 3 });
        var samples = task.Prepare(vocabulary: 50);
        Assert.Equal(["prompt-0", "prompt-1"], samples.Select(sample => sample.Id));
        Assert.All(samples, sample => Assert.Equal(
            (SampleKind.Cost, 300, 7), (sample.Kind, sample.PromptIds.Length, sample.MaxNewTokens)));
        Assert.All(samples.SelectMany(sample => sample.PromptIds), id => Assert.InRange(id, 0, 49));
        Assert.True(samples[0].PromptIds.Distinct().Count() > 40);
        Assert.NotEqual(samples[0].PromptIds, samples[1].PromptIds);
        Assert.Equal(samples[1].PromptIds, task.Prepare(vocabulary: 50)[1].PromptIds);
    }

    [Fact]
    public void Digest_TellsOptionsApart_AndALengthIsThatOfTheContext()
    {
        var options = new CostOptions { Length = 300 };
        CostOptions[] others =
        [
            options with { Length = 301 }, options with { NewTokens = 33 }, options with { Count = 4 }, options with { Seed = 1 },
        ];
        Assert.Equal(5, others.Append(options).Select(each => each.Create().Digest).Distinct().Count());
        Assert.Equal(((CostOptions)others[0].AtLength(300)).Create().Digest, options.Create().Digest);
    }

    [Fact]
    public void Score_IsNone()
    {
        var task = new CostTask(new() { Length = 3 });
        Assert.False(task.IsScored);
        Assert.Throws<NotSupportedException>(() => task.Score(task.Prepare(5)[0], new TextPrediction("")));
    }

    [Theory]
    [InlineData(0, 1, "length: 0 is out of range; allowed: 1 to 1048576")]
    [InlineData(1, 0, "new_tokens: 0 is out of range; allowed: 1 to 1048576")]
    public void Options_AreChecked(int length, int newTokens, string expected) => Assert.Equal(
        expected, Assert.Throws<ConfigException>(() => new CostTask(new() { Length = length, NewTokens = newTokens })).Message);
}

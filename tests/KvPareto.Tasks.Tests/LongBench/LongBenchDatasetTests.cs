using System.Text.Json;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Tests.Metrics.Chinese;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.LongBench;

public class LongBenchDatasetTests
{
    [Fact]
    public void All_HaveTheOfficialPromptAndLimit()
    {
        var prompts = Read<string>("dataset2prompt.json");
        var limits = Read<int>("dataset2maxlen.json");
        Assert.Equal(limits.Keys.Order(), LongBenchDataset.All.Select(dataset => dataset.Name).Order());
        Assert.All(
            LongBenchDataset.All, dataset =>
                Assert.Equal((prompts[dataset.Name], limits[dataset.Name]), (dataset.Prompt, dataset.MaxNewTokens)));

        static Dictionary<string, T> Read<T>(string name) =>
            JsonSerializer.Deserialize<Dictionary<string,
                T>>(File.ReadAllText(TestData.SharedOrSkip("data", "longbench", "config", name)))!;
    }

    [Fact]
    public void All_FollowLongBenchsLists()
    {
        Assert.Equal(21, LongBenchDataset.All.Count);
        Assert.Equal(["trec", "triviaqa", "samsum", "lsht", "lcc", "repobench-p"], Names(dataset => !dataset.ChatTemplate));
        Assert.Equal(["trec", "triviaqa", "samsum", "lsht"], Names(dataset => dataset.FirstLineOnly));
        Assert.Equal(["samsum"], Names(dataset => dataset.StopAtNewline));
        Assert.Equal(["multifieldqa_zh", "dureader", "vcsum"], Names(dataset => dataset.NeedsSegmenter));

        static IEnumerable<string> Names(Func<LongBenchDataset, bool> which) =>
            LongBenchDataset.All.Where(which).Select(dataset => dataset.Name);
    }

    [Fact]
    public void Format_TakesASlotsNameInTheDataForText()
    {
        Assert.True(LongBenchDataset.TryFind("repobench-p", out var dataset, out _));
        Assert.Equal(
            "Please complete the code given below. \nf\"{input}\" {{context}x}{context}Next line of code:\n",
            dataset.Format("f\"{input}\" {", "{context}x}{context}"));
    }

    [Theory]
    [InlineData("nq", "none of LongBench's")]
    [InlineData("", "none of LongBench's")]
    public void TryFind_SaysWhatIsAllowed(string name, string expected)
    {
        Assert.False(LongBenchDataset.TryFind(name, out _, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
        Assert.EndsWith("passage_retrieval_zh, lcc, repobench-p", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Score_NeedsASegmenterForChineseWords() => Assert.All(
        LongBenchDataset.All.Where(dataset => dataset.NeedsSegmenter),
        dataset =>
        {
            Assert.Throws<ArgumentException>(() => dataset.Score("北京", ["北京"], null));
            Assert.Equal(1, dataset.Score("北京", ["我", "北京"], null, TinyJieba.Open()), 1e-8);
        });

    [Fact]
    public void Score_CountsTheFirstLineOnlyWhereLongBenchDoes()
    {
        Assert.Equal(1, Score("triviaqa", "\n\nParis\nLondon"));
        Assert.Equal(2.0 / 3, Score("hotpotqa", "\n\nParis\nLondon"), 12);

        static double Score(string name, string prediction) =>
            LongBenchDataset.All.Single(dataset => dataset.Name == name).Score(prediction, ["Rome", "Paris"], null);
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Tests.Reports;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests;

public partial class SweepEventJsonTests
{
    private static readonly TrialResult Good = SomeTrial.Ok("m\n", "w16a16-k8v8-t64", 1000, ("fact", [1, 0.5]));

    private static readonly SweepEvent[] Events =
    [
        new WeightsMade("m", "awq4g32", 1, 30),
        new SweepPlanned(10, 1, 50, 5) { Name = "fake", Folder = "runs/fake", Limit = 3 },
        new TrialBegun(2, 10, "m", "w16a16-k16v16", 5, 0) { Context = 4000 },
        new SampleMeasured(2, "fact", 0.5, 1, 5, 6, 50) { Left = TimeSpan.FromSeconds(12.5) },
        new TrialEnded(2, 10, Good, 10, 50) { Left = TimeSpan.FromSeconds(90) },
        new TrialFailed(3, 10, SomeTrial.Failed("m", "w4a16-k2v2-t64", "out of memory"), 15, 50),
        new TrialDropped(3, 10, SomeTrial.Failed("m", "w4a16-k2v2-t64", "worse"), 15, 50),
        new TrialLeft(4, 5, 20, 50),
        new SweepWaiting(1, "process 7 on host") { Worker = "cuda:1" },
        new WorkerGone(137, "signal 9", 2) { Worker = "cuda:1" },
        new SweepEnded(1, "runs/fake")
        { Planned = 10, Finished = 8, Failed = 1, Dropped = 1, Missing = ["a of b"], Messages = ["c"], Files = ["d.csv"] },
    ];

    [Fact]
    public void Write_IsOneLineThatReadsBack()
    {
        foreach (var value in Events)
        {
            var line = SweepEventJson.Write(value);
            Assert.DoesNotContain('\n', line);
            var read = SweepEventJson.Read(line);
            Assert.Equal(value.GetType(), read?.GetType());
            Assert.Equal(line, SweepEventJson.Write(read!));
        }
        Assert.Equal(
            """{"event":"sample","trial":2,"task":"fact","score":0.5,"trialSamplesDone":1,"trialSamples":5,"samplesDone":6,"""
            + """ "samples":50,"secondsLeft":12.5}""".TrimStart(),
            SweepEventJson.Write(Events[3]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"event":"unknown"}""")]
    [InlineData("""{"event":"waiting","trials":1}""")]
    [InlineData("""{"event":"waiting","trials":1,"holder":"x","more":1}""")]
    public void Read_OfAnythingElse_IsNull(string line) => Assert.Null(SweepEventJson.Read(line));

    /// <summary>docs/sweep-json.md has every event with exactly its keys.</summary>
    [Fact]
    public void Document_NamesEveryKey()
    {
        var text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "sweep-json.md"));
        var documented = Row().Matches(text).ToDictionary(
            row => row.Groups[1].Value, row => Key().Matches(row.Groups[2].Value).Select(key => key.Groups[1].Value).Order());
        Assert.Equal(
            Events.Select(value => (Name(value), Keys(value))).Distinct().Order(),
            documented.Select(pair => (pair.Key, string.Join(' ', pair.Value))).Order());
    }

    private static string Name(SweepEvent value) => (string)JsonNode.Parse(SweepEventJson.Write(value))!["event"]!;

    // Those of the record, written or left out.
    private static string Keys(SweepEvent value) => string.Join(' ', value.GetType().GetProperties()
        .Where(property => property.CanWrite)
        .Select(property => property.Name == "Left" ? "secondsLeft" : JsonNamingPolicy.CamelCase.ConvertName(property.Name))
        .Where(name => name is not ("leftAlone" or "worker"))
        .Where(name => name != "secondsLeft" || value is SampleMeasured or TrialEnded or TrialLeft).Order());

    [GeneratedRegex(@"^\| `([a-z]+)` \|(.*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-zA-Z]+)`")]
    private static partial Regex Key();
}

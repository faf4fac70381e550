using System.Text.Json.Nodes;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Trials;

public class TrialSummaryTests
{
    [Fact]
    public void Finished_MeansOverTasks_AndLeavesWarmUpOut()
    {
        using var temp = new ScratchFolder();
        var history = FakeSweep.Run(temp["run"], new FakeEngine());
        foreach (var result in history.Results)
        {
            var file = temp[$"run/samples/{result.TrialId}.jsonl"];
            var lines = File.ReadAllLines(file).Select(line => JsonNode.Parse(line)!).ToArray();
            double Mean(string task) => 100 * lines.Where(line => (string)line["task"]! == task).Average(line => (double)line["score"]!);
            Assert.Equal((Mean("facts") + Mean("counts")) / 2, result.Score!.Value, 1e-9);
            Assert.Equal([Mean("facts"), Mean("counts")], result.Scores.Select(score => score.Mean));

            var times = lines.Skip(1).Select(line => (double)line["ttftMs"]!).Order().ToArray();
            Assert.Equal((times[1] + times[2]) / 2, result.TtftMs!.Value, 1e-9);
            Assert.True((bool)lines[0]["warmUp"]!);

            var decode = lines.Max(line => (long)line["peaks"]!["decode"]!["kvCache"]!);
            var prefill = lines.Max(line => (long)line["peaks"]!["prefill"]!["kvCache"]!);
            Assert.Equal((decode, prefill), (result.Peaks.Decode.KvCache, result.Peaks.Prefill.KvCache));
            Assert.Equal(decode + 5 > prefill + 10 ? decode : prefill, result.KvCacheBytes);
        }
    }
}

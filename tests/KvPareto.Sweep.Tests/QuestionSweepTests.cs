using System.Text;
using KvPareto.Cpu;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Tests;

/// <summary>GSM8K and MMLU as tasks of a sweep, on an embedded model and a few rows of the tests' own.</summary>
public class QuestionSweepTests
{
    private const string Rows = """
        {"question": "The red box holds 3 pens and the blue box holds 4. How many pens are there?", "answer": "3 + 4 = 7\n#### 7"}
        {"question": "Ann has 2 coins and finds 5 more. How many coins has she?", "answer": "2 + 5 = 7\n#### 7"}
        """;

    private const string Header = "question,choice0,choice1,choice2,choice3,answer\n";
    private const string Questions = Header + "Which is a colour?,red,seven,under,run,0\n\"Which is\na number?\",red,seven,under,run,1\n";

    private static readonly string[] Settings = ["w16a16-k16v16", "w16a16-k16v16-c64", "w16a16-k2v2-t64-c64"];

    private sealed class StopAfter(int samples, CancellationTokenSource source) : IProgress<SweepEvent>
    {
        public void Report(SweepEvent value)
        {
            if (value is SampleMeasured { SamplesDone: var done } && done == samples) source.Cancel();
        }
    }

    [Fact]
    public void Run_AnswersAndRates_AndReportsEveryPart()
    {
        using var temp = new ScratchFolder();
        Run(Config(temp), temp["run"], false);
        var results = RunHistory.Read(temp["run"]).Results;
        Assert.Equal(Settings, results.Select(result => result.Setting));
        foreach (var result in results)
        {
            Assert.Equal((TrialStatus.Ok, null, 6), (result.Status, result.Failure, result.Samples));
            var (gsm8k, mmlu) = (result.Scores[0], result.Scores[1]);
            Assert.Equal(("gsm8k", "mmlu"), (gsm8k.Task, mmlu.Task));
            Assert.Equal([("flexible", 2)], gsm8k.Parts!.Select(part => (part.Name, part.Samples)));
            Assert.Equal([("astronomy", 2), ("world_religions", 2)], mmlu.Parts!.Select(part => (part.Name, part.Samples)));
            Assert.Equal(mmlu.Mean, mmlu.Parts!.Average(part => part.Mean), 1e-9);
            Assert.True(result.Peaks.Decode.Total > 0 && result.KvCacheBytes > 0);
        }
        var csv = Encoding.UTF8.GetString(ResultsCsv.Write(FrontierAnalysis.Of(results, Settings[0], seed: 1)));
        Assert.Contains(
            ",task:gsm8k,task:gsm8k/flexible,task:mmlu,task:mmlu/astronomy,task:mmlu/world_religions,", csv, StringComparison.Ordinal);

        var (whole, chunked, coded) = (Rated(temp, results[0]), Rated(temp, results[1]), Rated(temp, results[2]));
        Assert.Equal(4, whole.Count);
        for (var i = 0; i < whole.Count; i++)
        {
            // A 16-bit cache gives the same however the prompt is fed; a 2-bit one moves every likelihood.
            Assert.All(whole[i].Zip(chunked[i]), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
            Assert.All(whole[i].Zip(coded[i]), pair => Assert.True(Math.Abs(pair.First - pair.Second) > 0.01, $"{pair}"));
        }
        Assert.All(Records(temp["run"], results[0]).Take(2), record => Assert.Equal(["flexible"], record.Parts!.Keys));
    }

    [Fact]
    public void Run_GoesOnAtTheNextSample()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        var whole = Run(config, temp["a"], false);
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Run(config, temp["b"], false, new StopAfter(4, source), source.Token));
        var resumed = Run(config, temp["b"], true);
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(resumed));
        foreach (var result in whole.Results)
            Assert.Equal(Predictions(Records(temp["a"], result)), Predictions(Records(temp["b"], result)));

        static IEnumerable<(string, Prediction)> Predictions(IEnumerable<SampleRecord> records) =>
            records.Select(record => (record.Sample, record.Prediction));
    }

    [Fact]
    public void Run_RefusesAPromptLongerThanTheModel()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        temp.Write("mmlu/test/astronomy_test.csv", $"{Header}{string.Concat(Enumerable.Repeat("word ", 20_000))},a,b,c,d,0\n");
        var error = Assert.Throws<ConfigException>(() => Run(config, temp["run"], false));
        Assert.Contains("task 'mmlu': sample 'astronomy-0' takes", error.Message, StringComparison.Ordinal);
    }

    private static SweepConfig Config(ScratchFolder temp)
    {
        temp.Write("rows.jsonl", Rows);
        foreach (var subject in new[] { "astronomy", "world_religions" })
        {
            temp.Write($"mmlu/test/{subject}_test.csv", Questions);
            temp.Write($"mmlu/dev/{subject}_dev.csv", Questions);
        }
        return SweepConfig.Load(temp.Write("sweep.yaml", $$"""
            models: ["embedded:llama"]
            tasks:
              - {task: gsm8k, file: rows.jsonl, shots_file: rows.jsonl, shots: 1, max_new_tokens: 6}
              - {task: mmlu, folder: mmlu, shots: 2}
            settings: [{{string.Join(", ", Settings)}}]
            """));
    }

    private static RunHistory Run(SweepConfig config, string folder, bool resume, StopAfter? stop = null, CancellationToken? token = null)
    {
        using var backend = new CpuBackend(2);
        var options = new SweepOptions { Backend = backend, Folder = folder, Resume = resume };
        return SweepRunner.Run(config, options, stop, token ?? TestContext.Current.CancellationToken);
    }

    private static List<IReadOnlyList<double>> Rated(ScratchFolder temp, TrialResult result) =>
        [.. Records(temp["run"], result).Select(record => record.Prediction).OfType<LikelihoodPrediction>()
            .Select(rated => rated.LogLikelihoods)];

    private static IReadOnlyList<SampleRecord> Records(string folder, TrialResult result) =>
    [
        .. SampleLog.Read(Path.Combine(folder, "samples", result.TrialId + ".jsonl")).Records,
    ];
}

using KvPareto.Cpu;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

/// <summary>Sweeps that read once what prompts have in common.</summary>
public class PrefixSweepTests
{
    private const int Samples = FakeSweep.LongSamples;

    [Theory]
    [InlineData(true, 1, 2)]
    [InlineData(true, 3, 2)]
    [InlineData(false, 1, 0)]
    [InlineData(false, 3, 2)]
    public void Run_TimesTheFirstOfEachPart_WhatOthersShareAside(bool keeps, int size, int repeats)
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["alone"], new FakeEngine(), tasks: FakeSweep.LongTasks));
        var engine = new FakeEngine { KeepsPrefixes = keeps, MostTogether = 8 };
        var config = FakeSweep.Config(repeats: Math.Max(1, repeats), batchSize: size, prefixes: true);
        var history = FakeSweep.Run(temp["run"], engine, config, tasks: FakeSweep.LongTasks);
        Assert.Equal(whole, FakeSweep.WithoutTimes(history));
        var shared = keeps || size > 1 ? Samples - FakeSweep.LongTimed : 0;
        Assert.Equal(FakeSweep.Trials * ((Samples - shared) * config.Repeats + shared), engine.Generated);
        foreach (var result in history.Results)
        {
            var records = TrialSamples.Read(temp["run"], result.TrialId).ToArray();
            Assert.Equal(keeps ? shared : 0, records.Count(record => record.PrefixTokens is 1));
            Assert.Equal(size > 1 ? shared : 0, records.Count(record => record.BatchSize is not null));
            var alone = records.Where(record => record is { PrefixTokens: null, WarmUp: false }).ToArray();
            Assert.Equal(SampleStatistics.Median(alone.Select(record => record.TtftMs)), result.TtftMs);
            Assert.Equal(
                SampleStatistics.Median(alone.Where(record => record.BatchSize is null).Select(record => record.TpotMs!.Value)), result.TpotMs);
        }
    }

    [Theory]
    [InlineData(1, 0, 4)]
    [InlineData(8, 0, 4)]
    [InlineData(9, 0, 3)]
    [InlineData(17, 1, 1)]
    [InlineData(57, 0, 1)]
    [InlineData(57, 60, 2)]
    [InlineData(2, 6, 4)]
    [InlineData(2, 8, 5)]
    public void TimedSamples_AreFewerOfEachPart_WhereATaskHasMany(int parts, int warmUp, int expected)
    {
        Assert.Equal(expected, TimedSamples.OfEach(parts, warmUp));
        Assert.True(parts * expected > warmUp);
    }

    [Fact]
    public void Run_OfATaskOfManyParts_TimesSomeOfEach()
    {
        const int parts = 12;
        using var temp = new ScratchFolder();
        IReadOnlyList<SweepTask> tasks = [new("many", new FakeTask("many", 3 * parts, parts: parts))];
        var history = FakeSweep.Run(temp["run"], new FakeEngine { KeepsPrefixes = true }, FakeSweep.Config(prefixes: true), tasks: tasks);
        // Of the three of each part the first two.
        Assert.All(history.Results, result => Assert.Equal(
            Enumerable.Range(2 * parts, parts).Select(i => $"many-{i}"),
            TrialSamples.Read(temp["run"], result.TrialId).Where(record => record.PrefixTokens is not null).Select(record => record.Sample)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void RealModel_AnswersAndTakesMemoryAsWithout(int size)
    {
        using var temp = new ScratchFolder();
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, MaxPositions = 1024 }.Write(temp["model"]);
        temp.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        temp.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 9).Select(i =>
            $$"""{"question": "What has {{i * i}} corners?", "answer": "It has {{i}}.\n#### {{i}}"}""" + "\n")));
        foreach (var kind in new[] { "test", "dev" })
            temp.Write($"mmlu/{kind}/law_{kind}.csv", "question,choice0,choice1,choice2,choice3,answer\n"
                + string.Concat(Enumerable.Range(0, 9).Select(i => $"Which is {i}?,one,two,three,four,{i % 4}\n")));
        var (alone, shared) = (Run("false"), Run("true"));
        Assert.Equal(FakeSweep.WithoutTimes(alone), FakeSweep.WithoutTimes(shared));
        foreach (var result in shared.Results)
        {
            var (before, now) = (Ordered(temp["run-false"], result.TrialId), Ordered(temp["run-true"], result.TrialId));
            Assert.Equal(before.Select(Untimed), now.Select(Untimed));
            // The first that shares is read whole, and the second, which finds out what both begin with; of a whole prompt a pass nothing.
            var taken = now.Where(record => record.PrefixTokens is not null).ToArray();
            Assert.Equal(18 - 2 * TimedSamples.OfPart, taken.Length);
            var isInChunks = result.Setting.EndsWith("c32", StringComparison.Ordinal);
            Assert.Equal(isInChunks ? taken.Length - 4 : 0, taken.Count(record => record.PrefixTokens >= 64));
            Assert.All(taken, record => Assert.Equal(0, record.PrefixTokens!.Value % 32));
        }

        RunHistory Run(string prefixes)
        {
            using var backend = new CpuBackend(2);
            var config = SweepConfig.Load(temp.Write($"{prefixes}.yaml", $$"""
                models: [model]
                tasks:
                  - {task: gsm8k, file: rows.jsonl, shots_file: rows.jsonl, shots: 2, max_new_tokens: 6}
                  - {task: mmlu, folder: mmlu, shots: 3}
                settings: [w16a16-k16v16, w16a16-k8v8-t32-c32, w4g32a16-k2v2-kch32-vt32-recent8-c32]
                batch_size: {{size}}
                prefix_caching: {{prefixes}}
                """));
            var options = new SweepOptions { Backend = backend, Folder = temp[$"run-{prefixes}"] };
            return SweepRunner.Run(config, options, null, TestContext.Current.CancellationToken);
        }

        static SampleRecord Untimed(SampleRecord record) =>
            record with { TtftMs = 0, TpotMs = null, PrefixTokens = null, BatchSize = null, References = null, Parts = null };

        static SampleRecord[] Ordered(string folder, string trial) =>
            [.. TrialSamples.Read(folder, trial).OrderBy(record => (record.Task, record.Sample))];
    }

    [Fact]
    public void Config_RefusesWhatIsNeither()
    {
        var error = Assert.Throws<ConfigException>(() => SweepConfigReader.Read(
            "a.yaml", "models: [embedded:llama]\ntasks: [{task: embedded, kind: fact, samples: 2, length: 96}]\nsettings: [w16a16-k8v8]\nprefix_caching: 3",
            AppContext.BaseDirectory, []));
        Assert.Contains("key 'prefix_caching' is '3', not a truth", error.Message, StringComparison.Ordinal);
    }
}

using KvPareto.Cpu;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

/// <summary>Sweeps of small random models on the CPU: what they answer is nonsense, but always the same.</summary>
public class RealSweepTests
{
    private sealed class StopAt(int sample, CancellationTokenSource source) : IProgress<SweepEvent>
    {
        public void Report(SweepEvent value)
        {
            if (value is SampleMeasured { SamplesDone: var done } && done == sample) source.Cancel();
        }
    }

    private static SweepConfig Config(
        ScratchFolder temp, string axes = "{weights: [w16, w4g32], cache: [k8v8, k2v2], granularity: [t32], chunk: [64]}")
    {
        foreach (var family in new[] { "llama", "qwen2" })
        {
            new TinyModel { Family = family, Vocabulary = ByteTokenizerFile.VocabularySize, MaxPositions = 1024 }.Write(temp[family]);
            temp.Write($"{family}/tokenizer.json", ByteTokenizerFile.Json());
        }
        return SweepConfig.Load(temp.Write("sweep.yaml", $$"""
            models: [llama, qwen2]
            tasks:
              - {task: embedded, kind: fact, samples: 2, length: 96}
              - {task: embedded, kind: label, samples: 1, length: 96}
            axes: {{axes}}
            """));
    }

    private static RunHistory Run(
        SweepConfig config, string folder, bool resume = false, StopAt? stop = null, CancellationToken token = default)
    {
        using var backend = new CpuBackend(2);
        var history = SweepRunner.Run(config, new SweepOptions { Backend = backend, Folder = folder, Resume = resume }, stop, token);
        Assert.Equal(0, backend.Memory.Live.Weights + backend.Memory.Live.KvCache + backend.Memory.Live.Activations);
        return history;
    }

    [Fact]
    public void Run_GivesTheSameTwice_InterruptedOrNot()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        var whole = Run(config, temp["a"], token: TestContext.Current.CancellationToken);
        Assert.Equal(10, whole.Results.Count);
        Assert.All(whole.Results, result => Assert.Equal((TrialStatus.Ok, null), (result.Status, result.Failure)));

        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Run(config, temp["b"], stop: new StopAt(4, source), token: source.Token));
        var resumed = Run(config, temp["b"], resume: true, token: TestContext.Current.CancellationToken);
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(resumed));
        foreach (var result in whole.Results)
            Assert.Equal(Predictions(temp["a"], result.TrialId), Predictions(temp["b"], result.TrialId));
    }

    [Fact]
    public void Run_MeasuresLessMemoryForFewerBits()
    {
        using var temp = new ScratchFolder();
        var results = Run(Config(temp), temp["run"], token: TestContext.Current.CancellationToken).Results
            .Where(result => result.Model == "llama").ToDictionary(result => result.Setting);
        Assert.True(results["w16a16-k2v2-t32-c64"].KvCacheBytes < results["w16a16-k8v8-t32-c64"].KvCacheBytes);
        Assert.True(results["w16a16-k8v8-t32-c64"].KvCacheBytes < results["w16a16-k16v16"].KvCacheBytes);
        Assert.True(results["w4g32a16-k8v8-t32-c64"].WeightBytes < results["w16a16-k8v8-t32-c64"].WeightBytes);
        Assert.Equal(results["w4g32a16-k8v8-t32-c64"].WeightBytes, results["w4g32a16-k2v2-t32-c64"].WeightBytes);
        Assert.All(results.Values, result => Assert.True(result.Peaks.Load.Total >= result.WeightBytes && result.TtftMs >= 0));
    }

    [Theory]
    [InlineData("{granularity: [t128], cache: [k8v8]}", "sweep.yaml:1: key 'models[0]': setting w16a16-k8v8-t128 with model 'llama'")]
    [InlineData("{weights: [w4g96]}",
        "weight group 96 does not divide all of the coded weights' input widths 64, 128, 128; allowed: w16, w4g32, w4g64")]
    public void Run_RefusesWhatDoesNotFitTheModel(string axes, string expected)
    {
        using var temp = new ScratchFolder();
        Refuses(temp, Config(temp, axes), expected);
    }

    [Theory]
    [InlineData("model.safetensors", 100, "qwen2")]
    [InlineData("model.safetensors", 20_000, "qwen2")]
    [InlineData("config.json", 40, "config.json")]
    [InlineData("tokenizer.json", 200, "tokenizer.json")]
    public void Run_RefusesADamagedModel_BeforeItWritesAnything(string file, int length, string expected)
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        using (var damaged = File.OpenWrite(temp[$"qwen2/{file}"])) damaged.SetLength(length);
        Refuses(temp, config, expected);
    }

    /// <summary>What is missing is known from the names: no weight is loaded to find it, whatever the setting.</summary>
    [Fact]
    public void Run_RefusesMissingTensors_WithoutLoading()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        var file = temp["qwen2/config.json"];
        File.WriteAllText(
            file, File.ReadAllText(file).Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", StringComparison.Ordinal));
        using var backend = new CpuBackend(1);
        var error = Assert.Throws<ConfigException>(
            () => SweepRunner.Run(config, new SweepOptions { Backend = backend, Folder = temp["run"] }));
        Assert.Contains("tensor 'model.layers.2.input_layernorm.weight' is missing", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, backend.Memory.Peaks.Load.Weights);
        Assert.False(Directory.Exists(temp["run"]));
    }

    [Fact]
    public void Run_RefusesATokenizerThatDoesNotFit()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        new TinyModel { Family = "llama", Vocabulary = 200 }.Write(temp["llama"]);
        Refuses(temp, config, "token id 256 in the prompt");
    }

    [Fact]
    public void Run_RefusesSamplesTooLongForTheModel()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        new TinyModel { Family = "llama", Vocabulary = ByteTokenizerFile.VocabularySize, MaxPositions = 128 }.Write(temp["llama"]);
        Refuses(temp, config, "embedded:fact");
    }

    [Fact]
    public void Run_RefusesTheSameModelTwice()
    {
        using var temp = new ScratchFolder();
        var config = Config(temp);
        foreach (var file in Directory.GetFiles(temp["llama"]))
            File.Copy(file, Path.Combine(temp["qwen2"], Path.GetFileName(file)), overwrite: true);
        Refuses(temp, config, "key 'models' has 'llama' and 'qwen2', which are the same files; allowed: each model once");
    }

    private static void Refuses(ScratchFolder temp, SweepConfig config, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => Run(config, temp["run"]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(Directory.Exists(temp["run"]));
    }

    private static string[] Predictions(string folder, string trial)
    {
        var (records, _) = SampleLog.Read(Path.Combine(folder, "samples", trial + ".jsonl"));
        return [.. records.Select(record => $"{record.Sample}: {record.Prediction}")];
    }
}

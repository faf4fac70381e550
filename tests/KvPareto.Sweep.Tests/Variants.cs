using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Quantization;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Tasks;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests;

/// <summary>A small random model beside AWQ weights of it, and sweeps of both.</summary>
internal static class Variants
{
    public const string Tasks =
        "{task: embedded, kind: fact, samples: 2, length: 96}, {task: fidelity, text: text.txt, tokens: 256, window: 128}";

    // Made by the first test that asks for them: names and bytes.
    private static readonly Lazy<IReadOnlyDictionary<string, byte[]>> Files = new(Make);

    /// <summary>Writes <c>model</c> and its AWQ weights <c>awq</c>, made with <c>text.txt</c>.</summary>
    public static void Write(ScratchFolder temp)
    {
        foreach (var folder in new[] { "model", "awq" }) Directory.CreateDirectory(temp[folder]);
        foreach (var (name, bytes) in Files.Value) temp.Write(name, bytes);
    }

    private static Dictionary<string, byte[]> Make()
    {
        using var temp = new ScratchFolder();
        WriteModel(temp, "model", new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize });
        temp.Write("text.txt", string.Concat(Enumerable.Range(0, 200).Select(i => $"{i} sheep and {i * i} goats. ")));
        using var backend = new CpuBackend(2);
        var source = ModelSource.Open(temp["model"]);
        ModelQuantizer.Run(
            backend, source, temp["awq"], new(QuantizeMethod.Awq, 4, 32),
                CalibrationTexts.Read(temp["text.txt"], source.RequireTokenizer(), 4, 64));
        return Directory.GetFiles(temp.Root, "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(temp.Root, file), File.ReadAllBytes);
    }

    public static void WriteModel(ScratchFolder temp, string folder, TinyModel model)
    {
        model.Write(temp[folder]);
        temp.Write($"{folder}/tokenizer.json", ByteTokenizerFile.Json());
    }

    public static SweepConfig Config(
        ScratchFolder temp, string models, string axes = "{cache: [k16v16, k8v8], granularity: [t32]}", string tasks = Tasks,
            string more = "") =>
        SweepConfig.Load(temp.Write("sweep.yaml", $"""
            models: {models}
            tasks: [{tasks}]
            axes: {axes}
            {more}
            """));

    public static RunHistory Run(SweepConfig config, string folder, IProgress<SweepEvent>? progress = null, bool resume = false)
    {
        using var backend = new CpuBackend(2);
        return SweepRunner.Run(config, new SweepOptions { Backend = backend, Folder = folder, Resume = resume }, progress);
    }
}

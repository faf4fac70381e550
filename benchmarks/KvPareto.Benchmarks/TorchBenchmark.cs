using System.Diagnostics;
using System.Globalization;
using KvPareto.Cuda;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;
using KvPareto.Torch;

namespace KvPareto.Benchmarks;

/// <summary>Prefill and decode of a whole model on PyTorch, after a prompt of one length, with the peaks that were measured.</summary>
internal static class TorchBenchmark
{
    private const int DecodeTokens = 48;
    private const int Runs = 3; // the first compiles

    private static readonly string[] DefaultSettings = ["w16a16-k16v16-c256", "w16a16-k4v4-t64-c256"];

    public static void Run(string device, string model, int prompt, string[] names, bool usesKernels)
    {
        using var backend =
            new TorchBackend(
            TorchDevice.Parse(device) ?? throw new ConfigException($"device torch{device}; allowed: :cpu, :cuda, :cuda:N"),
            kernels: usesKernels ? CudaBackend.TryCreate : null);
        Console.WriteLine(backend.Device);
        Console.WriteLine($"{"setting",-26}{"prompt",8}{"prefill s",11}{"token ms",10}{"host ms",9}{"peak GB",9}");
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        foreach (var same in (names.Length > 0 ? names : DefaultSettings).Select(InferenceSetting.Parse)
            .GroupBy(setting => setting.Weights))
        {
            using var weights = TransformerWeights.Load(backend, checkpoint, same.Key);
            foreach (var setting in same)
                for (var run = 0; run < Runs; run++) Measure(new Transformer(backend, checkpoint.Config, weights), setting, prompt);
        }
    }

    private static void Measure(Transformer transformer, InferenceSetting setting, int prompt)
    {
        var (backend, c) = (transformer.Backend, transformer.Config);
        var (ids, chunk) = (SyntheticPrompt.Ids(prompt, c.VocabularySize), setting.StepTokens(prompt));
        var (tokens, hosts) = (new List<double>(), new List<double>());
        backend.Memory.Restart(MemoryPhase.Prefill);
        backend.Memory.Enter(MemoryPhase.Prefill);
        using var sequence = new Sequence(transformer, setting, prompt + DecodeTokens, chunk);
        var logits = backend.Alloc(DType.F32, 1, c.VocabularySize);
        backend.Synchronize();
        var clock = Stopwatch.GetTimestamp();
        for (var from = 0; from < prompt; from += chunk) sequence.Feed(ids.AsSpan(from, Math.Min(chunk, prompt - from)));
        backend.Synchronize();
        var prefill = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        sequence.Resize(1);
        for (var i = 0; i < DecodeTokens; i++)
        {
            clock = Stopwatch.GetTimestamp();
            transformer.Head.Apply(sequence.Feed([i + 100]), logits);
            hosts.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
            backend.Synchronize();
            tokens.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
        }
        logits.Buffer.Dispose();
        var peaks = backend.Memory.Peaks;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
                $"{setting.Name,-26}{prompt,8}{prefill,11:F3}{Median(tokens),10:F2}{Median(hosts),9:F2}{peaks.Prefill.Total / 1e9,9:F2} "
                + $"{peaks.Kind}"));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

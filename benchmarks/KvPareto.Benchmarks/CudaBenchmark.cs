using System.Diagnostics;
using System.Globalization;
using KvPareto.Cuda;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Benchmarks;

/// <summary>Prefill and decode of a whole model on a CUDA device beside the two floors: bytes over the copy rate, operations over the rate
/// of a large dense product.</summary>
internal static class CudaBenchmark
{
    private const int DecodeTokens = 64;
    private const int Runs = 3;
    private const int LongPrompt = 65_536; // tokens, of which one run is enough

    private static readonly string[] DefaultSettings =
        ["w16a16-k16v16-c256", "w4a16-k4v4-t64-c256", "w4a16-k4v4-t64-c1024", "w8a16-k8v8-t64-c256"];
    private static readonly int[] DefaultPrompts = [1000, 10_240];

    /// <param name="model">Model.</param>
    /// <param name="arguments">Lengths of prompts and names of settings, in any order; of <c>SETTING@TOKENS</c> the prompt is that
    /// long.</param>
    public static void Run(string model, string[] arguments)
    {
        var prompts = arguments.Where(text => int.TryParse(text, CultureInfo.InvariantCulture, out _))
            .Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        var names = arguments.Where(text => !int.TryParse(text, CultureInfo.InvariantCulture, out _)).ToArray();
        using var backend = new CudaBackend();
        var rates = CudaRates.Measure(backend);
        var (bandwidth, rate) = (rates.BytesPerSecond!.Value, rates.OperationsPerSecond);
        Console.WriteLine($"{backend.Device}: {rates.Words}");
        Console.WriteLine(
            $"{"setting",-26}{"prompt",8}{"prefill s",11}{"floor",8}{"of it",7}{"token ms",10}{"floor",8}{"of it",7}{"host ms",9}{"read GB",9}");
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        foreach (var settings in (names.Length > 0 ? names : DefaultSettings).Select(Parse).GroupBy(one => one.Setting.Weights))
        {
            using var weights = TransformerWeights.Load(backend, checkpoint, settings.Key);
            var transformer = new Transformer(backend, checkpoint.Config, weights);
            var unread = weights.ByteCount - transformer.WeightBytesRead;
            foreach (var (setting, own) in settings)
            {
                foreach (var prompt in own is { } tokens ? [tokens] : prompts.Length > 0 ? prompts : DefaultPrompts)
                    Measure(transformer, setting, prompt, unread, bandwidth, rate);
            }
        }
    }

    private static (InferenceSetting Setting, int? Prompt) Parse(string name)
    {
        var parts = name.Split('@', 2);
        return (InferenceSetting.Parse(parts[0]), parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : null);
    }

    private static void Measure(Transformer transformer, InferenceSetting setting, int prompt, long unread, double bandwidth, double rate)
    {
        var backend = transformer.Backend;
        var c = transformer.Config;
        var ids = Enumerable.Range(0, prompt).Select(i => (i * 7919 + 13) % c.VocabularySize).ToArray();
        var (prefill, tokens, hosts, bytes) = (double.MaxValue, new List<double>(), new List<double>(), 0L);
        for (var run = 0; run < (prompt < LongPrompt ? Runs : 1); run++)
        {
            var chunk = Math.Min(setting.Chunk ?? prompt, prompt);
            using var sequence = new Sequence(transformer, setting, prompt + DecodeTokens, chunk);
            backend.Synchronize();
            var clock = Stopwatch.GetTimestamp();
            sequence.Prefill(ids, chunk, default);
            backend.Synchronize();
            prefill = Math.Min(prefill, Stopwatch.GetElapsedTime(clock).TotalSeconds);
            sequence.Resize(1);
            var logits = backend.Alloc(DType.F32, 1, c.VocabularySize);
            for (var i = 0; i < DecodeTokens; i++)
            {
                clock = Stopwatch.GetTimestamp();
                transformer.Head.Apply(sequence.Feed([i + 100]), logits);
                hosts.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
                backend.Synchronize();
                tokens.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
            }
            bytes = backend.Memory.Live.Weights + backend.Memory.Live.KvCache - unread;
            logits.Buffer.Dispose();
        }
        // Attention: two products of D for each query head and each earlier token.
        var linear = (double)c.LayerCount * c.HiddenSize
            * (2L * c.QueryHeads * c.HeadDim + 2L * c.KvHeads * c.HeadDim + 3L * c.FeedForwardSize);
        var operations = 2 * linear * prompt + 2.0 * c.LayerCount * c.QueryHeads * c.HeadDim * prompt * (double)prompt;
        var (prefillFloor, tokenFloor) = (operations / rate, bytes / bandwidth);
        var (token, host) = (Median(tokens), Median(hosts));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setting.Name,-26}{prompt,8}{prefill,11:F3}{prefillFloor,8:F3}{prefillFloor / prefill,7:P0}{token * 1e3,10:F3}{tokenFloor * 1e3,8:F3}{tokenFloor / token,7:P0}{host * 1e3,9:F2}{bytes / 1e9,9:F2}"));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

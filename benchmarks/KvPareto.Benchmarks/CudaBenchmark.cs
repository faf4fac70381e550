using System.Diagnostics;
using System.Globalization;
using KvPareto.Cuda;
using KvPareto.Engine.Cache;
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
    private const int DecodeTokens = 128;
    private const int Runs = 3;
    private const int LongPrompt = 65_536; // tokens, of which one run is enough

    private static readonly string[] DefaultSettings =
        ["w16a16-k16v16-c256", "w4a16-k4v4-t64-c256", "w4a16-k4v4-t64-c1024", "w8a16-k8v8-t64-c256"];
    private static readonly int[] DefaultPrompts = [1000, 10_240];

    /// <param name="model">Model.</param>
    /// <param name="arguments">Lengths of prompts and names of settings, in any order; of <c>SETTING@TOKENS</c> the prompt is that long, of
    /// <c>SETTING@TOKENSxN</c> so many sequences have such a prompt, and a step makes a token of each.</param>
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
            $"{"setting",-26}{"prompt",9}{"prefill s",11}{"floor",8}{"of it",7}{"step ms",10}{"floor",8}{"of it",7}{"tokens/s",10}{"host ms",9}{"logits ms",11}{"read GB",9}");
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        foreach (var settings in (names.Length > 0 ? names : DefaultSettings).Select(Parse).GroupBy(one => one.Setting.Weights))
        {
            using var weights = TransformerWeights.Load(backend, checkpoint, settings.Key);
            var transformer = new Transformer(backend, checkpoint.Config, weights);
            var unread = weights.ByteCount - transformer.WeightBytesRead;
            foreach (var (setting, own, count) in settings)
            {
                foreach (var prompt in own is { } tokens ? [tokens] : prompts.Length > 0 ? prompts : DefaultPrompts)
                    Measure(transformer, setting, prompt, count, unread, bandwidth, rate);
            }
        }
    }

    private static (InferenceSetting Setting, int? Prompt, int Count) Parse(string name)
    {
        var parts = name.Split('@', 2);
        if (parts.Length == 1) return (InferenceSetting.Parse(name), null, 1);
        int[] numbers = [.. parts[1].Split('x').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        return (InferenceSetting.Parse(parts[0]), numbers[0], numbers.Length > 1 ? numbers[1] : 1);
    }

    private static void Measure(
        Transformer transformer, InferenceSetting setting, int prompt, int count, long unread, double bandwidth, double rate)
    {
        var c = transformer.Config;
        var prefill = Prefill(transformer, setting, prompt, count > 1 || prompt >= LongPrompt ? 1 : Runs);
        var (token, host, read, bytes) = Decode(transformer, setting, prompt, count);
        // Attention: two products of D for each query head and each earlier token.
        var linear = (double)c.LayerCount * c.HiddenSize
            * (2L * c.QueryHeads * c.HeadDim + 2L * c.KvHeads * c.HeadDim + 3L * c.FeedForwardSize);
        var operations = 2 * linear * prompt + 2.0 * c.LayerCount * c.QueryHeads * c.HeadDim * prompt * (double)prompt;
        var (prefillFloor, tokenFloor) = (operations / rate, (bytes - unread) / bandwidth);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setting.Name,-26}{(count > 1 ? $"{prompt}x{count}" : $"{prompt}"),9}{prefill,11:F3}{prefillFloor,8:F3}{prefillFloor / prefill,7:P0}{token * 1e3,10:F3}{tokenFloor * 1e3,8:F3}{tokenFloor / token,7:P0}{count / token,10:F0}{host * 1e3,9:F2}{read * 1e3,11:F2}{(bytes - unread) / 1e9,9:F2}"));
    }

    // Seconds, the best of some.
    private static double Prefill(Transformer transformer, InferenceSetting setting, int prompt, int runs)
    {
        var (ids, chunk, best) = (Ids(transformer, 0, prompt), Math.Min(setting.Chunk ?? prompt, prompt), double.MaxValue);
        for (var run = 0; run < runs; run++)
        {
            using var sequence = new Sequence(transformer, setting, prompt + DecodeTokens, chunk);
            transformer.Backend.Synchronize();
            var clock = Stopwatch.GetTimestamp();
            sequence.Prefill(ids, chunk, prefixes: null, default);
            transformer.Backend.Synchronize();
            best = Math.Min(best, Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }
        return best;
    }

    // Medians of steps, in seconds: until logits are there, until all is launched, and for logits to come to the host. And the bytes that
    // are in memory for them.
    private static (double Step, double Host, double Read, long Bytes) Decode(
        Transformer transformer, InferenceSetting setting, int prompt, int count)
    {
        var (backend, capacity, vocabulary) = (transformer.Backend, prompt + DecodeTokens, transformer.Config.VocabularySize);
        KvCache[] caches =
            [.. Enumerable.Range(0, count).Select(i => BatchBenchmark.Filled(transformer, setting, prompt, capacity, seed: i))];
        var (steps, hosts, reads, values) = (new List<double>(), new List<double>(), new List<double>(), new float[count * vocabulary]);
        using (var workspace = backend.CreateWorkspace(new(count, capacity, transformer.Geometry(capacity), setting.Attention, count)))
        using (var activations = new TransformerActivations(backend, transformer.Config, count))
        {
            var logits = backend.Alloc(DType.F32, count, vocabulary);
            for (var i = 0; i < DecodeTokens; i++)
            {
                int[] positions = [.. Enumerable.Repeat(prompt + i, count)];
                backend.Synchronize();
                var clock = Stopwatch.GetTimestamp();
                var step = backend.Begin(workspace, Ids(transformer, i, count), positions, caches);
                transformer.Head.Apply(transformer.Forward(step, activations), logits);
                hosts.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
                backend.Synchronize();
                steps.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
                backend.Read(logits, values);
                reads.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds - steps[^1]);
            }
            logits.Buffer.Dispose();
        }
        var bytes = backend.Memory.Live.Weights + backend.Memory.Live.KvCache;
        foreach (var cache in caches) cache.Dispose();
        return (Median(steps), Median(hosts), Median(reads), bytes);
    }

    private static int[] Ids(Transformer transformer, int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => (i * 7919 + 13) % transformer.Config.VocabularySize)];

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

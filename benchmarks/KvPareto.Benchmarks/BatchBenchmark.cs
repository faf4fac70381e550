using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Benchmarks;

/// <summary>
/// Tokens a second of several sequences that decode together on the processor, each after a prompt of its own. Beside them the two floors
/// of a step: weights once and all caches over the read rate, and two operations a weight and row, with attention's, over the rate of the
/// dense product.
/// </summary>
internal static class BatchBenchmark
{
    private const int Chunk = 256;
    private const int Steps = 24; // of each number of sequences

    private static readonly int[] Counts = [1, 2, 4, 8, 16];

    private static readonly string[] DefaultSettings = ["w16a16-k16v16", "w4g64a16-k4v4-t64"];

    public static void Run(string model, int[] depths, string[] names)
    {
        var floors = MachineFloors.Measure();
        floors.Print();
        Console.WriteLine(
            $"{"setting",-26}{"depth",7}{"rows",6}{"ms",9}{"tokens/s",10}{"of one",8}{"of read",9}{"of product",12}   best quarter "
                + "of steps");
        foreach (var name in names.Length > 0 ? names : DefaultSettings)
        {
            var setting = InferenceSetting.Parse(name);
            using var backend = new CpuBackend();
            using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
            using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
            var transformer = new Transformer(backend, checkpoint.Config, weights);
            foreach (var depth in depths) Measure(transformer, setting, depth, floors);
        }
    }

    private static void Measure(Transformer transformer, InferenceSetting setting, int depth, MachineFloors floors)
    {
        var (backend, config) = (transformer.Backend, transformer.Config);
        var capacity = depth + Steps * Counts.Length;
        var caches = Enumerable.Range(0, Counts[^1]).Select(i => Filled(transformer, setting, depth, capacity, seed: i)).ToArray();
        using var workspace = backend.CreateWorkspace(
            new(Counts[^1], capacity, transformer.Geometry(capacity), setting.Attention, MaxSequences: Counts[^1]));
        using var activations = new TransformerActivations(backend, config, Counts[^1]);
        var logits = backend.Alloc(DType.F32, Counts[^1], config.VocabularySize);
        var (host, best) = (new float[Counts[^1] * config.VocabularySize], new int[Counts[^1]]);
        var one = 0.0;
        foreach (var count in Counts)
        {
            var times = new double[Steps];
            for (var i = 0; i < Steps; i++)
            {
                var clock = Stopwatch.GetTimestamp();
                int[] positions = [.. caches.Take(count).Select(cache => cache.Length)];
                var step = backend.Begin(workspace, best.AsSpan(0, count), positions, caches.AsSpan(0, count));
                transformer.Head.Apply(transformer.Forward(step, activations), logits.Rows(0, count));
                backend.Read(logits.Rows(0, count), host);
                for (var row = 0; row < count; row++)
                    best[row] = TensorPrimitives.IndexOfMax(host.AsSpan(row * config.VocabularySize, config.VocabularySize));
                times[i] = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            }
            var seconds = times.Order().Take(Steps / 4).Average(); // the machine may be shared
            if (count == 1) one = seconds;
            var bytes = transformer.WeightBytesRead + count * (double)caches[0].ByteCount * depth / capacity;
            var heads = 4.0 * config.LayerCount * config.QueryHeads * config.HeadDim * depth;
            var operations = count * (2.0 * Parameters(config) + heads);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{setting.Name,-26}{depth,7}{count,6}{1e3 * seconds,9:F2}{count / seconds,10:F1}{count * one / seconds,8:F2}{bytes / seconds / floors.ReadBytesPerSecond,9:P0}{operations / seconds / floors.DenseFlops,12:P0}"));
        }
        logits.Buffer.Dispose();
        foreach (var cache in caches) cache.Dispose();
    }

    /// <summary>A cache with a made-up prompt of so many tokens.</summary>
    public static KvCache Filled(Transformer transformer, InferenceSetting setting, int depth, int capacity, int seed)
    {
        var (backend, geometry) = (transformer.Backend, transformer.Geometry(capacity));
        var cache = backend.CreateCache(geometry, setting.Cache, capacity);
        using var workspace = backend.CreateWorkspace(new(Chunk, capacity, geometry, setting.Attention));
        using var activations = new TransformerActivations(backend, transformer.Config, Chunk);
        for (var from = 0; from < depth; from += Chunk)
        {
            int[] positions = [.. Enumerable.Range(from, Math.Min(Chunk, depth - from))];
            int[] ids = [.. positions.Select(i => (i * 7919 + 13 + seed * 101) % transformer.Config.VocabularySize)];
            transformer.Forward(backend.Begin(workspace, ids, positions, cache), activations);
        }
        return cache;
    }

    // Of all linear layers, the output head included.
    private static long Parameters(ModelConfig c) =>
        (long)c.HiddenSize * (c.VocabularySize + c.LayerCount * (2L * (c.QueryHeads + c.KvHeads) * c.HeadDim + 3L * c.FeedForwardSize));
}

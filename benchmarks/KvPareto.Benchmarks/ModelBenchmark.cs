using System.Diagnostics;
using System.Globalization;
using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Benchmarks;

/// <summary>Prefill and decode of a whole model in tokens a second, beside the two floors: bytes over bandwidth and operations over
/// rate.</summary>
internal static class ModelBenchmark
{
    private const int PrefillTokens = 512;
    private const int PrefillRuns = 5;
    private const int DecodeTokens = 48;
    private const int Depth = 4096;

    private static readonly string[] DefaultSettings =
    [
        "w16a16-k16v16-c256", "w4g64a16-k16v16-c256", "w16a16-k8v8-t64-c256", "w16a16-k4v4-t64-c256", "w16a16-k2v2-t64-c256",
            "w4g64a16-k4v4-t64-c256",
    ];

    public static void Run(string model, string[] names)
    {
        var floors = MachineFloors.Measure();
        floors.Print();
        Console.WriteLine(
            $"{"setting",-26}{"prefill 512",12}{"of product",12}{"decode",10}{"of read",9}{"at 4096",10}{"of read",9}   tokens/s, best "
                + "of several");
        foreach (var name in names.Length > 0 ? names : DefaultSettings) Measure(model, InferenceSetting.Parse(name), floors);
    }

    private static void Measure(string model, InferenceSetting setting, MachineFloors floors)
    {
        using var backend = new CpuBackend();
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var prefill = Enumerable.Range(0, PrefillRuns).Min(_ => Prefill(transformer, setting));
        var (shallow, shallowBytes) = Decode(transformer, setting, 1);
        var (deep, deepBytes) = Decode(transformer, setting, Depth);
        // Two operations a weight; attention's share at 512 tokens is below a tenth and is not counted.
        var flops = 2.0 * LinearParameters(checkpoint.Config) * PrefillTokens;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setting.Name,-26}{PrefillTokens / prefill,12:F0}{flops / prefill / floors.DenseFlops,12:P0}{1 / shallow,10:F1}{shallowBytes / shallow / floors.ReadBytesPerSecond,9:P0}{1 / deep,10:F1}{deepBytes / deep / floors.ReadBytesPerSecond,9:P0}"));
    }

    private static double Prefill(Transformer transformer, InferenceSetting setting)
    {
        var ids = Ids(PrefillTokens, transformer.Config.VocabularySize);
        var chunk = setting.Chunk ?? PrefillTokens;
        var clock = Stopwatch.GetTimestamp();
        using var sequence = new Sequence(transformer, setting, PrefillTokens, chunk);
        for (var from = 0; from < ids.Length; from += chunk) sequence.Feed(ids.AsSpan(from, Math.Min(chunk, ids.Length - from)));
        return Stopwatch.GetElapsedTime(clock).TotalSeconds;
    }

    // Seconds a token, and the bytes that one token reads: all weights and the cache so far.
    private static (double Seconds, double Bytes) Decode(Transformer transformer, InferenceSetting setting, int depth)
    {
        var backend = transformer.Backend;
        var ids = Ids(depth, transformer.Config.VocabularySize);
        using var sequence = new Sequence(transformer, setting, depth + DecodeTokens, Math.Min(depth, 256));
        for (var from = 0; from < depth; from += 256) sequence.Feed(ids.AsSpan(from, Math.Min(256, depth - from)));
        sequence.Resize(1);
        var logits = backend.Alloc(DType.F32, 1, transformer.Config.VocabularySize);
        var times = new List<double>();
        for (var i = 0; i < DecodeTokens; i++)
        {
            var clock = Stopwatch.GetTimestamp();
            transformer.Head.Apply(sequence.Feed([i + 100]), logits);
            times.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }
        var live = backend.Memory.Live;
        logits.Buffer.Dispose();
        // The best quarter: the machine may be shared.
        return (times.Order().Take(DecodeTokens / 4).Average(), live.Weights + live.KvCache);
    }

    private static long LinearParameters(ModelConfig c) =>
        (long)c.LayerCount * c.HiddenSize * (2L * c.QueryHeads * c.HeadDim + 2L * c.KvHeads * c.HeadDim + 3L * c.FeedForwardSize);

    private static int[] Ids(int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(i => (i * 7919 + 13) % vocabulary)];
}

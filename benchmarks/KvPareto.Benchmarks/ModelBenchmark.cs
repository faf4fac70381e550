using System.Diagnostics;
using System.Globalization;
using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Benchmarks;

/// <summary>
/// Prefill and decode of a whole model in tokens a second, beside the two floors: bytes over bandwidth and operations over rate. Reading is
/// measured in turns with the tokens: on a machine that others use both change from second to second.
/// </summary>
internal static class ModelBenchmark
{
    private const int PrefillTokens = 512;
    private const int PrefillRuns = 5;
    private const int DecodeTokens = 48;
    private const int TurnTokens = 6;
    private const int TurnSlices = 12;
    private const int ShallowSequences = 12;
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
                + "quarter");
        foreach (var name in names.Length > 0 ? names : DefaultSettings) Measure(model, InferenceSetting.Parse(name), floors);
    }

    private static void Measure(string model, InferenceSetting setting, MachineFloors floors)
    {
        using var backend = new CpuBackend();
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var prefill = Enumerable.Range(0, PrefillRuns).Min(_ => Prefill(transformer, setting));
        var (shallow, shallowShare) = Decode(transformer, setting, 1, ShallowSequences);
        var (deep, deepShare) = Decode(transformer, setting, Depth, 1);
        // Two operations a weight; attention's share at 512 tokens is below a tenth and is not counted.
        var flops = 2.0 * LinearParameters(checkpoint.Config) * PrefillTokens;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setting.Name,-26}{PrefillTokens / prefill,12:F0}{flops / prefill / floors.DenseFlops,12:P0}{shallow,10:F1}{shallowShare,9:P0}{deep,10:F1}{deepShare,9:P0}"));
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

    // Tokens a second, and the share of the rate of reading that they have: a token reads all weights and the cache so far.
    private static (double Tokens, double ReadShare) Decode(Transformer transformer, InferenceSetting setting, int depth, int sequences)
    {
        var backend = transformer.Backend;
        var ids = Ids(depth, transformer.Config.VocabularySize);
        using var reader = new CpuRates.Reader(backend.Workers);
        var logits = backend.Alloc(DType.F32, 1, transformer.Config.VocabularySize);
        var (tokens, slices, bytes) = (new List<double>(), new List<double>(), 0L);
        for (; sequences > 0; sequences--)
        {
            using var sequence = new Sequence(transformer, setting, depth + DecodeTokens, Math.Min(depth, 256));
            for (var from = 0; from < depth; from += 256) sequence.Feed(ids.AsSpan(from, Math.Min(256, depth - from)));
            sequence.Resize(1);
            for (var i = 0; i < DecodeTokens; i++)
            {
                tokens.Add(Seconds(() => transformer.Head.Apply(sequence.Feed([i + 100]), logits)));
                for (var j = 0; i % TurnTokens == 0 && j < TurnSlices; j++) slices.Add(Seconds(reader.ReadSlice));
            }
            bytes = backend.Memory.Live.Weights + backend.Memory.Live.KvCache;
        }
        logits.Buffer.Dispose();
        var token = BestQuarter(tokens);
        return (1 / token, bytes / token / (CpuRates.Reader.SliceBytes / BestQuarter(slices)));
    }

    private static double Seconds(Action action)
    {
        var clock = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(clock).TotalSeconds;
    }

    private static double BestQuarter(List<double> times) => times.Order().Take(times.Count / 4).Average();

    private static long LinearParameters(ModelConfig c) =>
        (long)c.LayerCount * c.HiddenSize * (2L * c.QueryHeads * c.HeadDim + 2L * c.KvHeads * c.HeadDim + 3L * c.FeedForwardSize);

    private static int[] Ids(int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(i => (i * 7919 + 13) % vocabulary)];
}

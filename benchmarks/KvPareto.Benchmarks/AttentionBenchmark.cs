using System.Globalization;
using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Speed;
using KvPareto.Engine.Settings;

namespace KvPareto.Benchmarks;

/// <summary>
/// One token's attention over a deep cache, all layers of SmolLM2-135M (30 layers, 9 query and 3 key heads of 64), beside its two
/// floors: the cache's bytes over bandwidth, and four operations an element and query head over the arithmetic peak.
/// </summary>
internal static class AttentionBenchmark
{
    private const int Layers = 30;
    private const int Chunk = 256;
    private const int Room = 8192; // for the measured steps' own tokens

    private static readonly string[] DefaultSettings =
    [
        "w16a16-k32v32", "w16a16-k16v16", "w16a16-k8v8-t64", "w16a16-k4v4-t64", "w16a16-k4v4-kch64-vt64", "w16a16-k4v4-b16",
            "w16a16-k2v2-t32",
    ];

    public static void Run(int depth, string[] names)
    {
        var floors = MachineFloors.Measure();
        floors.Print();
        Console.WriteLine(
            $"{"setting",-30}{"cache MB",10}{"bytes ms",10}{"ops ms",10}{"best ms",10}{"median ms",11}   {depth} tokens, one step, all "
                + "layers");
        foreach (var name in names.Length > 0 ? names : DefaultSettings) Measure(InferenceSetting.Parse(name), depth, floors);
    }

    private static void Measure(InferenceSetting setting, int depth, MachineFloors floors)
    {
        var geometry = new KvGeometry(9, 3, 64, [.. new int[Layers]]);
        using var backend = new CpuBackend();
        using var cache = backend.CreateCache(geometry, setting.Cache, depth + Room);
        var (q, k, v, y) = (Random(backend, 9 * 64, 1), Random(backend, 3 * 64, 2), Random(backend, 3 * 64, 3), Random(backend, 9 * 64, 4));
        using (var prefill = backend.CreateWorkspace(new(Chunk, depth + Room, geometry, AttentionKernel.Flash)))
        {
            for (var from = 0; from < depth; from += Chunk) Step(backend, prefill, cache, from, Math.Min(Chunk, depth - from), q, k, v, y);
        }
        using var decode = backend.CreateWorkspace(new(1, depth + Room, geometry, AttentionKernel.Flash));
        var timing = Timing.Of(() => Step(backend, decode, cache, cache.Length, 1, q, k, v, y), 1);
        var bytes = cache.ByteCount * (double)depth / (depth + Room);
        var operations = 4.0 * Layers * geometry.QueryHeads * geometry.HeadDim * depth;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{setting.Name,-30}{bytes / 1e6,10:F1}{1e3 * bytes / floors.ReadBytesPerSecond,10:F2}{1e3 * operations / floors.PeakFlops,10:F2}{1e3 * timing.Best,10:F2}{1e3 * timing.Median,11:F2}"));
        foreach (var tensor in new[] { q, k, v, y }) tensor.Buffer.Dispose();
    }

    private static void Step(
        CpuBackend backend, Workspace workspace, KvCache cache, int start, int count, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        int[] positions = [.. Enumerable.Range(start, count)];
        var step = backend.Begin(workspace, new int[count], positions, cache);
        for (var layer = 0; layer < Layers; layer++)
            backend.Attention(step, layer, q.Rows(0, count), k.Rows(0, count), v.Rows(0, count), y.Rows(0, count));
    }

    private static Tensor Random(CpuBackend backend, int columns, int seed)
    {
        var random = new Random(seed);
        var tensor = backend.Alloc(DType.F32, Chunk, columns);
        float[] values = [.. Enumerable.Range(0, Chunk * columns).Select(_ => (float)(random.NextDouble() * 2 - 1))];
        backend.Write(values, tensor);
        return tensor;
    }
}

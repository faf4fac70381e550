using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Cpu.Tests.Storage;

public sealed unsafe class CpuKvCacheTests
{
    private const int Heads = 2;
    private const int HeadDim = 32;
    private const int Width = Heads * HeadDim;
    private const int Layers = 3;
    private const double LeastShare = 0.05; // of the bound: codes that err less were never coded

    private static readonly int[] Chunks = [40, 1, 1, 60, 3, 1];
    private static readonly RopeTable Rope = new([.. Enumerable.Range(0, HeadDim / 2).Select(i => MathF.Pow(10000, -2f * i / HeadDim))]);

    [Theory]
    [InlineData("")]
    [InlineData("-smooth")]
    [InlineData("-prebias")]
    [InlineData("-rotk")]
    [InlineData("-rotkv")]
    [InlineData("-clip77")]
    [InlineData("-sink5")]
    [InlineData("-recent19")]
    [InlineData("-edge1")]
    [InlineData("-smooth-prebias-rotkv-clip90-sink5-recent19-edge1")]
    public void Unpack_IsWithinTheSchemesOwnSteps(string scheme)
    {
        var seed = 1;
        foreach (var granularity in (string[])["t8", "t32", "ch16", "ch32", "b16", "tensor", "pow2"])
            foreach (var bits in (string[])["k8v2", "k2v4", "k4v8", "k16v32"]) Check($"{bits}-{granularity}{scheme}", seed++);
    }

    private static void Check(string name, int seed)
    {
        var geometry = new KvGeometry(Heads, Heads, HeadDim, [0, 0, 0])
        {
            KeyBias = new RotaryBias([.. Enumerable.Range(0, Layers).Select(layer => StoredHeads.Rows(1, Width, seed: 900 + layer)[0])], Rope),
        };
        var spec = InferenceSetting.Parse("w16a16-" + name).Cache;
        var tokens = Chunks.Sum();
        var (keys, values) = (StoredHeads.Rows(tokens, Width, 2 * seed), StoredHeads.Rows(tokens, Width, 2 * seed + 1));
        for (var t = 0; t < tokens; t++) Add(keys[t], Turned(geometry.KeyBias.Layers[0], t), 1);
        using var backend = new CpuBackend(workers: 1);
        using var cache = Filled(backend, geometry, spec, keys, values);
        for (var layer = 0; layer < 2; layer++)
        {
            var (readKeys, readValues) = (new float[tokens * Width], new float[tokens * Width]);
            cache.Unpack(layer, readKeys, readValues);
            var own = spec.ForLayer(layer, Layers);
            var stored = Transformed(own, geometry.KeyBias.Layers[layer], keys);
            var turned = own.Rotation == KvRotation.KeysAndValues ? Array.ConvertAll(values, Rotated) : values;
            AssertWithin(
                new(stored, Chunks, own.Keys.Bits, own.Keys.Granularity, own, HeadDim), keys, readKeys, own.Rotation != KvRotation.None,
                    $"{name}, keys of layer {layer}");
            AssertWithin(
                new(turned, Chunks, own.Values.Bits, own.Values.Granularity, own, HeadDim), values, readValues,
                    own.Rotation == KvRotation.KeysAndValues, $"{name}, values of layer {layer}");
        }
    }

    // Element by element; of rotated ones the norm of a head's errors, which a rotation keeps.
    private static void AssertWithin(SchemeBound bound, float[][] rows, float[] read, bool isRotated, string what)
    {
        double error = 0, allowed = 0;
        for (var t = 0; t < rows.Length; t++)
            for (var head = 0; head < Width; head += HeadDim)
            {
                var errors = Enumerable.Range(head, HeadDim).Select(c => Math.Abs((double)read[t * Width + c] - rows[t][c])).ToArray();
                var bounds = Enumerable.Range(head, HeadDim).Select(c => bound.Of(t, c) + RoundingOf(rows[t], c, isRotated)).ToArray();
                if (bound.IsCoded(t)) (error, allowed) = (error + errors.Sum(), allowed + bounds.Sum());
                var isWithin = isRotated ? Norm(errors) <= Norm(bounds) : errors.Zip(bounds, (e, b) => e <= b).All(isLess => isLess);
                if (!isWithin) Assert.Fail($"{what}: token {t}, channels from {head}: {string.Join(' ', errors.Zip(bounds))}");
            }
        Assert.True(error >= LeastShare * allowed, $"{what}: errors of {error} in all where {allowed} are allowed");
    }

    // What f32 makes of mean, bias and turning there and back; nothing of it where elements are only stored.
    private static double RoundingOf(float[] row, int channel, bool isRotated) =>
        2e-6 * (isRotated ? Norm([.. row.Select(x => (double)x)]) : 1 + Math.Abs(row[channel]));

    private static KvCache Filled(CpuBackend backend, KvGeometry geometry, KvSpec spec, float[][] keys, float[][] values)
    {
        var cache = backend.CreateCache(geometry, spec, keys.Length + 2);
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(Chunks.Max(), cache.Capacity, geometry, AttentionKernel.Flash));
        foreach (var count in Chunks)
        {
            var start = cache.Length;
            var step = backend.Begin(workspace, new int[count], [.. Enumerable.Range(start, count)], cache);
            for (var layer = 0; layer < Layers; layer++)
            {
                var (q, k, v, y) =
                    (Upload(backend, keys, start, count), Upload(backend, keys, start, count), Upload(backend, values, start, count),
                    backend.Alloc(DType.F32, count, Width));
                backend.Attention(step, layer, q, k, v, y);
                foreach (var tensor in (Tensor[])[q, k, v, y]) tensor.Buffer.Dispose();
            }
        }
        return cache;
    }

    private static Tensor Upload(CpuBackend backend, float[][] rows, int start, int count)
    {
        var tensor = backend.Alloc(DType.F32, count, Width);
        backend.Write(rows.Skip(start).Take(count).SelectMany(row => row).ToArray(), tensor);
        return tensor;
    }

    // Keys as they are coded: without bias, then without the first append's mean, then turned.
    private static float[][] Transformed(KvSpec spec, float[] bias, float[][] keys)
    {
        var rows = Array.ConvertAll(keys, row => (float[])row.Clone());
        for (var t = 0; spec.PreBiasKeys && t < rows.Length; t++) Add(rows[t], Turned(bias, t), -1);
        if (spec.SmoothKeys)
        {
            float[] mean = [.. Enumerable.Range(0, Width).Select(c => (float)(Half)rows.Take(Chunks[0]).Average(row => row[c]))];
            foreach (var row in rows) Add(row, mean, -1);
        }
        return spec.Rotation == KvRotation.None ? rows : Array.ConvertAll(rows, Rotated);
    }

    private static float[] Turned(float[] bias, int position) => [.. Enumerable.Range(0, Width).Select(c =>
    {
        var (head, i) = (c / HeadDim * HeadDim, c % (HeadDim / 2));
        var (sin, cos) = Math.SinCos(position * (double)Rope.InverseFrequencies[i]);
        var (a, b) = (bias[head + i], bias[head + i + HeadDim / 2]);
        return (float)(c % HeadDim < HeadDim / 2 ? a * cos - b * sin : b * cos + a * sin);
    })];

    private static float[] Rotated(float[] row)
    {
        var turned = (float[])row.Clone();
        fixed (float* p = turned) Hadamard.Transform(p, Heads, HeadDim);
        return turned;
    }

    private static void Add(float[] row, float[] other, float factor)
    {
        for (var c = 0; c < row.Length; c++) row[c] += factor * other[c];
    }

    private static double Norm(double[] row) => Math.Sqrt(row.Sum(x => x * x));
}

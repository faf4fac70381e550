using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>Attention and caches.</summary>
public abstract partial class BackendConformance
{
    [Theory]
    [InlineData("k32v32", 0.03125f)]
    [InlineData("k4v4-t32", 0.5f)]
    [InlineData("k16v16-math", 0.015625f)]
    [InlineData("k16v16", 0.25f, 64)]
    [InlineData("k4v4-t64", 0.03125f, 128)]
    public void Attention_TakesTheModelsOwnFactor(string name, float multiplier, int headDim = 32)
    {
        var setting = InferenceSetting.Parse("w16a16-" + name);
        CheckAttention(
            new KvGeometry(4, 2, headDim, [0]) { AttentionMultiplier = multiplier }, setting.Cache, [30, 1, 1], setting.Attention);
    }

    /// <summary>Short names of settings, heads, window and step lengths: every bit width, granularity, head width, head ratio and
    /// kernel.</summary>
    public static TheoryData<string> AttentionCases()
    {
        var cases = new TheoryData<string>();
        foreach (var bits in new[] { "k32v32", "k16v16", "k8v8-t16", "k4v4-t16", "k2v2-t16", "k8v2-t16", "k2v16-t16", "k16v4-t16" })
        {
            foreach (var shape in new[] { "9/3x64", "4/4x32", "7/1x128", "6/2x16", "5/1x96", "2/1x80" })
            {
                cases.Add($"{bits} {shape} 48 1,7,90,1,30,1");
            }
        }
        foreach (var granularity in new[] { "t32", "t64", "ch32", "ch64", "b16", "b64", "tensor", "pow2", "kch32-vt64", "kt64-vb16",
            "ktensor-vch16", "kpow2-vt32" })
        {
            foreach (var bits in new[] { "k8v8", "k4v2", "k2v4" })
            {
                cases.Add($"{bits}-{granularity} 6/2x64 0 70,1,1,40,1");
                cases.Add($"{bits}-{granularity}-smooth-rotk-sink4 3/1x64 48 7,90,1,1,30,1");
                cases.Add($"{bits}-{granularity}-rotkv-recent20 3/1x64 0 30,1,1,70,1");
                cases.Add($"{bits}-{granularity}-prebias-clip90-sink20-recent33-edge1 2/1x64 0 10,40,1,1,50,1");
            }
        }
        foreach (var name in new[] { "k16v16", "k4v4-t32", "k4v2-kch32-vt32-smooth-prebias-rotkv-sink3-recent7" })
            cases.Add($"{name}-math 6/2x32 48 7,150,1");
        foreach (var name in new[] { "k4v4-t48", "k8v8-t24", "k2v2-t48" }) cases.Add($"{name} 5/1x96 48 1,7,90,1,30,1");
        cases.Add("k16v16 9/3x64 300 520,1,1");
        foreach (var name in new[] { "k16v16", "k4v4-t64-rotkv", "k8v2-kch32-vt64-prebias-sink5-recent40" })
            cases.Add($"{name} 4/1x64 900 1100,30,700,1,1");
        cases.Add("k4v4-t64-smooth 9/3x64 300 520,1,1");
        foreach (var name in new[] { "k16v16", "k4v4-t64", "k2v2-t32-rotkv", "k8v4-t128", "k4v8-kch64-vt64-smooth-rotk",
            "k2v4-b32-sink4-recent30", "k4v16-kpow2-vt32" })
        {
            cases.Add($"{name} 8/2x128 300 400,1,5,1");
            cases.Add($"{name} 7/1x128 0 130,250,1,1");
        }
        return TestPart.Of(cases);
    }

    [Theory]
    [MemberData(nameof(AttentionCases))]
    public void Attention_MatchesReference(string name)
    {
        var parts = name.Split(' ');
        var heads = parts[1].Split('/', 'x').Select(int.Parse).ToArray();
        var setting = InferenceSetting.Parse("w16a16-" + parts[0]);
        var (layers, width) = (3, heads[1] * heads[2]);
        var rope = new RopeTable([.. Enumerable.Range(0, heads[2] / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / heads[2]))]);
        var geometry = new KvGeometry(heads[0], heads[1], heads[2], [0, int.Parse(parts[2]), 0])
        {
            KeyBias = new RotaryBias(
                [.. Enumerable.Range(0, layers).Select(layer => Values(900 + layer, width).Select(x => 5 * x).ToArray())], rope),
        };
        CheckAttention(geometry, setting.Cache, [.. parts[3].Split(',').Select(int.Parse)], setting.Attention);
    }

    [Fact]
    public void Attention_BatchedDecodeEqualsSingle()
    {
        using var backend = Create();
        var geometry = new KvGeometry(6, 2, 64, [0]);
        var spec = new KvSpec { Keys = new(4), Values = new(4) };
        int[] lengths = [3, 300, 17];
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(300, 400, geometry, AttentionKernel.Flash, MaxSequences: 3));
        var (q, k, v) = (Values(21, 3 * 384), Values(22, 3 * 128), Values(23, 3 * 128));
        float[] Decode(bool together)
        {
            var caches = lengths.Select(_ => backend.CreateCache(geometry, spec, 400)).ToArray();
            for (var i = 0; i < 3; i++)
            {
                var step = backend.Begin(workspace, new int[lengths[i]], Positions(0, lengths[i]), caches[i]);
                RunAttention(
                    backend, step, 0, Values(30 + i, lengths[i] * 384), Values(40 + i, lengths[i] * 128), Values(50 + i, lengths[i] * 128));
            }
            var result = together
                ? RunAttention(backend, backend.Begin(workspace, new int[3], lengths, caches), 0, q, k, v)
                : Enumerable.Range(0, 3).SelectMany(i => RunAttention(
                    backend, backend.Begin(workspace, new int[1], [lengths[i]], caches[i]), 0, q[(i * 384)..((i + 1) * 384)],
                        k[(i * 128)..((i + 1) * 128)], v[(i * 128)..((i + 1) * 128)])).ToArray();
            foreach (var cache in caches) cache.Dispose();
            return result;
        }
        Assert.Equal(Decode(together: false), Decode(together: true));
    }

    [Fact]
    public void Cache_ResetForgetsEverything()
    {
        using var backend = Create();
        var geometry = new KvGeometry(3, 1, 64, [0]);
        var spec = new KvSpec { Keys = new(2), Values = new(4), SmoothKeys = true };
        using var run = new Run(backend, geometry, spec, 40, 40);
        float[] First(int seed) =>
            RunAttention(backend, run.Begin(new int[40]), 0, Values(seed, 40 * 192), Values(seed + 1, 40 * 64), Values(seed + 2, 40 * 64));
        var fresh = First(60);
        run.Cache.Reset();
        First(70);
        run.Cache.Reset();
        Assert.Equal(fresh, First(60));
    }

    [Fact]
    public void Memory_CountsEveryByteAndGivesItBack()
    {
        using var backend = Create();
        var before = backend.Memory.Live;
        var geometry = new KvGeometry(9, 3, 64, [.. Enumerable.Repeat(0, 30)]);
        using (var cache = backend.CreateCache(geometry, new KvSpec { Keys = new(4), Values = new(4) }, 1600))
        {
            // 4-bit codes and one f16 scale with one 16-bit zero point for each group of 64.
            Assert.Equal(30L * 2 * 1600 * 3 * (32 + 4), cache.ByteCount);
            Assert.Equal(before.KvCache + cache.ByteCount, backend.Memory.Live.KvCache);
            var tensor = backend.Alloc(DType.F32, 7, 13);
            Assert.Equal(before.Activations + 7 * 13 * 4, backend.Memory.Live.Activations);
            tensor.Buffer.Dispose();
        }
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void Cache_RefusesMoreThanItHolds()
    {
        using var backend = Create();
        using var run =
            new Run(backend, new KvGeometry(1, 1, 32, [0]),
            new KvSpec { Keys = new(8, new(KvAxis.Token, 32)), Values = new(8, new(KvAxis.Token, 32)) }, 8, 8);
        run.Begin(new int[8]);
        Assert.Throws<CapacityException>(() => run.Begin(new int[1]));
    }

    /// <summary>Steps of all layers, and then what the cache reads back, against <see cref="ReferenceAttention"/>.</summary>
    protected virtual void CheckAttention(KvGeometry geometry, KvSpec spec, int[] steps, AttentionKernel kernel)
    {
        foreach (var type in AttentionTypes) CheckAttention(geometry, spec, steps, kernel, type);
    }

    private void CheckAttention(KvGeometry geometry, KvSpec spec, int[] steps, AttentionKernel kernel, DType type)
    {
        using var backend = Create();
        using var run = new Run(backend, geometry, spec, steps.Max(), steps.Sum(), kernel);
        var references = geometry.LayerWindows.Select((_, layer) => new ReferenceAttention(geometry, spec, layer)).ToArray();
        var seed = FirstSeed;
        var movesCodes = spec.Rotation != KvRotation.None || spec.PreBiasKeys;
        var (tolerance, cacheTolerance) = movesCodes ? (CodeEdgeTolerance, CodeEdgeTolerance) : (AttentionTolerance, 5 * OpTolerance);
        if (type != DType.F32) tolerance = Math.Max(tolerance, Bf16Tolerance);
        foreach (var tokens in steps)
        {
            var (step, call) = (run.Begin(new int[tokens]), new AttentionCall(backend, geometry, tokens, type));
            for (var layer = 0; layer < geometry.LayerCount; layer++)
            {
                var (q, k, v) = Inputs(geometry, tokens, ref seed, type);
                AssertClose(references[layer].Run(q, k, v), call.Run(step, layer, q, k, v), tolerance);
            }
        }
        for (var layer = 0; layer < geometry.LayerCount; layer++)
        {
            var (keys, values) = Unpacked(run.Cache, geometry, layer);
            AssertClose(references[layer].Keys, keys, cacheTolerance);
            AssertClose(references[layer].Values, values, cacheTolerance);
        }
    }

    /// <summary>The same steps on two backends, bit for bit.</summary>
    protected static void AssertSameAttention(
        Backend first, Backend second, KvGeometry geometry, KvSpec spec, int[] steps, AttentionKernel kernel)
    {
        using var one = new Run(first, geometry, spec, steps.Max(), steps.Sum(), kernel);
        using var other = new Run(second, geometry, spec, steps.Max(), steps.Sum(), kernel);
        var seed = FirstSeed;
        foreach (var tokens in steps)
        {
            var (step, otherStep) = (one.Begin(new int[tokens]), other.Begin(new int[tokens]));
            var (call, otherCall) = (new AttentionCall(first, geometry, tokens), new AttentionCall(second, geometry, tokens));
            for (var layer = 0; layer < geometry.LayerCount; layer++)
            {
                var (q, k, v) = Inputs(geometry, tokens, ref seed);
                Assert.Equal(call.Run(step, layer, q, k, v), otherCall.Run(otherStep, layer, q, k, v));
            }
        }
        for (var layer = 0; layer < geometry.LayerCount; layer++)
        {
            var (expected, unpacked) = (Unpacked(one.Cache, geometry, layer), Unpacked(other.Cache, geometry, layer));
            Assert.Equal(expected.Keys, unpacked.Keys);
            Assert.Equal(expected.Values, unpacked.Values);
        }
    }

    // Queries [T, Nq·D], keys and values [T, Nkv·D] of one layer's step.
    private static (float[] Q, float[] K, float[] V) Inputs(KvGeometry geometry, int tokens, ref int seed, DType type = DType.F32)
    {
        var (queryWidth, keyWidth) = (geometry.QueryHeads * geometry.HeadDim, geometry.KvHeads * geometry.HeadDim);
        return (Rounded(Values(seed++, tokens * queryWidth), type), Rounded(Keys(seed++, tokens, keyWidth), type),
            Rounded(Values(seed++, tokens * keyWidth), type));
    }

    private static (float[] Keys, float[] Values) Unpacked(KvCache cache, KvGeometry geometry, int layer)
    {
        var count = cache.Length * geometry.KvHeads * geometry.HeadDim;
        var (keys, values) = (new float[count], new float[count]);
        cache.Unpack(layer, keys, values);
        return (keys, values);
    }

    private static float[] RunAttention(Backend backend, Step step, int layer, float[] q, float[] k, float[] v) =>
        new AttentionCall(backend, step.Count, q.Length / step.Count, k.Length / step.Count).Run(step, layer, q, k, v);

    // The tensors of attention over some tokens, for one layer after the other.
    private sealed class AttentionCall(Backend backend, int tokens, int queryWidth, int keyWidth, DType type = DType.F32)
    {
        private readonly Sliced _q = Slice(backend, tokens, queryWidth, type), _k = Slice(backend, tokens, keyWidth, type);
        private readonly Sliced _v = Slice(backend, tokens, keyWidth, type), _y = Slice(backend, tokens, queryWidth, type);

        public AttentionCall(Backend backend, KvGeometry geometry, int tokens, DType type = DType.F32)
            : this(backend, tokens, geometry.QueryHeads * geometry.HeadDim, geometry.KvHeads * geometry.HeadDim, type)
        {
        }

        public float[] Run(Step step, int layer, float[] q, float[] k, float[] v)
        {
            _q.Write(q);
            _k.Write(k);
            _v.Write(v);
            backend.Attention(step, layer, _q.View, _k.View, _v.View, _y.View);
            _y.AssertPoisonUntouched();
            var y = _y.Read();
            _y.Poisoned();
            return y;
        }
    }

    private sealed class Run(
        Backend backend, KvGeometry geometry, KvSpec spec, int maxTokens, int capacity, AttentionKernel kernel = AttentionKernel.Flash)
            : IDisposable
    {
        public KvCache Cache { get; } = backend.CreateCache(geometry, spec, capacity);

        public Workspace Workspace { get; } = backend.CreateWorkspace(new WorkspaceShape(maxTokens, capacity, geometry, kernel));

        public Step Begin(int[] ids) => backend.Begin(Workspace, ids, Positions(Cache.Length, ids.Length), Cache);

        public void Dispose()
        {
            Workspace.Dispose();
            Cache.Dispose();
        }
    }
}

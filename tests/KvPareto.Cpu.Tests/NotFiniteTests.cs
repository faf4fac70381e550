using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Cpu.Tests;

/// <summary>What a cache cannot hold goes on to the logits, by which a trial then fails, whatever its storage.</summary>
public class NotFiniteTests
{
    private const int Tokens = 40;
    private const int HeadDim = 64;

    [Theory]
    [InlineData("k32v32", float.NaN)]
    [InlineData("k16v16", float.NaN)]
    [InlineData("k16v16", float.NegativeInfinity)]
    [InlineData("k16v16", 65520f)]
    [InlineData("k16v16", -65520f)]
    [InlineData("k4v4-t64", float.NaN)]
    [InlineData("k4v4-tensor", float.NegativeInfinity)]
    [InlineData("k8v8-pow2", float.NaN)]
    [InlineData("k8v8-pow2", float.PositiveInfinity)]
    public void Attention_OverWhatIsNotFinite_IsNot(string setting, float odd)
    {
        using var backend = new CpuBackend(2);
        var spec = InferenceSetting.Parse("w16a16-" + setting).Cache;
        var geometry = new KvGeometry(2, 1, HeadDim, [0]);
        foreach (var ofKeys in new[] { true, false })
        {
            using var cache = backend.CreateCache(geometry, spec, Tokens + 1);
            using var other = backend.CreateCache(geometry, spec, Tokens + 1);
            using var third = backend.CreateCache(geometry, spec, Tokens + 1);
            Attend(5, 1, ofKeys, cache);
            Assert.Contains(Attend(Tokens - 5, odd, ofKeys, cache)[^(2 * HeadDim)..], value => !float.IsFinite(value));
            Assert.All(Attend(Tokens, 1, ofKeys, other), value => Assert.True(float.IsFinite(value)));
            if (spec.IsCoded) Assert.All(Attend(Tokens, 70_000, ofKeys, third), value => Assert.True(float.IsFinite(value)));

            // Of two that decode together the one that is sound stays so.
            var rows = Attend(2, 1, ofKeys, other, cache);
            Assert.All(rows[..(2 * HeadDim)], value => Assert.True(float.IsFinite(value)));
            Assert.Contains(rows[(2 * HeadDim)..], value => !float.IsFinite(value));

            cache.Reset();
            foreach (var tokens in new[] { 3, 1, Tokens - 4 })
                Assert.All(Attend(tokens, 1, ofKeys, cache), value => Assert.True(float.IsFinite(value)));
        }

        // The tenth new key's or value's sixth number is an odd one.
        float[] Attend(int tokens, float number, bool ofKeys, params KvCache[] caches)
        {
            using var workspace = backend.CreateWorkspace(new(tokens, Tokens + 1, geometry, AttentionKernel.Flash, caches.Length));
            var (q, k, v) = (Filled(tokens, 2 * HeadDim, 1), Filled(tokens, HeadDim, 2), Filled(tokens, HeadDim, 3));
            var x = new float[tokens * HeadDim];
            backend.Read(ofKeys ? k : v, x);
            x[Math.Min(9, tokens - 1) * HeadDim + 5] = number;
            backend.Write(x, ofKeys ? k : v);
            int[] positions = caches.Length > 1 ? [Tokens, Tokens] : [.. Enumerable.Range(0, tokens)];
            backend.Attention(backend.Begin(workspace, new int[tokens], positions, caches), 0, q, k, v, q);
            var y = new float[tokens * 2 * HeadDim];
            backend.Read(q, y);
            foreach (var tensor in new[] { q, k, v }) tensor.Buffer.Dispose();
            return y;
        }

        Tensor Filled(int rows, int columns, int seed)
        {
            var random = new Random(seed);
            var tensor = backend.Alloc(DType.F32, rows, columns);
            backend.Write([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)], tensor);
            return tensor;
        }
    }
}

using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Tests;

/// <summary>What 16 bits cannot hold goes on to the logits, by which a trial then fails, whatever the bits of the cache.</summary>
public class NotFiniteTests
{
    private const int Tokens = 40;
    private const int HeadDim = 64;

    [Theory]
    [InlineData(32, float.NaN)]
    [InlineData(16, float.NaN)]
    [InlineData(16, float.NegativeInfinity)]
    [InlineData(16, 65520f)]
    [InlineData(16, -65520f)]
    [InlineData(4, float.NaN)]
    public void Attention_OverWhatIsNotFinite_IsNot(int bits, float odd)
    {
        using var backend = new CpuBackend(2);
        var spec = new KvSpec { Keys = new(bits), Values = new(bits) };
        var geometry = new KvGeometry(2, 1, HeadDim, [0]);
        foreach (var ofKeys in new[] { true, false })
        {
            using var cache = backend.CreateCache(geometry, spec, Tokens + 1);
            using var other = backend.CreateCache(geometry, spec, Tokens + 1);
            using var third = backend.CreateCache(geometry, spec, Tokens + 1);
            var (chunk, sound) = (Attend(Tokens, odd, ofKeys, cache), Attend(Tokens, 1, ofKeys, other));
            Assert.Contains(chunk[^(2 * HeadDim)..], value => !float.IsFinite(value));
            Assert.All(sound, value => Assert.True(float.IsFinite(value)));
            if (bits < 16) Assert.All(Attend(Tokens, 70_000, ofKeys, third), value => Assert.True(float.IsFinite(value)));

            // Of two that decode together the one that is sound stays so.
            var rows = Attend(2, 1, ofKeys, other, cache);
            Assert.All(rows[..(2 * HeadDim)], value => Assert.True(float.IsFinite(value)));
            Assert.Contains(rows[(2 * HeadDim)..], value => !float.IsFinite(value));

            cache.Reset();
            Assert.All(Attend(Tokens, 1, ofKeys, cache), value => Assert.True(float.IsFinite(value)));
        }

        // The tenth key's or value's sixth number is an odd one.
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

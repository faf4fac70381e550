using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>What a cache cannot hold goes on to the logits, by which a trial then fails, whatever its storage. A device adds a class that
/// derives from this and says how to make its backend.</summary>
public abstract class NotFiniteConformance
{
    private const int Tokens = 40;
    private const int HeadDim = 64;

    private static readonly RopeTable NoTurns = new(new float[HeadDim / 2]);

    /// <summary>A number that attention takes from a coded cache, if not more than it holds at 16 bits.</summary>
    protected virtual float Large => 70_000;

    /// <summary>Types of queries, keys, values and results that have kernels of their own.</summary>
    protected virtual DType[] AttentionTypes => [DType.F32];

    /// <summary>A fresh backend; a device that is not there skips the test.</summary>
    protected abstract Backend Create();

    [Theory]
    [InlineData("k32v32", float.NaN)]
    [InlineData("k16v16", float.NaN)]
    [InlineData("k16v16", float.NegativeInfinity)]
    [InlineData("k16v16", 65520f)]
    [InlineData("k16v16", -65520f)]
    [InlineData("k4v4-t64", float.NaN)]
    [InlineData("k4v4-t64", float.PositiveInfinity)]
    [InlineData("k4v4-b16", float.NaN)]
    [InlineData("k4v4-tensor", float.NaN)]
    [InlineData("k4v4-tensor", float.NegativeInfinity)]
    [InlineData("k4v4-kch32-vt64", float.NaN)]
    [InlineData("k2v8-kch16-vt32", float.NegativeInfinity)]
    [InlineData("k4v4-t64-rotkv-sink3-recent5", float.PositiveInfinity)]
    [InlineData("k8v8-pow2", float.NaN)]
    [InlineData("k8v8-pow2", float.PositiveInfinity)]
    public void Attention_OverWhatIsNotFinite_IsNot(string setting, float odd)
    {
        using var backend = Create();
        var spec = InferenceSetting.Parse("w16a16-" + setting).Cache;
        var geometry = new KvGeometry(2, 1, HeadDim, [0]);
        foreach (var type in AttentionTypes)
        {
            foreach (var turns in new[] { false, true })
                foreach (var ofKeys in new[] { true, false }) Check(type, turns, ofKeys);
        }

        void Check(DType type, bool turns, bool ofKeys)
        {
            using var cache = backend.CreateCache(geometry, spec, Tokens + 1);
            using var other = backend.CreateCache(geometry, spec, Tokens + 1);
            using var third = backend.CreateCache(geometry, spec, Tokens + 1);
            Attend(5, 1, cache);
            Assert.Contains(Attend(Tokens - 5, odd, cache)[^(2 * HeadDim)..], value => !float.IsFinite(value));
            Assert.All(Attend(Tokens, 1, other), value => Assert.True(float.IsFinite(value)));
            // Tokens wait at 16 bits for those that they are coded with.
            var large = spec.Keys.Granularity.Axis is KvAxis.Channel or KvAxis.Block ? MathF.Min(Large, 65_504) : Large;
            if (spec.IsCoded) Assert.All(Attend(Tokens, large, third), value => Assert.True(float.IsFinite(value)));

            // Of two that decode together the one that is sound stays so.
            var rows = Attend(2, 1, other, cache);
            Assert.All(rows[..(2 * HeadDim)], value => Assert.True(float.IsFinite(value)));
            Assert.Contains(rows[(2 * HeadDim)..], value => !float.IsFinite(value));

            cache.Reset();
            foreach (var tokens in new[] { 3, 1, Tokens - 4 })
                Assert.All(Attend(tokens, 1, cache), value => Assert.True(float.IsFinite(value)));

            // The tenth new key's or value's sixth number is an odd one.
            float[] Attend(int tokens, float number, params KvCache[] caches)
            {
                using var workspace = backend.CreateWorkspace(new(tokens, Tokens + 1, geometry, AttentionKernel.Flash, caches.Length));
                var (q, k, v) = (Filled(tokens, 2 * HeadDim, 1), Filled(tokens, HeadDim, 2), Filled(tokens, HeadDim, 3));
                Change(ofKeys ? k : v, x => x[Math.Min(9, tokens - 1) * HeadDim + 5] = number);
                // A key of -∞ has no weight in one head and all of it in the other.
                Change(q, x => Array.ForEach([.. Enumerable.Range(0, 2 * tokens)], row => x[row * HeadDim + 5] = row % 2 == 0 ? 0.25f : -0.25f));
                int[] positions = caches.Length > 1 ? [Tokens, Tokens] : [.. Enumerable.Range(caches[0].Length, tokens)];
                var step = backend.Begin(workspace, new int[tokens], positions, caches);
                if (turns) backend.RopeAttention(step, 0, q, k, v, q, NoTurns);
                else backend.Attention(step, 0, q, k, v, q);
                var y = new float[tokens * 2 * HeadDim];
                backend.Read(q, y);
                foreach (var tensor in new[] { q, k, v }) tensor.Buffer.Dispose();
                return y;
            }

            void Change(Tensor tensor, Action<float[]> change)
            {
                var x = new float[tensor.RowCount * tensor.ColumnCount];
                backend.Read(tensor, x);
                change(x);
                backend.Write(x, tensor);
            }

            Tensor Filled(int rows, int columns, int seed)
            {
                var random = new Random(seed);
                var tensor = backend.Alloc(type, rows, columns);
                backend.Write([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)], tensor);
                return tensor;
            }
        }
    }
}

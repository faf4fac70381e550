using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>Rotary embedding, alone and with attention.</summary>
public abstract partial class BackendConformance
{
    // Keys that are rounded to bf16 between turning and coding may get other codes: all, or those of the last tokens.
    private const double RoundedKeysTolerance = 0.2; // keys of 2 bits differ by up to 0.12
    private const double RoundedKeyTolerance = 2e-2;

    [Fact]
    public void RopeOfQueriesAndKeys_IsEachByItself()
    {
        using var backend = Create();
        const int Tokens = 9;
        var table = new RopeTable([.. Enumerable.Range(0, 32).Select(i => 1 / MathF.Pow(10000, i / 32f))]);
        using var run = new Run(backend, new KvGeometry(6, 2, 64, [0]), KvSpec.Full, Tokens, Tokens);
        var (q, k) = (Slice(backend, Tokens, 6 * 64), Slice(backend, Tokens, 2 * 64));
        var step = run.Begin(new int[Tokens]);
        float[][] Turned(Action rope)
        {
            q.Write(Values(6, Tokens * 6 * 64));
            k.Write(Values(7, Tokens * 2 * 64));
            rope();
            return [q.Read(), k.Read()];
        }
        var apart = Turned(() =>
        {
            backend.Rope(step, q.View, table);
            backend.Rope(step, k.View, table);
        });
        Assert.Equal(apart, Turned(() => backend.Rope(step, q.View, k.View, table)));
        foreach (var slice in new[] { q, k }) slice.AssertPoisonUntouched();
    }

    [Theory]
    [InlineData(1, 3, 64)]
    [InlineData(7, 2, 32)]
    [InlineData(256, 1, 128)]
    [InlineData(5, 3, 6)]
    public void Rope_TurnsHalfSplitPairs(int tokens, int heads, int headDim)
    {
        using var backend = Create();
        var table = new RopeTable([.. Enumerable.Range(0, headDim / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / headDim))], 1.25f);
        using var run = new Run(backend, new KvGeometry(heads, heads, Math.Max(headDim, 16), [0]), KvSpec.Full, tokens, tokens + 1000);
        var input = Values(6, tokens * heads * headDim);
        var x = Slice(backend, tokens, heads * headDim);
        x.Write(input);
        var positions = Enumerable.Range(0, tokens).Select(t => 3 * t + 500).ToArray();
        var step = backend.Begin(run.Workspace, new int[tokens], positions, run.Cache);
        backend.Rope(step, x.View, table);
        var expected = new double[input.Length];
        for (var t = 0; t < tokens; t++)
        {
            for (var h = 0; h < heads; h++)
            {
                for (var i = 0; i < headDim / 2; i++)
                {
                    var at = (t * heads + h) * headDim + i;
                    var (sin, cos) = Math.SinCos(positions[t] * table.InverseFrequencies[i]);
                    var (a, b) = (input[at], input[at + headDim / 2]);
                    expected[at] = 1.25 * (a * cos - b * sin);
                    expected[at + headDim / 2] = 1.25 * (b * cos + a * sin);
                }
            }
        }
        AssertClose(expected, x.Read(), OpTolerance);
        x.AssertPoisonUntouched();
    }

    /// <summary>Models that turn only a part of each head: pairs lie within the part, the rest stays as it is.</summary>
    [Theory]
    [InlineData(1, 2, 32, 24)]
    [InlineData(7, 3, 64, 16)]
    public void Rope_TurnsOnlyTheFirstChannels(int tokens, int heads, int headDim, int turned)
    {
        using var backend = Create();
        var table = new RopeTable([.. Enumerable.Range(0, turned / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / turned))], 1.25f, headDim);
        using var run = new Run(backend, new KvGeometry(heads, heads, headDim, [0]), KvSpec.Full, tokens, tokens);
        var input = Values(6, tokens * heads * headDim);
        var x = Slice(backend, tokens, heads * headDim);
        x.Write(input);
        backend.Rope(run.Begin(new int[tokens]), x.View, table);
        var expected = Array.ConvertAll(input, value => (double)value);
        for (var at = 0; at < input.Length; at += headDim)
            for (var i = 0; i < turned / 2; i++)
            {
                var (sin, cos) = Math.SinCos(at / (heads * headDim) * table.InverseFrequencies[i]);
                expected[at + i] = 1.25 * (input[at + i] * cos - input[at + i + turned / 2] * sin);
                expected[at + i + turned / 2] = 1.25 * (input[at + i + turned / 2] * cos + input[at + i] * sin);
            }
        AssertClose(expected, x.Read(), OpTolerance);
        x.AssertPoisonUntouched();
    }

    /// <summary>A chunk, a shorter one, a token of each of two sequences, and single tokens to the end of a granule and on.</summary>
    [Theory]
    [InlineData("k16v16", 64)]
    [InlineData("k16v16", 128)]
    [InlineData("k8v8-t64", 128)]
    [InlineData("k8v8-t32-rotk", 64)]
    [InlineData("k8v8-kch32-vt64", 64)]
    [InlineData("k8v8-t64-recent16", 64)]
    [InlineData("k4v4-kch64-vt64", 128)]
    [InlineData("k4v2-kch32-vt64-rotkv-sink3-recent7", 64)]
    [InlineData("k2v4-kch16-vt32-clip90", 128)]
    [InlineData("k4v4-t64-sink12-recent2", 128)]
    [InlineData("k8v8-ch32", 64)]
    public void RopeAttention_IsRopeThenAttention(string setting, int headDim)
    {
        using var backend = Create();
        var spec = InferenceSetting.Parse("w16a16-" + setting).Cache;
        var geometry = new KvGeometry(6, 2, headDim, [0]);
        var table = new RopeTable([.. Enumerable.Range(0, headDim / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / headDim))], 1.25f);
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(120, 140, geometry, AttentionKernel.Flash, MaxSequences: 2));
        var inputs = AttentionTypes[^1]; // whose numbers all types have
        float[][] Results(DType type, Action<Step, Tensor, Tensor, Tensor, Tensor> attend)
        {
            using var cache = backend.CreateCache(geometry, spec, 140);
            using var other = backend.CreateCache(geometry, spec, 140);
            (int[] Positions, KvCache[] Caches)[] runs =
            [
                (Positions(0, 120), [cache]), (Positions(0, 9), [other]), (Positions(120, 3), [cache]), ([123, 9], [cache, other]),
                .. Enumerable.Range(124, 12).Select(position => (new[] { position }, new KvCache[] { cache })),
            ];
            return
            [
                .. runs.Select((run, i) =>
                {
                    var count = run.Positions.Length;
                    var (q, k, v, y) = (Slice(backend, count, 6 * headDim, type), Slice(backend, count, 2 * headDim, type),
                        Slice(backend, count, 2 * headDim, type), Slice(backend, count, 6 * headDim, type));
                    q.Write(Rounded(Values(3 * i + 60, count * 6 * headDim), inputs));
                    k.Write(Rounded(Values(3 * i + 61, count * 2 * headDim), inputs));
                    v.Write(Rounded(Values(3 * i + 62, count * 2 * headDim), inputs));
                    var step = run.Caches.Length == 1 ? backend.Begin(workspace, new int[count], run.Positions, run.Caches[0])
                        : backend.Begin(workspace, new int[count], run.Positions, run.Caches);
                    attend(step, q.View, k.View, v.View, y.View);
                    foreach (var slice in new[] { q, k, v, y }) slice.AssertPoisonUntouched();
                    return y.Read();
                }),
            ];
        }
        void RopeThenAttention(Step step, Tensor q, Tensor k, Tensor v, Tensor y)
        {
            backend.Rope(step, q, k, table);
            backend.Attention(step, 0, q, k, v, y);
        }
        void Together(Step step, Tensor q, Tensor k, Tensor v, Tensor y) => backend.RopeAttention(step, 0, q, k, v, y, table);
        // Chunks together, so that what is before a token has the same codes.
        void TokensApart(Step step, Tensor q, Tensor k, Tensor v, Tensor y)
        {
            if (step.Count > step.Caches.Length) Together(step, q, k, v, y);
            else RopeThenAttention(step, q, k, v, y);
        }
        static void AssertAllClose(float[][] expected, float[][] actual, double tolerance)
        {
            foreach (var (one, other) in expected.Zip(actual)) AssertClose([.. one.Select(value => (double)value)], other, tolerance);
        }
        var apart = Results(DType.F32, RopeThenAttention);
        foreach (var type in AttentionTypes)
        {
            var together = Results(type, Together);
            AssertAllClose(apart, together, type == DType.F32 ? CodeEdgeTolerance : RoundedKeysTolerance);
            if (type != DType.F32) AssertAllClose(Results(type, TokensApart), together, RoundedKeyTolerance);
        }
    }
}

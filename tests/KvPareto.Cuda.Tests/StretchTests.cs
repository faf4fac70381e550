using System.Globalization;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda.Tests;

/// <summary>Packed contexts that are unpacked into scratch in stretches, beside the same attention without scratch.</summary>
[Trait("Category", "GPU")]
public sealed class StretchTests
{
    private const double Tolerance = 2e-3; // of the norm: results are bf16, and a carried total is summed in another order

    [Theory]
    [InlineData(1000, 100, 4096, 10_000_000)]
    [InlineData(1000, 300, 1024, 900_000)]
    [InlineData(131_072, 1024, 4096, 67_000_000)]
    [InlineData(5121, 256, 4096, 9_000_000)]
    public void Plan_CoversTheContextInOrder(int length, int rows, long tokenBytes, long scratch)
    {
        const int Carry = 65_536;
        var plan = StretchPlan.Of(length, rows, 2, tokenBytes, Carry, scratch)!.Value;
        var at = 0;
        for (var i = 0; i < plan.Count; i++)
        {
            var (from, to) = plan.Range(i, length);
            Assert.Equal(at, from);
            Assert.True(to > from && from % 128 == 0);
            Assert.True(StretchPlan.CacheBytes + plan.CarryBytes + (to - from) * tokenBytes <= scratch);
            at = to;
        }
        Assert.Equal(length, at);
        Assert.True(plan.LastFrom <= length - rows);
    }

    [Fact]
    public void Plan_IsNoneWhereScratchIsSmall() => Assert.Null(StretchPlan.Of(10_000, 256, 1, 4096, 0, 1_500_000));

    /// <summary>One stretch, several, and several whose rows are cut into parts of the context too.</summary>
    [Theory]
    [InlineData("k4v4-t64", 8, 2, 128, 1024, 3072, 4_000_000)]
    [InlineData("k4v4-t64", 8, 2, 128, 1024, 6144, 2_600_000)]
    [InlineData("k2v8-t32", 16, 4, 128, 1024, 9216, 15_000_000)]
    [InlineData("k4v4-kch64-vt64", 32, 8, 64, 512, 4608, 7_000_000)]
    [InlineData("k4v4-kch64-vt64", 8, 2, 128, 200, 1300, 4_000_000)]
    [InlineData("k8v16-t64", 8, 2, 64, 1024, 3072, 500_000)]
    [InlineData("k4v4-b16", 8, 2, 128, 1024, 3072, 4_000_000)]
    [InlineData("k4v4-t64-rotkv-sink4-recent64", 8, 2, 128, 1024, 6144, 2_600_000)]
    public void Attention_IsThatWithoutScratch(string setting, int heads, int keyHeads, int width, int chunk, int length, int scratchBytes)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var spec = InferenceSetting.Parse("w16a16-" + setting).Cache;
        var geometry = new KvGeometry(heads, keyHeads, width, [0]);
        var expected = Run(backend, spec, geometry, chunk, length);
        // A weight of this shape wants so much scratch.
        var rows = scratchBytes / 4096;
        var values = new float[rows * 512];
        using var weight = TestWeights.Upload(backend, WeightFormat.BF16, 0, 512, values, new float[rows]);
        Assert.InRange(backend.Memory.Live.Workspace, scratchBytes, 3 * scratchBytes);
        var actual = Run(backend, spec, geometry, chunk, length);
        var difference = RelativeError.Of(expected, actual);
        Assert.True(difference < Tolerance, difference.ToString("g3", CultureInfo.InvariantCulture));
        Assert.Equal(actual, Run(backend, spec, geometry, chunk, length));
    }

    private static float[] Run(CudaBackend backend, KvSpec spec, KvGeometry geometry, int chunk, int length)
    {
        var random = new Random(11);
        var (width, keyWidth) = (geometry.QueryHeads * geometry.HeadDim, geometry.KvHeads * geometry.HeadDim);
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(chunk, length, geometry, AttentionKernel.Flash));
        using var cache = backend.CreateCache(geometry, spec, length);
        float[] result = [];
        for (var from = 0; from < length; from += chunk)
        {
            var count = Math.Min(chunk, length - from);
            var tensors = new[] { width, keyWidth, keyWidth }.Select(columns =>
            {
                var x = backend.Alloc(DType.BF16, count, columns);
                backend.Write(TestWeights.Floats(random, count * columns), x);
                return x;
            }).ToArray();
            var step = backend.Begin(workspace, new int[count], [.. Enumerable.Range(from, count)], cache);
            backend.Attention(step, 0, tensors[0], tensors[1], tensors[2], tensors[0]);
            if (count == chunk)
            {
                result = new float[count * width];
                backend.Read(tensors[0], result);
            }
            foreach (var tensor in tensors) tensor.Buffer.Dispose();
        }
        return result;
    }
}

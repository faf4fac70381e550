using System.Globalization;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Cuda.Tests;

/// <summary>Attention of many rows whose context is cut into parts, beside that of a few rows at a time, which another kernel does.</summary>
[Trait("Category", "GPU")]
public sealed class MergedPartsTests
{
    private const double Tolerance = 5e-3; // of the norm: results are bf16

    /// <summary>Two, four, seven and eight parts; rows that fill no block; windows that leave parts empty; more parts than a
    /// cluster has blocks.</summary>
    [Theory]
    [InlineData("k4v4-t64", 32, 8, 128, 256, 3072, 0)]
    [InlineData("k4v4-t64-rotkv", 32, 8, 128, 256, 1536, 0)]
    [InlineData("k16v16", 16, 2, 128, 256, 5120, 0)]
    [InlineData("k8v4-t32", 16, 2, 128, 256, 5120, 700)]
    [InlineData("k4v4-t64", 9, 3, 64, 256, 4096, 0)]
    [InlineData("k2v2-t32", 8, 2, 64, 256, 4608, 0)]
    [InlineData("k16v16", 8, 2, 128, 200, 4200, 1100)]
    [InlineData("k4v4-t64", 4, 1, 128, 256, 12_288, 0)]
    public void Attention_IsThatOfFewRows(string setting, int heads, int keyHeads, int width, int chunk, int length, int window)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var spec = InferenceSetting.Parse("w16a16-" + setting).Cache;
        var geometry = new KvGeometry(heads, keyHeads, width, [window]);
        var actual = Run(backend, spec, geometry, chunk, length, chunk);
        var expected = Run(backend, spec, geometry, chunk, length, 16 / (heads / keyHeads));
        var difference = RelativeError.Of(expected, actual);
        Assert.True(difference < Tolerance, difference.ToString("g3", CultureInfo.InvariantCulture));
        Assert.Equal(actual, Run(backend, spec, geometry, chunk, length, chunk));
    }

    // The last rows' results, after the context before them, so many rows at a time.
    private static float[] Run(CudaBackend backend, KvSpec spec, KvGeometry geometry, int rows, int length, int atATime)
    {
        var random = new Random(17);
        int[] columns = [geometry.QueryHeads * geometry.HeadDim, .. Enumerable.Repeat(geometry.KvHeads * geometry.HeadDim, 2)];
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(length - rows, length, geometry, AttentionKernel.Flash));
        using var cache = backend.CreateCache(geometry, spec, length);
        var result = new float[rows * columns[0]];
        foreach (var (from, count) in new[] { (0, length - rows), (length - rows, rows) })
        {
            var all = columns.Select(width =>
            {
                var x = backend.Alloc(DType.BF16, count, width);
                backend.Write(TestWeights.Floats(random, count * width), x);
                return x;
            }).ToArray();
            var most = from == 0 ? count : atATime;
            for (var row = 0; row < count; row += most)
            {
                var part = Array.ConvertAll(all, x => x.Rows(row, Math.Min(most, count - row)));
                var step = backend.Begin(
                    workspace, new int[part[0].RowCount], [.. Enumerable.Range(from + row, part[0].RowCount)], cache);
                backend.Attention(step, 0, part[0], part[1], part[2], part[0]);
            }
            if (from > 0) backend.Read(all[0], result);
            foreach (var x in all) x.Buffer.Dispose();
        }
        return result;
    }
}

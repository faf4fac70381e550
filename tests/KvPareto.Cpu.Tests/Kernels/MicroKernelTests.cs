using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class MicroKernelTests
{
    private const int MaxRows = 13;
    private const int MaxChannels = 70;
    private const int Guard = 64;
    private const float Poison = 1e30f;

    [Fact]
    public void Multiply_GivesTheScalarBits_ForAnyRowsAndChannels()
    {
        var random = new Random(3);
        var (lda, ldc) = (MaxChannels + 1, MicroKernel.Columns + 7);
        float[] a = Random(random, MaxRows * lda), panel = Random(random, MaxChannels * MicroKernel.Columns);
        foreach (var channels in (int[])[0, 1, 2, 17, MaxChannels])
            for (var rows = 0; rows <= MaxRows; rows++)
                foreach (var accumulate in (bool[])[false, true])
                {
                    var expected = Product(a, lda, rows, panel, channels, ldc, accumulate, SimdLevel.Scalar);
                    foreach (var level in Simd.Supported)
                        Assert.Equal(expected, Product(a, lda, rows, panel, channels, ldc, accumulate, level));
                }
    }

    [Fact]
    public void Multiply_SumsExactly_WhereAllIsSmallIntegers()
    {
        var (rows, channels) = (7, 33);
        float[] a = [.. Enumerable.Range(0, rows * channels).Select(i => (float)(i % 11 - 5))];
        float[] panel = [.. Enumerable.Range(0, channels * MicroKernel.Columns).Select(i => (float)(i % 7 - 3))];
        foreach (var level in Simd.Supported)
        {
            var c = Product(a, channels, rows, panel, channels, MicroKernel.Columns, accumulate: false, level);
            for (var r = 0; r < rows; r++)
                for (var j = 0; j < MicroKernel.Columns; j++)
                    Assert.Equal(
                        Enumerable.Range(0, channels)
                            .Sum(k => a[r * channels + k] * panel[k * MicroKernel.Columns + j]), c[Guard + r * MicroKernel.Columns + j]);
        }
    }

    // c with its guards, all poisoned before but for the rows that are added to.
    private static float[] Product(float[] a, int lda, int rows, float[] panel, int channels, int ldc, bool accumulate, SimdLevel level)
    {
        var c = new float[2 * Guard + rows * ldc];
        c.AsSpan().Fill(Poison);
        for (var r = 0; accumulate && r < rows; r++) c.AsSpan(Guard + r * ldc, MicroKernel.Columns).Fill(0.37f * r);
        fixed (float* ap = a, pp = panel, cp = c)
            KernelTable.Of(level).MultiplyPanel(ap, lda, rows, pp, channels, cp + Guard, ldc, accumulate);
        for (var i = 0; i < c.Length; i++)
        {
            var isInside = i >= Guard && i < Guard + rows * ldc && (i - Guard) % ldc < MicroKernel.Columns;
            Assert.Equal(isInside, c[i] != Poison);
        }
        return c;
    }

    private static float[] Random(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
}

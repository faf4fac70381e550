using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class SoftmaxTests
{
    // Two units in the last place of the polynomial, half a unit of the difference and of the rounding of the result.
    private const double Tolerance = 3 * 1.19e-7;
    private const double SmallestNormal = 1.18e-38;

    [Fact]
    public void Exp_IsTheExponential_AtEveryLevel()
    {
        foreach (var level in Simd.Supported)
            foreach (var count in (int[])[1, 7, 8, 15, 16, 17, 64, 100, 257])
            {
                var random = new Random(count);
                float[] row = [.. Enumerable.Range(0, count).Select(_ => 200 * random.NextSingle() - 150)];
                float[] before = [.. row];
                float max, sum;
                fixed (float* p = row)
                {
                    max = KernelTable.Of(level).Max(p, count);
                    sum = KernelTable.Of(level).Exp(p, count, max);
                }
                Assert.Equal(before.Max(), max);
                for (var i = 0; i < count; i++)
                {
                    var expected = Math.Exp((double)(before[i] - max));
                    Assert.InRange(row[i], expected * (1 - Tolerance) - SmallestNormal, expected * (1 + Tolerance) + SmallestNormal);
                }
                Assert.Equal(row.Sum(x => (double)x), sum, 1e-5 * sum);
            }
    }

    [Fact]
    public void Exp_KeepsNaN_AtEveryLevel()
    {
        foreach (var level in Simd.Supported)
        {
            float[] row = [.. Enumerable.Repeat(-1f, 40)];
            row[5] = float.NaN;
            fixed (float* p = row) Assert.True(float.IsNaN(KernelTable.Of(level).Exp(p, 40, 0)));
            Assert.True(float.IsNaN(row[5]));
            Assert.True(float.IsFinite(row[39]));
        }
    }
}

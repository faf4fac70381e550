using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda.Tests;

/// <summary>Products of up to eight rows: each row has the bits that it has alone, however inputs come to the product.</summary>
[Trait("Category", "GPU")]
public unsafe class FewRowsTests
{
    /// <summary>Rows that shared memory holds, and more: inputs with the weights, and inputs in chunks, also where a team has two
    /// tiles.</summary>
    [Theory]
    [InlineData(WeightFormat.BF16, 0, 1024, 80)]
    [InlineData(WeightFormat.BF16, 0, 11_008, 40)]
    [InlineData(WeightFormat.BF16, 0, 14_336, 100)]
    [InlineData(WeightFormat.W4, 128, 2176, 80)]
    [InlineData(WeightFormat.W4, 128, 8192, 4400)]
    [InlineData(WeightFormat.W4, 64, 14_336, 40)]
    [InlineData(WeightFormat.W4, 32, 12_288, 50)]
    [InlineData(WeightFormat.W4, 128, 11_008, 2048)]
    [InlineData(WeightFormat.W8, 128, 8448, 2100)]
    [InlineData(WeightFormat.W8, 64, 11_008, 100)]
    public void Rows_AreEachByItself(WeightFormat format, int group, int columns, int outputs)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var random = new Random(columns + group);
        var values = TestWeights.Floats(random, outputs * columns);
        using var weight = TestWeights.Upload(backend, format, group, columns, values, TestWeights.Floats(random, outputs));
        fixed (float* data = TestWeights.Floats(random, columns))
        {
            using var gain = backend.Upload(new HostWeight("gain", WeightFormat.F32, 1, columns, data));
            const int Rows = FewKernel.MostRows;
            var (x, bf16) = (backend.Alloc(DType.F32, Rows, columns), backend.Alloc(DType.BF16, Rows, columns));
            var (h, y) = (backend.Alloc(DType.BF16, Rows, columns), backend.Alloc(DType.F32, Rows, outputs));
            var (stream, sums) = (TestWeights.Floats(random, Rows * columns), TestWeights.Floats(random, Rows * outputs));
            backend.Write(stream, x);
            backend.Write(stream, bf16);
            // Results of some rows: a norm before, then a sum after.
            float[] Results(int from, int count)
            {
                var (part, results) = (y.Rows(0, count), new float[2 * count * outputs]);
                backend.NormLinear(x.Rows(from, count), gain, 1e-5f, h.Rows(0, count), [weight], [part]);
                backend.Read(part, results.AsSpan(0, count * outputs));
                backend.Write(sums.AsSpan(from * outputs, count * outputs), part);
                backend.LinearAdd(bf16.Rows(from, count), weight, h.Rows(0, count).Columns(0, Math.Min(outputs, columns)), part);
                backend.Read(part, results.AsSpan(count * outputs));
                return results;
            }
            var alone = Enumerable.Range(0, Rows).Select(row => Results(row, 1)).ToArray();
            Assert.All(alone, row => Assert.All(row, value => Assert.True(float.IsFinite(value))));
            foreach (var count in new[] { 2, 3, 5, 7, 8 })
            {
                var together = Results(Rows - count, count);
                for (var i = 0; i < count; i++)
                {
                    var expected = alone[Rows - count + i];
                    Assert.True(expected.AsSpan(0, outputs).SequenceEqual(together.AsSpan(i * outputs, outputs)), $"row {i} of {count}");
                    Assert.True(
                        expected.AsSpan(outputs).SequenceEqual(together.AsSpan((count + i) * outputs, outputs)), $"sum {i} of {count}");
                }
            }
            foreach (var tensor in new[] { x, bf16, h, y }) tensor.Buffer.Dispose();
        }
    }
}

using System.Numerics;
using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class HadamardTests
{
    private const double Tolerance = 1e-6; // of the row's norm

    [Fact]
    public void Transform_IsTheMatrix_AndItsOwnInverse()
    {
        const int Rows = 3;
        var random = new Random(5);
        for (var width = 1; width <= 256; width *= 2)
        {
            float[] x = [.. Enumerable.Range(0, Rows * width).Select(_ => random.NextSingle() * 2 - 1)];
            var y = (float[])x.Clone();
            fixed (float* p = y) Hadamard.Transform(p, Rows, width);
            for (var row = 0; row < Rows; row++)
            {
                var source = x.AsSpan(row * width, width);
                for (var i = 0; i < width; i++)
                {
                    var sum = 0.0;
                    for (var j = 0; j < width; j++)
                        sum += (int.IsOddInteger(BitOperations.PopCount((uint)(i & j))) ? -1.0 : 1.0) * source[j];
                    Assert.Equal(sum / Math.Sqrt(width), y[row * width + i], Tolerance * Norm(source));
                }
            }
            fixed (float* p = y) Hadamard.Transform(p, Rows, width);
            for (var i = 0; i < x.Length; i++) Assert.Equal(x[i], y[i], Tolerance * Norm(x.AsSpan(i / width * width, width)));
        }
    }

    private static double Norm(ReadOnlySpan<float> row)
    {
        var sum = 0.0;
        foreach (var x in row) sum += (double)x * x;
        return Math.Sqrt(sum);
    }
}

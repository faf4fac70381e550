using System.Numerics.Tensors;
using KvPareto.Engine.Cpu.Kernels;

namespace KvPareto.Engine.Quantization;

/// <summary>
/// AutoAWQ's second search: for each group of each output row the limit m·max|w|, m = 1, 0.95 … 0.55, to which clamping the weights
/// before quantizing them changes the group's share of the output least. The loss is the mean over all calibration tokens, by way
/// of the second moments of the inputs.
/// </summary>
internal static unsafe class ClipSearch
{
    private const int Limits = 10;
    private const float LimitStep = 0.05f;
    private const int RowsPerTask = 256;

    /// <summary>Clamps the weights of <paramref name="matrix"/>, which must be values of f16, in place.</summary>
    /// <param name="matrix">[N, K], scaled.</param>
    /// <param name="inputs">Statistics of the inputs before scaling.</param>
    /// <param name="scales">What the inputs were divided by, [K].</param>
    /// <param name="bits">Of a code.</param>
    /// <param name="group">g.</param>
    public static void Run(LinearMatrix matrix, InputStatistics inputs, float[] scales, int bits, int group)
    {
        var rowTasks = (matrix.Rows + RowsPerTask - 1) / RowsPerTask;
        Parallel.For(0, rowTasks * (matrix.Columns / group), task =>
        {
            var index = task / rowTasks;
            var moments = Panel(inputs.Moments(index), scales.AsSpan(index * group, group));
            var changes = new float[Limits * group]; // [limit, g]
            var products = new float[Limits * MicroKernel.Columns];
            var end = Math.Min(matrix.Rows, (task % rowTasks + 1) * RowsPerTask);
            fixed (float* values = matrix.Values, m = moments, d = changes, p = products)
                for (var row = task % rowTasks * RowsPerTask; row < end; row++)
                    ClampBest(values + (nint)row * matrix.Columns + index * group, group, bits, m, d, p);
        });
    }

    private static void ClampBest(float* w, int group, int bits, float* moments, float* changes, float* products)
    {
        var largest = 0f;
        for (var i = 0; i < group; i++) largest = MathF.Max(largest, MathF.Abs(w[i]));
        for (var limit = 0; limit < Limits; limit++)
        {
            var change = changes + limit * group;
            Clamp(w, group, Limit(largest, limit), change);
            AwqCodec.Reconstruct(change, group, bits, change);
            for (var i = 0; i < group; i++) change[i] -= w[i];
        }
        var losses = stackalloc double[Limits];
        for (var first = 0; first < group; first += MicroKernel.Columns)
        {
            MicroKernel.Multiply(changes, group, Limits, moments + first * group, group, products, MicroKernel.Columns, accumulate: false);
            var width = Math.Min(MicroKernel.Columns, group - first);
            for (var limit = 0; limit < Limits; limit++)
                for (var j = 0; j < width; j++)
                    losses[limit] += products[limit * MicroKernel.Columns + j] * changes[limit * group + first + j];
        }
        var best = 0;
        for (var limit = 1; limit < Limits; limit++)
            if (losses[limit] < losses[best]) best = limit;
        if (best > 0) Clamp(w, group, Limit(largest, best), w);
    }

    private static float Limit(float largest, int limit) => (float)(Half)(largest * (1 - limit * LimitStep));

    private static void Clamp(float* source, int count, float limit, float* destination) =>
        TensorPrimitives.Clamp(new ReadOnlySpan<float>(source, count), -limit, limit, new Span<float>(destination, count));

    // The moments of the scaled inputs as panels of 64 columns, one after the other.
    private static float[] Panel(ReadOnlySpan<float> moments, ReadOnlySpan<float> scales)
    {
        var group = scales.Length;
        var panels = new float[group * ((group + MicroKernel.Columns - 1) / MicroKernel.Columns) * MicroKernel.Columns];
        for (var i = 0; i < group; i++)
            for (var j = 0; j < group; j++)
                panels[(j / MicroKernel.Columns * group + i) * MicroKernel.Columns + j % MicroKernel.Columns] =
                    moments[i * group + j] / (scales[i] * scales[j]);
        return panels;
    }
}

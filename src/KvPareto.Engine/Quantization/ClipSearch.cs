using System.Numerics.Tensors;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

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
    private const int RowsPerStep = 256;

    /// <summary>Clamps the weights of <paramref name="matrix"/>, which must be values of f16, in place.</summary>
    /// <param name="backend">Multiplies the changes with the moments, in f32.</param>
    /// <param name="matrix">[N, K], scaled.</param>
    /// <param name="inputs">Statistics of the inputs before scaling.</param>
    /// <param name="scales">What the inputs were divided by, [K].</param>
    /// <param name="bits">Of a code.</param>
    /// <param name="group">g.</param>
    public static void Run(Backend backend, LinearMatrix matrix, InputStatistics inputs, float[] scales, int bits, int group)
    {
        var x = backend.Alloc(DType.F32, RowsPerStep * Limits, group); // changes by limit
        var y = backend.Alloc(DType.F32, RowsPerStep * Limits, group); // their products with the moments
        using var changesBuffer = x.Buffer;
        using var productsBuffer = y.Buffer;
        var changes = new float[RowsPerStep * Limits * group];
        var products = new float[changes.Length];
        for (var index = 0; index < matrix.Columns / group; index++)
        {
            using var moments = Moments(backend, inputs.Moments(index), scales.AsSpan(index * group, group));
            for (var first = 0; first < matrix.Rows; first += RowsPerStep)
            {
                var rows = Math.Min(RowsPerStep, matrix.Rows - first);
                Parallel.For(0, rows, row => Changes(Weights(row), bits, changes.AsSpan(row * Limits * group, Limits * group)));
                backend.Write(changes.AsSpan(0, rows * Limits * group), x.Rows(0, rows * Limits));
                backend.Linear(x.Rows(0, rows * Limits), moments, y.Rows(0, rows * Limits));
                backend.Read(y.Rows(0, rows * Limits), products);
                Parallel.For(0, rows, row =>
                    ClampBest(Weights(row), changes.AsSpan(row * Limits * group, Limits * group), products.AsSpan(row * Limits * group)));

                Span<float> Weights(int row) => matrix.Values.AsSpan((first + row) * matrix.Columns + index * group, group);
            }
        }
    }

    // Q(clamp(w)) − w for every limit, [limit, g].
    private static void Changes(Span<float> w, int bits, Span<float> changes)
    {
        var largest = Largest(w);
        for (var limit = 0; limit < Limits; limit++)
        {
            var change = changes.Slice(limit * w.Length, w.Length);
            Clamp(w, Limit(largest, limit), change);
            fixed (float* p = change) AwqCodec.Reconstruct(p, w.Length, bits, p);
            TensorPrimitives.Subtract(change, w, change);
        }
    }

    private static void ClampBest(Span<float> w, ReadOnlySpan<float> changes, ReadOnlySpan<float> products)
    {
        var (best, least) = (0, double.PositiveInfinity);
        for (var limit = 0; limit < Limits; limit++)
        {
            var loss = 0.0;
            for (var i = limit * w.Length; i < (limit + 1) * w.Length; i++) loss += products[i] * changes[i];
            if (loss < least) (best, least) = (limit, loss);
        }
        if (best > 0) Clamp(w, Limit(Largest(w), best), w);
    }

    private static float Largest(ReadOnlySpan<float> w) => MathF.Abs(TensorPrimitives.MaxMagnitude(w));

    private static float Limit(float largest, int limit) => (float)(Half)(largest * (1 - limit * LimitStep));

    private static void Clamp(ReadOnlySpan<float> source, float limit, Span<float> destination) =>
        TensorPrimitives.Clamp(source, -limit, limit, destination);

    // The moments of the scaled inputs; symmetric, so that their rows are their columns.
    private static Weight Moments(Backend backend, ReadOnlySpan<float> moments, ReadOnlySpan<float> scales)
    {
        var group = scales.Length;
        var scaled = new float[moments.Length];
        for (var i = 0; i < group; i++)
            for (var j = 0; j < group; j++) scaled[i * group + j] = moments[i * group + j] / (scales[i] * scales[j]);
        fixed (float* data = scaled) return backend.Upload(new HostWeight("moments", WeightFormat.F32, group, group, data));
    }
}

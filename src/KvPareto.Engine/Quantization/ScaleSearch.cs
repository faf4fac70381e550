using System.Numerics.Tensors;

namespace KvPareto.Engine.Quantization;

/// <summary>What a scale search chose.</summary>
/// <param name="Inputs">Whose inputs are scaled, for example <c>q, k, v</c>.</param>
/// <param name="Ratio">r: 0 follows the weights alone, towards 1 the activations.</param>
/// <param name="Loss">Mean squared change of the outputs with it.</param>
/// <param name="LossAtZero">The same for r = 0.</param>
public sealed record ScaleChoice(string Inputs, float Ratio, double Loss, double LossAtZero);

/// <summary>
/// AutoAWQ's first search, of one factor t for each input channel of linear layers that share their input: with x the mean of the
/// inputs' magnitudes and w the mean over rows of |W| / (largest |W| of the group + 1e-6), for r = 0, 0.05 … 0.95
/// t = max(x^r / (w^(1−r) + 1e-4), 1e-4), divided by √(max t · min t); the t whose Q(W·t)/t changes the outputs least.
/// </summary>
internal static unsafe class ScaleSearch
{
    private const int Ratios = 20;
    private const float SmallestScale = 1e-4f;

    /// <summary>Searches; nothing is changed.</summary>
    /// <param name="name">Of the choice.</param>
    /// <param name="layers">Layers of one input, [N, K] each.</param>
    /// <param name="inputs">Statistics of the input.</param>
    /// <param name="options">Bits and group.</param>
    /// <param name="lossOf">Loss with these weights in place of the layers' own.</param>
    public static (float[] Scales, ScaleChoice Choice) Run(
        string name,
        IReadOnlyList<LinearMatrix> layers,
        InputStatistics inputs,
        QuantizeOptions options,
        Func<IReadOnlyList<float[]>, double> lossOf)
    {
        var (magnitudes, importance) = (inputs.Magnitudes, WeightMagnitudes(layers, options.Group));
        var values = layers.Select(layer => new float[layer.Values.Length]).ToArray();
        float[]? best = null;
        var (bestRatio, bestLoss, lossAtZero) = (0f, double.PositiveInfinity, double.NaN);
        for (var i = 0; i < Ratios; i++)
        {
            var ratio = (float)i / Ratios;
            var scales = Scales(magnitudes, importance, ratio);
            for (var layer = 0; layer < layers.Count; layer++) Quantize(layers[layer], scales, options, values[layer]);
            var loss = lossOf(values);
            if (i == 0) lossAtZero = loss;
            if (loss < bestLoss) (best, bestRatio, bestLoss) = (scales, ratio, loss);
        }
        return best is null
            ? throw new NotFiniteNumberException($"the outputs of {layers[0].Layer} are not finite")
            : (best, new(name, bestRatio, bestLoss, lossAtZero));
    }

    private static float[] Scales(float[] magnitudes, float[] importance, float ratio)
    {
        var scales = new float[magnitudes.Length];
        for (var k = 0; k < scales.Length; k++)
        {
            var scale = MathF.Pow(magnitudes[k], ratio) / (MathF.Pow(importance[k], 1 - ratio) + 1e-4f);
            scales[k] = MathF.Max(scale, SmallestScale);
        }
        TensorPrimitives.Divide(scales, MathF.Sqrt(TensorPrimitives.Max<float>(scales) * TensorPrimitives.Min<float>(scales)), scales);
        return scales;
    }

    private static float[] WeightMagnitudes(IReadOnlyList<LinearMatrix> layers, int group)
    {
        var sums = new double[layers[0].Columns];
        foreach (var layer in layers)
            for (var first = 0; first < layer.Values.Length; first += group)
            {
                var values = layer.Values.AsSpan(first, group);
                var largest = MathF.Abs(TensorPrimitives.MaxMagnitude<float>(values)) + 1e-6f;
                for (var i = 0; i < group; i++) sums[first % layer.Columns + i] += MathF.Abs(values[i]) / largest;
            }
        var rows = layers.Sum(layer => layer.Rows);
        return Array.ConvertAll(sums, sum => (float)(sum / rows));
    }

    // Q(W·t)/t.
    private static void Quantize(LinearMatrix layer, float[] scales, QuantizeOptions options, float[] result)
    {
        var columns = layer.Columns;
        Parallel.For(0, layer.Rows, row =>
        {
            var values = result.AsSpan(row * columns, columns);
            TensorPrimitives.Multiply(layer.Values.AsSpan(row * columns, columns), scales, values);
            HalfRounding.Round(values);
            fixed (float* p = values)
                for (var first = 0; first < columns; first += options.Group)
                    AwqCodec.Reconstruct(p + first, options.Group, options.Bits, p + first);
            TensorPrimitives.Divide(values, scales, values);
        });
    }
}

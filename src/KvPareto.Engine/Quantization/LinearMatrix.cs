using System.Numerics.Tensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Quantization;

/// <summary>A linear layer's weight [N, K] and bias [N] in f32, while they are being changed.</summary>
/// <param name="layer">Name without <c>.weight</c>.</param>
/// <param name="rows">N.</param>
/// <param name="columns">K.</param>
/// <param name="values">[N, K].</param>
/// <param name="bias">[N], or null.</param>
internal sealed unsafe class LinearMatrix(string layer, int rows, int columns, float[] values, float[]? bias)
{
    private const float LargestHalf = 65504;

    public string Layer { get; } = layer;

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    public float[] Values { get; } = values;

    public float[]? Bias { get; } = bias;

    /// <summary>Reads a layer.</summary>
    /// <param name="checkpoint">Where from.</param>
    /// <param name="shape">The layer as it was loaded.</param>
    /// <param name="staging">Where bytes count while they are read.</param>
    /// <exception cref="ConfigException">It holds a value that f16, in which the format is defined, cannot.</exception>
    public static LinearMatrix Read(Checkpoint checkpoint, Weight shape, MemoryLedger staging)
    {
        var layer = shape.Name[..^".weight".Length];
        var bias = checkpoint.Contains($"{layer}.bias") ? Floats(checkpoint, $"{layer}.bias", staging) : null;
        return new(layer, shape.RowCount, shape.ColumnCount, Floats(checkpoint, shape.Name, staging), bias);
    }

    /// <summary>Brings a weight of the same shape and bias but other <paramref name="values"/> to a backend.</summary>
    public Weight Upload(Backend backend, float[] values)
    {
        fixed (float* data = values) return backend.Upload(new HostWeight(Layer, WeightFormat.F32, Rows, Columns, data) { Bias = Bias });
    }

    /// <summary>Multiplies the weights of each input channel.</summary>
    public void ScaleColumns(float[] factors)
    {
        for (var row = 0; row < Rows; row++)
        {
            var values = Values.AsSpan(row * Columns, Columns);
            TensorPrimitives.Multiply(values, factors, values);
        }
    }

    /// <summary>Divides the weights and the bias of each output channel.</summary>
    public void DivideRows(float[] divisors)
    {
        for (var row = 0; row < Rows; row++)
        {
            var values = Values.AsSpan(row * Columns, Columns);
            TensorPrimitives.Divide(values, divisors[row], values);
        }
        if (Bias is not null) TensorPrimitives.Divide(Bias, divisors, Bias);
    }

    /// <summary>A tensor of a checkpoint as f32.</summary>
    /// <exception cref="ConfigException">It holds a value that f16 cannot.</exception>
    public static float[] Floats(Checkpoint checkpoint, string name, MemoryLedger staging)
    {
        using var tensor = checkpoint.Get(name, staging);
        var values = tensor.Floats();
        CheckHalf(tensor, values);
        return values;
    }

    /// <summary>Refuses values that f16 does not have.</summary>
    /// <exception cref="ConfigException">There is one.</exception>
    public static void CheckHalf(HostTensor tensor, ReadOnlySpan<float> values)
    {
        if (!(MathF.Abs(TensorPrimitives.MaxMagnitude(values)) <= LargestHalf)) // a NaN included
            throw new ConfigException($"{tensor.File}: tensor '{tensor.Name}' holds a value that f16 cannot; allowed: -65504 to 65504");
    }
}

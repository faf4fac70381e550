using System.Numerics.Tensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Quantization;

/// <summary>What of one decoder layer the search changes, in f32.</summary>
internal sealed class LayerMatrices
{
    private LayerMatrices(LayerWeights w, Func<Weight, LinearMatrix> matrix, Func<string, float[]> vector)
    {
        (InputNormName, PostAttentionNormName) = (w.InputNorm.Name, w.PostAttentionNorm.Name);
        (InputNorm, PostAttentionNorm) = (vector(InputNormName), vector(PostAttentionNormName));
        (Query, Key, Value, Output) = (matrix(w.Query), matrix(w.Key), matrix(w.Value), matrix(w.Output));
        (Gate, Up, Down) = (matrix(w.Gate), matrix(w.Up), matrix(w.Down));
    }

    public string InputNormName { get; }

    public float[] InputNorm { get; } // [H]

    public LinearMatrix Query { get; }

    public LinearMatrix Key { get; }

    public LinearMatrix Value { get; }

    public LinearMatrix Output { get; }

    public string PostAttentionNormName { get; }

    public float[] PostAttentionNorm { get; } // [H]

    public LinearMatrix Gate { get; }

    public LinearMatrix Up { get; }

    public LinearMatrix Down { get; }

    public IEnumerable<LinearMatrix> Linear => [Query, Key, Value, Output, Gate, Up, Down];

    /// <summary>Reads a layer whose shapes were checked when <paramref name="weights"/> were loaded.</summary>
    /// <exception cref="ConfigException">It holds a value that f16 cannot.</exception>
    public static LayerMatrices Read(Checkpoint checkpoint, LayerWeights weights, MemoryLedger staging) =>
        new(weights, weight => LinearMatrix.Read(checkpoint, weight, staging), name => LinearMatrix.Floats(checkpoint, name, staging));

    /// <summary>Moves factors from the norm before q, k and v into them.</summary>
    public void ScaleAttentionInput(float[] scales) => Scale(InputNorm, scales, Query, Key, Value);

    /// <summary>Moves factors from v into o.</summary>
    public void ScaleOutputInput(float[] scales)
    {
        Output.ScaleColumns(scales);
        Value.DivideRows(scales);
    }

    /// <summary>Moves factors from the norm before gate and up into them.</summary>
    public void ScaleFeedForwardInput(float[] scales) => Scale(PostAttentionNorm, scales, Gate, Up);

    /// <summary>Moves factors from up into down.</summary>
    public void ScaleDownInput(float[] scales)
    {
        Down.ScaleColumns(scales);
        Up.DivideRows(scales);
    }

    /// <summary>Rounds the linear layers to f16, in which the format is defined.</summary>
    public void Round()
    {
        foreach (var matrix in Linear) HalfRounding.Round(matrix.Values);
    }

    private static void Scale(float[] norm, float[] scales, params ReadOnlySpan<LinearMatrix> matrices)
    {
        TensorPrimitives.Divide(norm, scales, norm);
        foreach (var matrix in matrices) matrix.ScaleColumns(scales);
    }
}

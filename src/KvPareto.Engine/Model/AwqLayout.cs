namespace KvPareto.Engine.Model;

/// <summary>
/// AutoAWQ's <c>gemm</c> layout of a linear layer L of K inputs and N outputs in groups of g inputs: <c>L.qweight</c> int32
/// [K, N·bits/32], <c>L.qzeros</c> int32 [K/g, N·bits/32], <c>L.scales</c> f16 [K/g, N]; the weight is scale·(q − zero).
/// A word holds neighbouring outputs, those of even number in its low half: at 4 bits from the lowest up 0 2 4 6 1 3 5 7, at 8 bits
/// (which AutoAWQ has not, but vLLM reads) 0 2 1 3.
/// </summary>
internal static class AwqLayout
{
    public const string Codes = "qweight";
    public const string Zeros = "qzeros";
    public const string Scales = "scales";

    /// <summary>The tensors that a linear layer lies in, its bias aside.</summary>
    /// <param name="layer">[N, K].</param>
    /// <param name="bits">Of a code.</param>
    /// <param name="group">g.</param>
    public static (string Name, TensorType Type, int[] Shape)[] TensorsOf(WeightShape layer, int bits, int group)
    {
        var (words, groups) = (layer.Rows / WordOutputs(bits), layer.Columns / group);
        return
        [
            ($"{layer.Layer}.{Codes}", TensorType.I32, [layer.Columns, words]),
            ($"{layer.Layer}.{Zeros}", TensorType.I32, [groups, words]),
            ($"{layer.Layer}.{Scales}", TensorType.F16, [groups, layer.Rows]),
        ];
    }

    /// <summary>Outputs of a word.</summary>
    public static int WordOutputs(int bits) => 32 / bits;

    /// <summary>Where in its word the code of the word's output <paramref name="output"/> begins.</summary>
    public static int Shift(int bits, int output) => bits * (output / 2) + 16 * (output & 1);
}

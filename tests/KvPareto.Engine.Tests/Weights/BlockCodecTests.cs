using System.Runtime.InteropServices;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Tests.Checkpoints.Gguf;
using KvPareto.Engine.Weights;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Weights;

/// <summary>Blocks with every bit in play, decoded by ggml itself (Data/gguf/blocks.safetensors) or by its loops written out
/// (lowbit-blocks.py).</summary>
public sealed unsafe class BlockCodecTests
{
    [Theory]
    [InlineData("Q2_K")]
    [InlineData("Q3_K")]
    [InlineData("IQ4_NL")]
    [InlineData("IQ4_XS")]
    public void Decode_EqualsGgmlsLoops_BitForBit(string type) => Check("lowbit-blocks.safetensors", type);

    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    [InlineData("Q4_0")]
    [InlineData("Q4_1")]
    [InlineData("Q5_0")]
    [InlineData("Q5_1")]
    [InlineData("Q8_0")]
    [InlineData("Q4_K")]
    [InlineData("Q5_K")]
    [InlineData("Q6_K")]
    public void Decode_EqualsGgml_BitForBit(string type) => Check("blocks.safetensors", type);

    private static void Check(string golden, string type)
    {
        var path = TestData.Golden("gguf", golden);
        using var file = SafeTensorsFile.Open(path);
        var expected = TensorFile.Floats(path, $"{type}.values");
        var actual = new float[expected.Length];
        FloatRows.Widen(file.Tensors[$"{type}.bytes"].Data, GgufGolden.Format(type), actual);
        Assert.True(actual.Length > 100);
        Assert.Equal(MemoryMarshal.Cast<float, int>(expected).ToArray(), MemoryMarshal.Cast<float, int>(actual).ToArray());
    }
}

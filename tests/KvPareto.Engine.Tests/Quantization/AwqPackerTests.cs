using System.Runtime.InteropServices;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Quantization;
using KvPareto.Engine.Tests.Checkpoints.Awq;

namespace KvPareto.Engine.Tests.Quantization;

public class AwqPackerTests
{
    [Theory]
    [MemberData(nameof(AwqGolden.Layers), MemberType = typeof(AwqGolden))]
    public void Pack_GivesAutoAwqsOwnBytes(string model, string layer)
    {
        using var file = SafeTensorsFile.Open(Path.Combine(AwqGolden.Folder(model), "model.safetensors"));
        using var expected = SafeTensorsFile.Open(AwqGolden.Expected(model));
        var source = expected.Tensors[$"source.{layer}.weight"];
        var values = Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(source.Bytes).ToArray(), value => (float)value);
        var matrix = new LinearMatrix(layer, (int)source.Shape[0], (int)source.Shape[1], values, null);
        var group = model.EndsWith("g64", StringComparison.Ordinal) ? 64 : 128;
        var packed = AwqPacker.Pack(matrix, new(QuantizeMethod.Rtn, 4, group));
        Assert.Equal(file.Tensors[$"{layer}.qweight"].Bytes, packed.Codes);
        Assert.Equal(file.Tensors[$"{layer}.qzeros"].Bytes, packed.Zeros);
        Assert.Equal(file.Tensors[$"{layer}.scales"].Bytes, packed.Scales);
    }

    [Theory]
    [InlineData(4, "0 16 4 20 8 24 12 28")]
    [InlineData(8, "0 16 8 24")]
    public void Shift_IsTheOrderOfTheWord(int bits, string expected) => Assert.Equal(
        expected,
        string.Join(' ', Enumerable.Range(0, AwqLayout.WordOutputs(bits)).Select(output => AwqLayout.Shift(bits, output))));
}

using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Quantization;
using KvPareto.Engine.Tests.Checkpoints.Awq;

namespace KvPareto.Engine.Tests.Quantization;

public sealed unsafe class AwqCodecTests
{
    /// <summary>From the weights as they were just before, AutoAWQ's own scales, zeros and codes, planted groups included.</summary>
    [Theory]
    [MemberData(nameof(AwqGolden.Layers), MemberType = typeof(AwqGolden))]
    public void FitAndEncode_GiveAutoAwqsOwn(string model, string layer)
    {
        var tensors = Path.Combine(AwqGolden.Folder(model), "model.safetensors");
        var source = AwqGolden.Read<Half>(AwqGolden.Expected(model), $"source.{layer}.weight");
        var codes = AwqGolden.Read<uint>(tensors, $"{layer}.qweight");
        var zeros = AwqGolden.Read<uint>(tensors, $"{layer}.qzeros");
        var scales = AwqGolden.Read<Half>(tensors, $"{layer}.scales");
        var group = model.EndsWith("g64", StringComparison.Ordinal) ? 64 : 128;
        var columns = source.Length / Rows(tensors, layer);
        var rows = source.Length / columns;
        float* values = stackalloc float[group];
        byte* actual = stackalloc byte[group];
        for (var row = 0; row < rows; row++)
            for (var g = 0; g < columns / group; g++)
            {
                for (var i = 0; i < group; i++) values[i] = (float)source[row * columns + g * group + i];
                var (scale, zero) = AwqCodec.Fit(values, group, 4);
                Assert.Equal((float)scales[g * rows + row], scale);
                Assert.Equal(Code(zeros, g, row, rows), (int)zero);
                AwqCodec.Encode(values, group, scale, zero, 4, actual);
                for (var i = 0; i < group; i++) Assert.Equal(Code(codes, g * group + i, row, rows), actual[i]);
            }
    }

    private static int Rows(string file, string layer)
    {
        using var tensors = SafeTensorsFile.Open(file);
        return (int)tensors.Tensors[layer + ".scales"].Shape[1];
    }

    private static int Code(uint[] words, int input, int output, int rows) =>
        (int)(words[input * (rows / 8) + output / 8] >> AwqLayout.Shift(4, output % 8)) & 15;
}

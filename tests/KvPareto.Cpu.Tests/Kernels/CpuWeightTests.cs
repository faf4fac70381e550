using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class CpuWeightTests
{
    [Theory]
    [InlineData(WeightFormat.F32, 100, 33, 0)]
    [InlineData(WeightFormat.F16, 100, 33, 0)]
    [InlineData(WeightFormat.BF16, 300, 65, 0)]
    [InlineData(WeightFormat.W4, 576, 65, 64)]
    [InlineData(WeightFormat.W4, 1024, 40, 128)]
    [InlineData(WeightFormat.W4, 96, 31, 32)]
    [InlineData(WeightFormat.W4, 96, 1, 32)]
    [InlineData(WeightFormat.W8, 576, 65, 64)]
    [InlineData(WeightFormat.W8, 1024, 40, 128)]
    [InlineData(WeightFormat.W8, 96, 1, 32)]
    [InlineData(WeightFormat.BF16, 77, 1, 0)]
    [InlineData(WeightFormat.Q40, 96, 33, 0)]
    [InlineData(WeightFormat.Q41, 96, 33, 0)]
    [InlineData(WeightFormat.Q50, 96, 33, 0)]
    [InlineData(WeightFormat.Q51, 96, 1, 0)]
    [InlineData(WeightFormat.Q80, 96, 33, 0)]
    [InlineData(WeightFormat.Q4K, 512, 33, 0)]
    [InlineData(WeightFormat.Q5K, 512, 33, 0)]
    [InlineData(WeightFormat.Q6K, 512, 33, 0)]
    [InlineData(WeightFormat.Q2K, 512, 33, 0)]
    [InlineData(WeightFormat.Q3K, 512, 33, 0)]
    [InlineData(WeightFormat.IQ4NL, 96, 33, 0)]
    [InlineData(WeightFormat.IQ4XS, 512, 33, 0)]
    public void DecodeRow_IsExact(WeightFormat format, int columns, int outputs, int group)
    {
        using var linear = new LinearCase(format, 1, columns, outputs, group, bias: false);
        var row = new float[columns];
        fixed (float* p = row)
            for (var n = 0; n < outputs; n++)
            {
                linear.Weight.DecodeRow(n, p);
                for (var k = 0; k < columns; k++)
                    Assert.Equal(BitConverter.SingleToInt32Bits((float)linear.Values[n, k]), BitConverter.SingleToInt32Bits(row[k]));
            }
        Assert.Throws<ArgumentOutOfRangeException>(() => linear.Weight.DecodeRow(outputs, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => linear.Weight.DecodeRow(-1, null));
    }

    [Theory]
    [InlineData(WeightFormat.F32, 64, 64, 0, 32.0)]
    [InlineData(WeightFormat.BF16, 576, 1536, 0, 16.0)]
    [InlineData(WeightFormat.W4, 576, 192, 32, 5.0)]
    [InlineData(WeightFormat.W4, 1536, 576, 128, 4.25)]
    [InlineData(WeightFormat.Q41, 576, 192, 0, 5.0)]
    [InlineData(WeightFormat.Q6K, 512, 192, 0, 6.5625)]
    [InlineData(WeightFormat.Q2K, 512, 192, 0, 2.625)]
    [InlineData(WeightFormat.Q3K, 512, 192, 0, 3.4375)]
    [InlineData(WeightFormat.IQ4NL, 512, 192, 0, 4.5)]
    [InlineData(WeightFormat.IQ4XS, 512, 192, 0, 4.25)]
    [InlineData(WeightFormat.W8, 576, 192, 64, 8.5)]
    public void Create_TakesTheFormatsBitsAndCountsThem(WeightFormat format, int columns, int outputs, int group, double bitsPerElement)
    {
        using var linear = new LinearCase(format, 1, columns, outputs, group, bias: true);
        var ledger = new MemoryLedger();
        using (var weight = CpuWeight.Create(ledger, linear.Host))
        {
            Assert.Equal((long)(bitsPerElement * columns * outputs / 8) + outputs * 4, weight.ByteCount);
            Assert.Equal(weight.ByteCount, ledger.Live.Weights);
            Assert.Equal(weight.ByteCount, CpuWeight.PredictByteCount(format, outputs, columns, group, hasBias: true));
        }
        Assert.Equal(0, ledger.Live.Total);
    }

    [Theory]
    [InlineData(96, 0)]
    [InlineData(96, 48)]
    [InlineData(96, 64)]
    [InlineData(96, -32)]
    public void Create_RefusesGroupsThatDoNotFit(int columns, int group)
    {
        using var linear = new LinearCase(WeightFormat.W4, 1, columns, 40, 32, bias: false);
        var host = new HostWeight("model.layers.0.x", WeightFormat.W4, 40, columns, linear.Host.Data)
        { GroupSize = group, Groups = linear.Host.Groups };
        var error = Assert.Throws<ArgumentException>(() => CpuWeight.Create(new MemoryLedger(), host));
        Assert.Contains("model.layers.0.x", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(WeightFormat.Q80, 48)]
    [InlineData(WeightFormat.Q6K, 96)]
    public void Create_RefusesRowsOfNoWholeNumberOfBlocks(WeightFormat format, int columns)
    {
        var host = new HostWeight("model.layers.0.x", format, 40, columns, null);
        var error = Assert.Throws<ArgumentException>(() => CpuWeight.Create(new MemoryLedger(), host));
        Assert.Contains("model.layers.0.x", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StoredGroups_AreOfWhatScratchIsMadeFor() =>
        Assert.All(WeightFormats.StoredGroups, group => Assert.Equal(0, group % CodeFormats.LeastGroup));

    [Fact]
    public void Create_RefusesABiasOfAnotherLength()
    {
        using var linear = new LinearCase(WeightFormat.F32, 1, 8, 40, 0, bias: false);
        var host = new HostWeight("x", WeightFormat.F32, 40, 8, linear.Host.Data) { Bias = new float[39] };
        Assert.Throws<ArgumentException>(() => CpuWeight.Create(new MemoryLedger(), host));
    }
}

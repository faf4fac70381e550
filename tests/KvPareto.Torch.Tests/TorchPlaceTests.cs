using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Torch.Tests;

/// <summary>What needs no libtorch: names of devices, where libtorch is looked for, meters.</summary>
public class TorchPlaceTests
{
    [Theory]
    [InlineData("", "torch")]
    [InlineData(":cpu", "torch")]
    [InlineData(":cuda", "torch:cuda")]
    [InlineData(":cuda:0", "torch:cuda")]
    [InlineData(":cuda:3", "torch:cuda:3")]
    [InlineData(":mps", "torch:mps")]
    [InlineData(":cuda:", null)]
    [InlineData(":cuda:-1", null)]
    [InlineData(":cuda:1:2", null)]
    [InlineData(":tpu", null)]
    [InlineData("cuda", null)]
    public void Devices_AreReadFromTheirNames(string suffix, string? name) => Assert.Equal(name, TorchDevice.Parse(suffix)?.ToString());

    [Fact]
    public void Meter_SeesWhatThisProcessTouches()
    {
        if (ProcessMeter.TryCreate() is not { } meter)
        {
            Assert.Skip("this system does not let a process reset its high mark");
            return;
        }
        const int Bytes = 64 << 20;
        using (new NativeBuffer(new MemoryLedger(), MemoryCategory.Workspace, Bytes).Clear())
            Assert.InRange(meter.HighBytes, Bytes, Bytes + (256L << 20));
        meter.Reset();
        Assert.InRange(meter.HighBytes, 0, Bytes - 1);
        Assert.Equal(PeakKind.Process, meter.Kind);
    }

    [Fact]
    public void OldCppLibrary_OrMissingLibtorch_IsOneLine()
    {
        try
        {
            TorchLibrary.Load();
        }
        catch (ConfigException error)
        {
            Assert.StartsWith("device torch: ", error.Message, StringComparison.Ordinal);
            Assert.Contains("allowed: ", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }
}

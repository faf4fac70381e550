using KvPareto.Engine.Seam;

namespace KvPareto.Torch.Tests;

/// <summary>Alone: what other tests free meanwhile would be taken off what this one touches.</summary>
[CollectionDefinition(nameof(ProcessMeterTests), DisableParallelization = true)]
[Collection(nameof(ProcessMeterTests))]
public class ProcessMeterTests
{
    [Fact]
    public void Bytes_AreOfNumbersOfAnyWidth()
    {
        string[] lines = ["VmHWM:\t10134976 kB", "VmRSS:\t    5128 kB", "RssAnon:\t123456789 kB"];
        Assert.Equal(10_134_976L << 10, ProcessMeter.Bytes(lines, "VmHWM"));
        Assert.Equal(5128L << 10, ProcessMeter.Bytes(lines, "VmRSS"));
        Assert.Equal(123_456_789L << 10, ProcessMeter.Bytes(lines, "RssAnon"));
        Assert.Equal(0, ProcessMeter.Bytes(lines, "RssFile"));
    }

    [Fact]
    public void Meter_SeesWhatThisProcessTouches()
    {
        GC.Collect();
        if (ProcessMeter.TryCreate() is not { } meter)
        {
            Assert.Skip("this system does not let a process reset its high mark");
            return;
        }
        const int Bytes = 256 << 20;
        const int GivenBack = 16 << 20; // by the runtime and libtorch meanwhile: what is read is the whole process
        using (new NativeBuffer(new MemoryLedger(), MemoryCategory.Workspace, Bytes).Clear())
            Assert.InRange(meter.HighBytes, Bytes - GivenBack, Bytes + (256L << 20));
        meter.Reset();
        Assert.InRange(meter.HighBytes, 0, Bytes - GivenBack - 1);
        Assert.Equal(PeakKind.Process, meter.Kind);
    }
}

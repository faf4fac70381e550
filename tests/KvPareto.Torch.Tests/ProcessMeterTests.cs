using KvPareto.Engine.Seam;

namespace KvPareto.Torch.Tests;

/// <summary>Alone: what other tests free meanwhile would be taken off what this one touches.</summary>
[CollectionDefinition(nameof(ProcessMeterTests), DisableParallelization = true)]
[Collection(nameof(ProcessMeterTests))]
public class ProcessMeterTests
{
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

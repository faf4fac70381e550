using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Tests.Memory;

/// <summary>Peaks of a backend whose library allocates by itself.</summary>
public class MeteredLedgerTests
{
    [Fact]
    public void WhatIsMeasuredBeyondTheLedger_IsWorkspace()
    {
        var meter = new FakeMeter();
        var ledger = new MemoryLedger(meter);
        ledger.Add(MemoryCategory.Weights, 100);
        meter.Set(130);
        ledger.Enter(MemoryPhase.Prefill);
        ledger.Add(MemoryCategory.KvCache, 50);
        ledger.Add(MemoryCategory.Workspace, 7); // a bound, that the meter knows better
        meter.Set(190);
        ledger.Enter(MemoryPhase.Decode);
        meter.Set(160);
        var peaks = ledger.Peaks;
        Assert.Equal(PeakKind.Process, peaks.Kind);
        Assert.Equal(new MemoryUse(100, 0, 0, 30), peaks.Load);
        Assert.Equal(new MemoryUse(100, 50, 0, 40), peaks.Prefill);
        Assert.Equal(new MemoryUse(100, 50, 0, 10), peaks.Decode);
        Assert.Equal(2, meter.Resets);
    }

    /// <summary>A run that does not decode has no decode peak, whatever the run before it left on the meter.</summary>
    [Fact]
    public void RestartedPhase_ForgetsWhatWasMeasured()
    {
        var meter = new FakeMeter();
        var ledger = new MemoryLedger(meter);
        ledger.Enter(MemoryPhase.Decode);
        ledger.Add(MemoryCategory.Weights, 100);
        meter.Set(1000);
        ledger.Restart(MemoryPhase.Prefill);
        ledger.Restart(MemoryPhase.Decode);
        ledger.Enter(MemoryPhase.Prefill);
        meter.Set(300);
        Assert.Equal(0, ledger.Peaks.Decode.Total);
        Assert.Equal(300, ledger.Peaks.Prefill.Total);
    }

    [Fact]
    public void WithoutAMeter_TheLedgerCounts()
    {
        var ledger = new MemoryLedger();
        ledger.Add(MemoryCategory.Workspace, 7);
        Assert.Equal(PeakKind.Ledger, ledger.Peaks.Kind);
        Assert.Equal(7, ledger.Peaks.Load.Workspace);
    }

    /// <summary>Of several runs under way each has the peaks that it has alone.</summary>
    [Fact]
    public void WhatOthersHold_IsLeftOut()
    {
        var ledger = new MemoryLedger();
        ledger.Add(MemoryCategory.Weights, 100);
        var idle = ledger.Live;
        ledger.Add(MemoryCategory.KvCache, 40);
        ledger.Add(MemoryCategory.Workspace, 5);
        var peaks = ledger.Beside(ledger.Live - idle, () =>
        {
            ledger.Restart(MemoryPhase.Prefill);
            ledger.Enter(MemoryPhase.Prefill);
            ledger.Add(MemoryCategory.KvCache, 7);
            return ledger.Peaks;
        });
        Assert.Equal(new MemoryUse(100, 7, 0, 0), peaks.Prefill);
        Assert.Equal(new MemoryUse(100, 47, 0, 5), ledger.Live);
        ledger.Enter(MemoryPhase.Decode);
        Assert.Equal(152, ledger.Peaks.Decode.Total);
        Assert.Throws<InvalidOperationException>(() => new MemoryLedger(new FakeMeter()).Beside(default, () => 0));
    }

    /// <summary>What is kept for later runs counts to none, under way together or alone, until it is given back.</summary>
    [Fact]
    public void WhatIsPutAside_CountsToNoPeak()
    {
        var ledger = new MemoryLedger();
        ledger.Add(MemoryCategory.Weights, 100);
        ledger.Enter(MemoryPhase.Prefill);
        var peaks = ledger.Beside(new(0, 20, 0, 0), () =>
        {
            ledger.Add(MemoryCategory.KvCache, 30); // 20 of them another's
            ledger.Aside(() => ledger.Add(MemoryCategory.KvCache, 1000));
            ledger.Add(MemoryCategory.Activations, 3);
            return ledger.Peaks;
        });
        Assert.Equal(new MemoryUse(100, 10, 3, 0), peaks.Prefill);
        Assert.Equal((new MemoryUse(100, 1030, 3, 0), new MemoryUse(100, 30, 3, 0)), (ledger.Live, ledger.Counted));
        ledger.Enter(MemoryPhase.Decode);
        ledger.Aside(() => ledger.Remove(MemoryCategory.KvCache, 1000));
        ledger.Add(MemoryCategory.Workspace, 2);
        Assert.Equal(new MemoryUse(100, 30, 3, 2), ledger.Peaks.Decode);
        Assert.Equal(ledger.Live, ledger.Counted);
        Assert.Throws<InvalidOperationException>(() => new MemoryLedger(new FakeMeter()).Aside(() => { }));
    }

    private sealed class FakeMeter : MemoryMeter
    {
        private long _high;

        public int Resets { get; private set; }

        public override PeakKind Kind => PeakKind.Process;

        public override long HighBytes => _high;

        public override void Reset()
        {
            Resets++;
            _high = 0;
        }

        public void Set(long bytes) => _high = bytes;
    }
}

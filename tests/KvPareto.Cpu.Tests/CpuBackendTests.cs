using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Testing.Conformance;

namespace KvPareto.Cpu.Tests;

public class CpuBackendTests : BackendConformance
{
    protected override Backend Create() => new CpuBackend();
}

/// <summary>One worker; its attention is that of several bit for bit, which the tests above compare with the reference.</summary>
public class CpuBackendOneWorkerTests : BackendConformance
{
    protected override Backend Create() => new CpuBackend(workers: 1);

    protected override void CheckAttention(KvGeometry geometry, KvSpec spec, int[] steps, AttentionKernel kernel)
    {
        using var several = new CpuBackend();
        using var one = Create();
        AssertSameAttention(several, one, geometry, spec, steps, kernel);
    }
}

public class CpuBatchTests : BatchConformance
{
    protected override Backend Create() => new CpuBackend();
}

public class CpuPrefixTests : PrefixConformance
{
    protected override Backend Create() => new CpuBackend();
}

public class CpuNotFiniteTests : NotFiniteConformance
{
    protected override Backend Create() => new CpuBackend(2);
}

using KvPareto.Engine.Seam;
using KvPareto.Testing.Conformance;

namespace KvPareto.Cpu.Tests;

public class CpuBackendTests : BackendConformance
{
    protected override Backend Create() => new CpuBackend();
}

public class CpuBackendOneWorkerTests : BackendConformance
{
    protected override Backend Create() => new CpuBackend(workers: 1);
}

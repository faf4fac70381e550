using KvPareto.Engine.Cpu;
using KvPareto.Testing.Conformance;

namespace KvPareto.Engine.Tests.Cpu;

public class CpuBackendTests : BackendConformance
{
    protected override Backend Create() => new CpuBackend();
}

public class CpuBackendOneWorkerTests : BackendConformance
{
    protected override Backend Create() => new CpuBackend(workers: 1);
}

using KvPareto.Engine.Seam;
using KvPareto.Testing.Conformance;

namespace KvPareto.Cuda.Tests;

[Trait("Category", "GPU")]
public class CudaBackendTests : BackendConformance
{
    // Sums of f32 in another order than the CPU's; products of more than eight rows by cuBLASLt.
    protected override double OpTolerance => 1e-5;

    // Queries, keys, values and weights in f16, which keeps 11 bits.
    protected override double AttentionTolerance => 2e-3;

    protected override double CodeEdgeTolerance => 5e-3;

    protected override DType[] AttentionTypes => [DType.F32, DType.BF16];

    // Keeps the device's context from being made anew for every test.
    private static readonly CudaBackend? Kept = CudaDevice.List().Count > 0 ? new CudaBackend() : null;

    protected override Backend Create()
    {
        if (Kept is null) Assert.Skip("needs a CUDA device");
        return new CudaBackend();
    }
}

[Trait("Category", "GPU")]
public class CudaBatchTests : BatchConformance
{
    protected override Backend Create()
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        return new CudaBackend();
    }
}

[Trait("Category", "GPU")]
public class CudaPrefixTests : PrefixConformance
{
    protected override Backend Create()
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        return new CudaBackend();
    }
}

[Trait("Category", "GPU")]
public class CudaNotFiniteTests : NotFiniteConformance
{
    protected override float Large => 60_000; // f16

    protected override DType[] AttentionTypes => [DType.F32, DType.BF16];

    protected override Backend Create()
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        return new CudaBackend();
    }
}

using KvPareto.Engine.Seam;
using KvPareto.Testing.Conformance;

namespace KvPareto.Torch.Tests;

/// <summary>On a CUDA device with the kernels of its own backend, on PyTorch's memory.</summary>
public class TorchBackendTests : BackendConformance
{
    protected override double OpTolerance => TorchLibraryOrSkip.IsGpu ? 1e-5 : 2e-6;

    protected override double AttentionTolerance => TorchLibraryOrSkip.IsGpu ? 2e-3 : base.AttentionTolerance; // f16

    protected override double CodeEdgeTolerance => TorchLibraryOrSkip.IsGpu ? 5e-3 : base.CodeEdgeTolerance;

    protected override DType[] AttentionTypes => TorchLibraryOrSkip.AttentionTypes;

    protected override Backend Create() => TorchLibraryOrSkip.Backend();
}

/// <summary>PyTorch's ops alone; a cache of any length is unpacked in several stretches, whose running softmax states are merged.</summary>
public class TorchBackendOfShortStretchesTests : BackendConformance
{
    protected override double OpTolerance => TorchLibraryOrSkip.IsGpu ? 1e-5 : 2e-6;

    protected override Backend Create() => TorchLibraryOrSkip.Backend(stretchTokens: 24, usesKernels: false);
}

public class TorchNotFiniteTests : NotFiniteConformance
{
    protected override float Large => TorchLibraryOrSkip.IsGpu ? 60_000 : base.Large; // f16

    protected override DType[] AttentionTypes => TorchLibraryOrSkip.AttentionTypes;

    protected override Backend Create() => TorchLibraryOrSkip.Backend();
}

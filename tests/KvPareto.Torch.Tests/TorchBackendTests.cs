using KvPareto.Engine.Seam;
using KvPareto.Testing.Conformance;

namespace KvPareto.Torch.Tests;

public class TorchBackendTests : BackendConformance
{
    protected override double OpTolerance => TorchLibraryOrSkip.IsGpu ? 1e-5 : 2e-6;

    protected override Backend Create() => TorchLibraryOrSkip.Backend();
}

/// <summary>A cache of any length is unpacked in several stretches, whose running softmax states are merged.</summary>
public class TorchBackendOfShortStretchesTests : BackendConformance
{
    protected override double OpTolerance => TorchLibraryOrSkip.IsGpu ? 1e-5 : 2e-6;

    protected override Backend Create() => TorchLibraryOrSkip.Backend(stretchTokens: 24);
}

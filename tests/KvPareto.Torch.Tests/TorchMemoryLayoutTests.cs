using KvPareto.Cuda;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Weights;

namespace KvPareto.Torch.Tests;

/// <summary>Sizes on a CUDA device, where its own backend's kernels have what they take; no device is needed to tell them.</summary>
public class TorchMemoryLayoutTests
{
    private static readonly TorchMemoryLayout Ops = new(new("cuda"));
    private static readonly CudaMemoryLayout Kernels = new();
    private static readonly TorchMemoryLayout Both = new(new("cuda"), Kernels);

    [Theory]
    [InlineData("k4v4-t32", 64, true)]
    [InlineData("k16v16", 96, true)]
    [InlineData("k8v2-kch32-vt16-sink3-recent20", 256, true)]
    [InlineData("k8v8-t8", 24, false)]
    [InlineData("k16v16", 288, false)]
    public void Caches_AreTheKernels_WhereTheyTakeTheHeads(string name, int headDim, bool hasKernels)
    {
        var spec = InferenceSetting.Parse("w16a16-" + name).Cache;
        var geometry = new KvGeometry(6, 2, headDim, [0, 0]);
        Assert.Equal(hasKernels, Both.HasKernels(geometry, spec));
        Assert.False(Ops.HasKernels(geometry, spec));
        MemoryLayout expected = hasKernels ? Kernels : Ops;
        Assert.Equal(expected.CacheBytes(geometry, spec, 300), Both.CacheBytes(geometry, spec, 300));
    }

    [Theory]
    [InlineData(WeightFormat.W4, 32)]
    [InlineData(WeightFormat.W8, 64)]
    [InlineData(WeightFormat.BF16, 0)]
    public void CodedWeights_AreTheKernels(WeightFormat format, int group)
    {
        MemoryLayout expected = group > 0 ? Kernels : Ops;
        Assert.Equal(expected.WeightBytes(format, 96, 256, group, true), Both.WeightBytes(format, 96, 256, group, true));
        Assert.Equal(group > 0 ? Kernels.ProductBytes(format, 96, 256) : 0, Both.ProductBytes(format, 96, 256));
        Assert.Equal(0, Ops.ProductBytes(format, 96, 256));
    }

    [Fact]
    public void Workspaces_AreTheKernels()
    {
        var shape = new WorkspaceShape(64, 500, new KvGeometry(6, 2, 64, [0]), AttentionKernel.Flash);
        Assert.Equal(Kernels.WorkspaceBytes(shape) + 64 * sizeof(int), Both.WorkspaceBytes(shape));
    }
}

using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Torch;

/// <summary>
/// Sizes of the Torch backend's allocations, and bounds of what its ops take while they run. What PyTorch's kernels take besides is only
/// measured.
/// </summary>
/// <param name="device">Where it runs.</param>
/// <param name="kernels">Sizes of the backend that has the caches and the coded weights; null where PyTorch's ops do it.</param>
/// <param name="activations">Type of the tensors between ops; null for the device's.</param>
public sealed class TorchMemoryLayout(TorchDevice device, MemoryLayout? kernels = null, DType? activations = null) : MemoryLayout
{
    private const int BytesOfStripeElement = 9; // its code, the difference, the product

    /// <inheritdoc/>
    public override DType ActivationType { get; } = activations ?? (device.IsCpu ? DType.F32 : DType.BF16);

    /// <inheritdoc/>
    public override long FixedBytes => (long)StripeElements * BytesOfStripeElement;

    /// <summary>Elements of a weight that are decoded at once.</summary>
    public int StripeElements => device.IsCpu ? 1 << 20 : 1 << 24;

    /// <summary>Tokens of a layer's cache that are unpacked at once.</summary>
    public int StretchTokens => device.IsCpu ? 1024 : 16384;

    /// <summary>Whether kernels have a cache, and not PyTorch's ops.</summary>
    public bool HasKernels(KvGeometry geometry, KvSpec spec) => kernels is not null && kernels.Takes(geometry, spec);

    /// <inheritdoc/>
    public override long WeightBytes(WeightFormat format, int rows, int columns, int group, bool hasBias) =>
        kernels is not null && format.CodeBits() > 0 ? kernels.WeightBytes(format, rows, columns, group, hasBias)
        : TorchWeight.PredictByteCount(format, rows, columns, group, hasBias, ActivationType);

    /// <inheritdoc/>
    public override long ProductBytes(WeightFormat format, int rows, int columns) =>
        kernels is not null && format.CodeBits() > 0 ? kernels.ProductBytes(format, rows, columns) : 0;

    /// <inheritdoc/>
    public override long CacheBytes(KvGeometry geometry, KvSpec spec, int capacity) =>
        HasKernels(geometry, spec) ? kernels!.CacheBytes(geometry, spec, capacity)
        : TorchKvCache.PredictByteCount(geometry, spec, capacity);

    /// <inheritdoc/>
    public override long WorkspaceBytes(WorkspaceShape shape) =>
        (kernels?.WorkspaceBytes(shape) ?? TorchWorkspace.PredictByteCount(shape, StretchTokens)) + TorchWorkspace.IdBytes(shape);
}

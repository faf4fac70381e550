using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Steps that take their linear layers together, on compute capability 9.0: those are quicker of more rows, and memory of
/// activations is what bounds these. It comes from gate and up being one product, and from the scratch.</summary>
internal sealed class CudaSeveralSteps(CudaLinear linear) : SeveralSteps
{
    /// <inheritdoc/>
    public override DeviceBuffer? Alloc(long bytes, long stepBytes, int most) => linear.TryLend(bytes, stepBytes, most);

    /// <inheritdoc/>
    public override bool LeavesUp(Weight gate, Weight up) => ManyProducts.TakesPair((CudaWeight)gate, (CudaWeight)up);

    /// <inheritdoc/>
    public override Workspace Beside(Workspace other, Tensor description, int maxTokens) =>
        new CudaWorkspace((CudaWorkspace)other, description.Address, maxTokens);

    /// <inheritdoc/>
    public override bool AreOne(Workspace workspace, KvCache cache, int chunk, int tokens) =>
        ((CudaWorkspace)workspace).Takes(tokens, cache.Spec.PreBiasKeys) && ((CudaKvCache)cache).Layout.TakesAsOne(cache.Length, chunk);
}

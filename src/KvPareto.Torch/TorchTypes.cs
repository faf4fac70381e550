using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>PyTorch's names of element types.</summary>
internal static class TorchTypes
{
    /// <summary>The type of a tensor of the seam.</summary>
    public static torch.ScalarType Of(DType type) => type switch
    {
        DType.F32 => torch.ScalarType.Float32,
        DType.F16 => torch.ScalarType.Float16,
        DType.BF16 => torch.ScalarType.BFloat16,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}

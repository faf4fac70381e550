using KvPareto.Engine.Seam;
using KvPareto.Engine.Speed;
using static System.FormattableString;

namespace KvPareto.Torch;

/// <summary>What PyTorch's products do at best on a device; its bandwidth is not measured.</summary>
public static class TorchRates
{
    private const int ProductSize = 1024;

    /// <summary>Measures for about half a second.</summary>
    public static DeviceRates Measure(Backend backend)
    {
        var product = DeviceRates.DenseProduct(backend, ProductSize);
        return new(null, product, Invariant($"dense product {product / 1e9:F0} GFLOP/s"));
    }
}

using KvPareto.Cuda.Interop;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Speed;
using static System.FormattableString;

namespace KvPareto.Cuda;

/// <summary>What a CUDA device does at best.</summary>
public static class CudaRates
{
    private const int CopyBytes = 1 << 30;
    private const int Copies = 10;
    private const int ProductSize = 8192;

    /// <summary>Measures for about a second; takes up to 2 GiB of the device for that time.</summary>
    /// <exception cref="CudaException">The device has no room for it, or fails.</exception>
    public static DeviceRates Measure(CudaBackend backend)
    {
        var (copy, product) = (Copy(backend), DeviceRates.DenseProduct(backend, ProductSize));
        return new(copy, product, Invariant($"copy {copy / 1e12:F2} TB/s, dense bf16 product {product / 1e12:F0} TFLOP/s"));
    }

    // Bytes read and written a second by a copy on the device.
    private static double Copy(CudaBackend backend)
    {
        var (from, to) = (backend.Alloc(DType.F32, CopyBytes / 4096, 1024), backend.Alloc(DType.F32, CopyBytes / 4096, 1024));
        try
        {
            var seconds = Timing.Of(() =>
            {
                for (var i = 0; i < Copies; i++) CudaCopy.OnDevice(to.Address, from.Address, CopyBytes);
                CudaCopy.Wait();
            }).Best / Copies;
            return 2.0 * CopyBytes / seconds;
        }
        finally
        {
            from.Buffer.Dispose();
            to.Buffer.Dispose();
        }
    }
}

using System.Runtime.InteropServices;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using static System.FormattableString;

namespace KvPareto.Engine.Speed;

/// <summary>What a device does at best: the denominators of every floor.</summary>
/// <param name="BytesPerSecond">Bytes moved a second by a plain read or copy; null where it is not measured.</param>
/// <param name="OperationsPerSecond">Operations a second of a large dense product by the backend itself.</param>
/// <param name="Words">Both in words.</param>
public sealed record DeviceRates(double? BytesPerSecond, double OperationsPerSecond, string Words)
{
    private const int Products = 4;

    /// <summary>Those of a device whose bandwidth is not measured; takes half a second.</summary>
    public static DeviceRates OfProduct(Backend backend)
    {
        var product = DenseProduct(backend, 1024);
        return new(null, product, Invariant($"dense product {product / 1e9:F0} GFLOP/s"));
    }

    /// <summary>Operations a second of a square product in the backend's activation type.</summary>
    /// <param name="backend">Backend.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="seconds">How long to measure.</param>
    public static unsafe double DenseProduct(Backend backend, int size, double seconds = 0.5)
    {
        var type = backend.ActivationType;
        // ±0.5 … 1: bits vary, as those of real weights do, and nothing overflows.
        var random = new SplitMix64(1);
        var values = new float[size * size];
        foreach (ref var value in values.AsSpan())
            value = BitConverter.UInt32BitsToSingle(((uint)random.Next() & 0x807f_0000) | 0x3f00_0000);
        var (format, bytes) = type switch
        {
            DType.BF16 => (WeightFormat.BF16, MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(
                values, value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))).ToArray()),
            DType.F16 => (WeightFormat.F16, MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray()),
            _ => (WeightFormat.F32, MemoryMarshal.AsBytes<float>(values).ToArray()),
        };
        var (x, y) = (backend.Alloc(type, size, size), backend.Alloc(type, size, size));
        try
        {
            backend.Write(values, x);
            fixed (byte* data = bytes)
            {
                using var weight = backend.Upload(new HostWeight("product", format, size, size, data));
                var time = Timing.Of(() =>
                {
                    // Several in a row, so that waiting for a device does not count.
                    for (var i = 0; i < Products; i++) backend.Linear(x, weight, y);
                    backend.Synchronize();
                }, seconds).Best / Products;
                return 2.0 * size * size * size / time;
            }
        }
        finally
        {
            x.Buffer.Dispose();
            y.Buffer.Dispose();
        }
    }
}

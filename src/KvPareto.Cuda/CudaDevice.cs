using System.Globalization;
using System.Runtime.InteropServices;
using KvPareto.Cuda.Interop;

namespace KvPareto.Cuda;

/// <summary>A CUDA device of this machine.</summary>
/// <param name="Ordinal">Its number, from 0.</param>
/// <param name="Name">As the driver names it.</param>
/// <param name="TotalBytes">Its memory.</param>
/// <param name="Driver">CUDA version of the driver, as in <c>13.0</c>.</param>
public sealed record CudaDevice(int Ordinal, string Name, long TotalBytes, string Driver)
{
    private const int NoDevice = 100; // CUDA_ERROR_NO_DEVICE
    private const int NameLength = 256;

    /// <summary>The devices; none where there is no driver or no device.</summary>
    /// <exception cref="CudaException">The driver is there and fails.</exception>
    public static unsafe IReadOnlyList<CudaDevice> List()
    {
        if (!NativeLibrary.TryLoad(CudaDriver.Library, out _)) return [];
        var initialised = CudaDriver.cuInit(0);
        if (initialised == NoDevice) return [];
        CudaException.ThrowIfFailed(initialised, nameof(CudaDriver.cuInit));
        CudaException.ThrowIfFailed(CudaDriver.cuDriverGetVersion(out var version), nameof(CudaDriver.cuDriverGetVersion));
        CudaException.ThrowIfFailed(CudaDriver.cuDeviceGetCount(out var count), nameof(CudaDriver.cuDeviceGetCount));
        var driver = string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");
        var devices = new List<CudaDevice>();
        var name = stackalloc byte[NameLength];
        for (var ordinal = 0; ordinal < count; ordinal++)
        {
            CudaException.ThrowIfFailed(CudaDriver.cuDeviceGet(out var device, ordinal), nameof(CudaDriver.cuDeviceGet));
            CudaException.ThrowIfFailed(CudaDriver.cuDeviceGetName(name, NameLength, device), nameof(CudaDriver.cuDeviceGetName));
            CudaException.ThrowIfFailed(CudaDriver.cuDeviceTotalMem_v2(out var bytes, device), nameof(CudaDriver.cuDeviceTotalMem_v2));
            devices.Add(new(ordinal, Marshal.PtrToStringUTF8((nint)name)!, (long)bytes, driver));
        }
        return devices;
    }
}

using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>What the CUDA driver tells about a device, and how much of its default memory pool is used (cuda.h).</summary>
internal static partial class CudaDriver
{
    private const string Library = "libcuda.so.1";
    private const int ComputeMajor = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int ComputeMinor = 76;

    /// <summary>CU_MEMPOOL_ATTR_USED_MEM_HIGH: most bytes used since it was last set to zero.</summary>
    public const int UsedHigh = 8;

    /// <summary>The compute capability, as in <c>9.0</c>; null where there is no such driver.</summary>
    public static string? Capability(int ordinal) => HasDevice(ordinal, out var device)
        && cuDeviceGetAttribute(out var major, ComputeMajor, device) == 0
        && cuDeviceGetAttribute(out var minor, ComputeMinor, device) == 0 ? $"{major}.{minor}" : null;

    /// <summary>The default memory pool; null where there is none.</summary>
    public static nint? Pool(int ordinal) =>
        HasDevice(ordinal, out var device) && cuDeviceGetDefaultMemPool(out var pool, device) == 0 ? pool : null;

    private static bool HasDevice(int ordinal, out int device)
    {
        device = 0;
        return NativeLibrary.TryLoad(Library, out _) && cuDeviceGet(out device, ordinal) == 0;
    }

    [LibraryImport(Library)]
    private static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    private static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library)]
    private static partial int cuDeviceGetDefaultMemPool(out nint pool, int device);

    [LibraryImport(Library)]
    public static partial int cuMemPoolGetAttribute(nint pool, int attribute, out ulong value);

    [LibraryImport(Library)]
    public static partial int cuMemPoolSetAttribute(nint pool, int attribute, in ulong value);
}

using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>What the CUDA driver tells about a device, and how much of its default memory pool is used (cuda.h).</summary>
internal static partial class CudaDriver
{
    private const string Library = "libcuda.so.1";
    private const int ComputeMajor = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int ComputeMinor = 76;
    private const int UsedHigh = 8; // CU_MEMPOOL_ATTR_USED_MEM_HIGH: most bytes used since it was last set to zero
    private const int GraphUsedHigh = 1; // CU_GRAPH_MEM_ATTR_USED_MEM_HIGH: the same of what graphs take while they run

    /// <summary>The compute capability, as in <c>9.0</c>; null where there is no such driver.</summary>
    public static string? Capability(int ordinal) => HasDevice(ordinal, out var device)
        && cuDeviceGetAttribute(out var major, ComputeMajor, device) == 0
        && cuDeviceGetAttribute(out var minor, ComputeMinor, device) == 0 ? $"{major}.{minor}" : null;

    /// <summary>The default memory pool; null where there is none.</summary>
    public static nint? Pool(int ordinal) =>
        HasDevice(ordinal, out var device) && cuDeviceGetDefaultMemPool(out var pool, device) == 0 ? pool : null;

    /// <summary>The high marks in bytes of a pool and of the memory of graphs, which is not from there.</summary>
    public static long HighBytes(nint pool, int ordinal) =>
        (cuMemPoolGetAttribute(pool, UsedHigh, out var bytes) == 0 ? (long)bytes : 0)
        + (HasDevice(ordinal, out var device) && cuDeviceGetGraphMemAttribute(device, GraphUsedHigh, out bytes) == 0 ? (long)bytes : 0);

    /// <summary>Sets both to what is used now.</summary>
    public static void ResetHigh(nint pool, int ordinal)
    {
        _ = cuMemPoolSetAttribute(pool, UsedHigh, 0);
        if (HasDevice(ordinal, out var device)) _ = cuDeviceSetGraphMemAttribute(device, GraphUsedHigh, 0);
    }

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
    private static partial int cuDeviceGetGraphMemAttribute(int device, int attribute, out ulong value);

    [LibraryImport(Library)]
    private static partial int cuDeviceSetGraphMemAttribute(int device, int attribute, in ulong value);

    [LibraryImport(Library)]
    private static partial int cuMemPoolGetAttribute(nint pool, int attribute, out ulong value);

    [LibraryImport(Library)]
    private static partial int cuMemPoolSetAttribute(nint pool, int attribute, in ulong value);
}

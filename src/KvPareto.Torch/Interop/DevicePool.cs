using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>The CUDA driver's functions that tell how much of a device's default memory pool is used (cuda.h).</summary>
internal static partial class DevicePool
{
    /// <summary>CU_MEMPOOL_ATTR_USED_MEM_HIGH: most bytes used since it was last set to zero.</summary>
    internal const int UsedHigh = 8;

    private const string Library = "libcuda.so.1";

    [LibraryImport(Library)]
    internal static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    internal static partial int cuDeviceGetDefaultMemPool(out nint pool, int device);

    [LibraryImport(Library)]
    internal static partial int cuMemPoolGetAttribute(nint pool, int attribute, out ulong value);

    [LibraryImport(Library)]
    internal static partial int cuMemPoolSetAttribute(nint pool, int attribute, in ulong value);
}

using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>The CUDA driver's functions that tell what a device is, and how much of its default memory pool is used (cuda.h).</summary>
internal static partial class CudaDevice
{
    /// <summary>CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR.</summary>
    internal const int ComputeMajor = 75;

    /// <summary>CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR.</summary>
    internal const int ComputeMinor = 76;

    /// <summary>CU_MEMPOOL_ATTR_USED_MEM_HIGH: most bytes used since it was last set to zero.</summary>
    internal const int UsedHigh = 8;

    private const string Library = "libcuda.so.1";

    [LibraryImport(Library)]
    internal static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    internal static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library)]
    internal static partial int cuDeviceGetDefaultMemPool(out nint pool, int device);

    [LibraryImport(Library)]
    internal static partial int cuMemPoolGetAttribute(nint pool, int attribute, out ulong value);

    [LibraryImport(Library)]
    internal static partial int cuMemPoolSetAttribute(nint pool, int attribute, in ulong value);
}

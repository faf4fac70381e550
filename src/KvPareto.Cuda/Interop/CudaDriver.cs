using System.Runtime.InteropServices;

namespace KvPareto.Cuda.Interop;

/// <summary>Functions of the CUDA driver API (libcuda.so.1), named as there. Each returns a CUresult.</summary>
internal static unsafe partial class CudaDriver
{
    public const string Library = "libcuda.so.1";

    [LibraryImport(Library)]
    public static partial int cuInit(uint flags);

    [LibraryImport(Library)]
    public static partial int cuDriverGetVersion(out int version);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetCount(out int count);

    [LibraryImport(Library)]
    public static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library)]
    public static partial int cuGetErrorName(int error, out byte* name);

    [LibraryImport(Library)]
    public static partial int cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Library)]
    public static partial int cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Library)]
    public static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Library)]
    public static partial int cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Library)]
    public static partial int cuStreamDestroy_v2(nint stream);

    [LibraryImport(Library)]
    public static partial int cuStreamSynchronize(nint stream);

    [LibraryImport(Library)]
    public static partial int cuMemsetD8Async(nint address, byte value, nuint count, nint stream);

    [LibraryImport(Library)]
    public static partial int cuStreamBeginCapture_v2(nint stream, int mode);

    [LibraryImport(Library)]
    public static partial int cuStreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library)]
    public static partial int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library)]
    public static partial int cuGraphLaunch(nint executable, nint stream);

    [LibraryImport(Library)]
    public static partial int cuGraphDestroy(nint graph);

    [LibraryImport(Library)]
    public static partial int cuGraphExecDestroy(nint executable);

    [LibraryImport(Library)]
    public static partial int cuMemAlloc_v2(out nint address, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cuMemFree_v2(nint address);

    [LibraryImport(Library)]
    public static partial int cuMemcpyHtoDAsync_v2(nint destination, void* source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    public static partial int cuMemcpyDtoHAsync_v2(void* destination, nint source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    public static partial int cuModuleLoadData(out nint module, void* image);

    [LibraryImport(Library)]
    public static partial int cuModuleUnload(nint module);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int cuModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Library)]
    public static partial int cuFuncSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library)]
    public static partial int cuLaunchKernelEx(in LaunchConfig config, nint function, void** arguments, void** extra);

    /// <summary>CU_TENSOR_MAP_DATA_TYPE_UINT8.</summary>
    public const int TensorMapUInt8 = 0;

    /// <summary>CU_TENSOR_MAP_DATA_TYPE_BFLOAT16.</summary>
    public const int TensorMapBf16 = 9;

    /// <summary>CU_TENSOR_MAP_SWIZZLE_128B.</summary>
    public const int Swizzle128Bytes = 3;

    /// <summary>CU_TENSOR_MAP_L2_PROMOTION_L2_256B.</summary>
    public const int Promote256Bytes = 3;

    [LibraryImport(Library)]
    public static partial int cuTensorMapEncodeTiled(
        void* map, int type, uint rank, nint address, ulong* sizes, ulong* strides, uint* box, uint* steps, int interleave, int swizzle,
        int promotion, int fill);

    [LibraryImport(Library)]
    public static partial int cuOccupancyMaxActiveClusters(out int count, nint function, in LaunchConfig config);

    /// <summary>CUlaunchConfig.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct LaunchConfig
    {
        public uint GridX;
        public uint GridY;
        public uint GridZ;
        public uint BlockX;
        public uint BlockY;
        public uint BlockZ;
        public uint SharedBytes;
        public nint Stream;
        public LaunchAttribute* Attributes;
        public uint AttributeCount;
    }

    /// <summary>CUlaunchAttribute: an id, and a value of up to 64 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 72)]
    public struct LaunchAttribute
    {
        /// <summary>CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION: a kernel may start before the one ahead of it has
        /// ended.</summary>
        public const int ProgrammaticSerialization = 6;

        /// <summary>CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION.</summary>
        public const int ClusterDimension = 4;

        public int Id;
        public int Padding;
        public int Value;
        public int ValueY;
        public int ValueZ;
    }
}

using System.Runtime.InteropServices;

namespace KvPareto.Cuda.Interop;

/// <summary>Copies on a device, which only measuring its bandwidth needs.</summary>
internal static partial class CudaCopy
{
    /// <summary>Begins a copy on the default stream of the current context.</summary>
    public static void OnDevice(nint destination, nint source, nuint bytes) =>
        CudaException.ThrowIfFailed(cuMemcpyDtoDAsync_v2(destination, source, bytes, 0), nameof(cuMemcpyDtoDAsync_v2));

    /// <summary>Waits for all that the current context was given.</summary>
    public static void Wait() => CudaException.ThrowIfFailed(cuCtxSynchronize(), nameof(cuCtxSynchronize));

    [LibraryImport(CudaDriver.Library)]
    private static partial int cuMemcpyDtoDAsync_v2(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(CudaDriver.Library)]
    private static partial int cuCtxSynchronize();
}

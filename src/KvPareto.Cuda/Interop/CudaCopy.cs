using System.Runtime.InteropServices;

namespace KvPareto.Cuda.Interop;

/// <summary>Copies on a device.</summary>
internal static partial class CudaCopy
{
    /// <summary>Begins a copy on a stream of the current context, the default one where none is named.</summary>
    public static void OnDevice(nint destination, nint source, nuint bytes, nint stream = 0) =>
        CudaException.ThrowIfFailed(cuMemcpyDtoDAsync_v2(destination, source, bytes, stream), nameof(cuMemcpyDtoDAsync_v2));

    /// <summary>Waits for all that the current context was given.</summary>
    public static void Wait() => CudaException.ThrowIfFailed(cuCtxSynchronize(), nameof(cuCtxSynchronize));

    [LibraryImport(CudaDriver.Library)]
    private static partial int cuMemcpyDtoDAsync_v2(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(CudaDriver.Library)]
    private static partial int cuCtxSynchronize();
}

using System.Runtime.InteropServices;
using KvPareto.Cuda.Interop;

namespace KvPareto.Cuda;

/// <summary>The libraries of CUDA that the backend loads.</summary>
public static class CudaLibraries
{
    /// <summary>Each by its file's name, and whether it can be loaded.</summary>
    public static IReadOnlyList<(string Name, bool IsThere)> All =>
        [.. new[] { CudaDriver.Library, Nvrtc.Library, CublasLt.Library }.Select(name => (name, NativeLibrary.TryLoad(name, out _)))];
}

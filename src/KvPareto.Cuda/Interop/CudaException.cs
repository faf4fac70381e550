using System.Runtime.InteropServices;

namespace KvPareto.Cuda.Interop;

/// <summary>A call of the CUDA driver or of one of its libraries failed.</summary>
public sealed class CudaException : Exception
{
    private const int OutOfMemory = 2; // CUDA_ERROR_OUT_OF_MEMORY

    private CudaException(string call, int code, string name) : base($"{call} failed: {name} ({code})")
    {
    }

    /// <summary>Checks a CUresult.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not enough memory.</exception>
    internal static unsafe void ThrowIfFailed(int code, string call)
    {
        if (code == 0) return;
        var named = CudaDriver.cuGetErrorName(code, out var name) == 0 && name != null;
        var error = new CudaException(call, code, named ? Marshal.PtrToStringUTF8((nint)name)! : "unknown error");
        throw code == OutOfMemory ? new InsufficientMemoryException($"the device has not enough memory: {error.Message}", error) : error;
    }

    /// <summary>Checks a result of NVRTC.</summary>
    internal static unsafe void ThrowIfCompilerFailed(int code, string call, string? log = null)
    {
        if (code != 0)
            throw new CudaException(call, code, $"{Marshal.PtrToStringUTF8((nint)Nvrtc.nvrtcGetErrorString(code))} {log}".TrimEnd());
    }

    /// <summary>Checks a result of cuBLASLt.</summary>
    internal static void ThrowIfProductFailed(int code, string call)
    {
        if (code != 0) throw new CudaException(call, code, "cublasStatus_t");
    }
}

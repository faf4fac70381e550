using System.Runtime.InteropServices;
using KvPareto.Cuda.Interop;

namespace KvPareto.Cuda;

/// <summary>A call of the CUDA driver failed.</summary>
public sealed class CudaException : Exception
{
    private CudaException(string call, int code, string name) : base($"{call} failed: {name} ({code})")
    {
        (Call, Code, ErrorName) = (call, code, name);
    }

    /// <summary>The function called.</summary>
    public string Call { get; }

    /// <summary>The driver's CUresult.</summary>
    public int Code { get; }

    /// <summary>Its name, for example CUDA_ERROR_OUT_OF_MEMORY.</summary>
    public string ErrorName { get; }

    internal static unsafe void ThrowIfFailed(int code, string call)
    {
        if (code == 0) return;
        var named = CudaDriver.cuGetErrorName(code, out var name) == 0 && name != null;
        throw new CudaException(call, code, named ? Marshal.PtrToStringUTF8((nint)name)! : "unknown error");
    }
}

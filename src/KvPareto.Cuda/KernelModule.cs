using KvPareto.Cuda.Interop;

namespace KvPareto.Cuda;

/// <summary>Kernels of one source file on the device at hand.</summary>
internal sealed unsafe class KernelModule : IDisposable
{
    private const int MaxDynamicSharedBytes = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private const int OrdinarySharedBytes = 46 << 10; // 48 KiB with what a kernel has of its own

    private readonly Dictionary<string, (nint Function, int SharedBytes)> _functions = new(StringComparer.Ordinal);
    private readonly nint _module;

    /// <summary>Loads a source's image, compiled if need be.</summary>
    /// <param name="file">Name of the embedded source.</param>
    /// <param name="architecture">As in <c>sm_90</c>.</param>
    /// <param name="options">Further options of the compiler.</param>
    /// <exception cref="CudaException">It cannot be compiled; the message has the compiler's log.</exception>
    public KernelModule(string file, string architecture, params ReadOnlySpan<string> options)
    {
        fixed (byte* image = KernelCompiler.Image(file, architecture, options))
            CudaException.ThrowIfFailed(CudaDriver.cuModuleLoadData(out _module, image), nameof(CudaDriver.cuModuleLoadData));
    }

    /// <summary>A kernel that may use so much dynamic shared memory.</summary>
    public nint Function(string name, int sharedBytes)
    {
        if (_functions.TryGetValue(name, out var known) && sharedBytes <= Math.Max(known.SharedBytes, OrdinarySharedBytes))
            return known.Function;
        CudaException.ThrowIfFailed(
            CudaDriver.cuModuleGetFunction(out var function, _module, name), $"{nameof(CudaDriver.cuModuleGetFunction)}({name})");
        if (sharedBytes > OrdinarySharedBytes)
            CudaException.ThrowIfFailed(
                CudaDriver.cuFuncSetAttribute(function, MaxDynamicSharedBytes, sharedBytes),
                    $"{nameof(CudaDriver.cuFuncSetAttribute)}({name})");
        _functions[name] = (function, sharedBytes);
        return function;
    }

    /// <inheritdoc/>
    public void Dispose() => _ = CudaDriver.cuModuleUnload(_module);
}

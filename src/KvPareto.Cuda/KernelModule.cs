using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using KvPareto.Cuda.Interop;

namespace KvPareto.Cuda;

/// <summary>Kernels of one source file, compiled for the device at hand when first asked for.</summary>
internal sealed unsafe class KernelModule : IDisposable
{
    private const int MaxDynamicSharedBytes = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private const int OrdinarySharedBytes = 46 << 10; // 48 KiB with what a kernel has of its own
    private static readonly string[] Headers = ["attention.cuh", "common.cuh", "direct.cuh", "fill.cuh", "pieces.cuh", "tensor_cores.cuh", "tiles.cuh", "warpgroups.cuh", "weights.cuh"];

    // Compiling takes a second or more; a process does it once.
    private static readonly ConcurrentDictionary<string, byte[]> Images = new(StringComparer.Ordinal);

    private readonly Dictionary<string, (nint Function, int SharedBytes)> _functions = new(StringComparer.Ordinal);
    private readonly nint _module;

    /// <summary>Compiles a source.</summary>
    /// <param name="file">Name of the embedded source.</param>
    /// <param name="architecture">As in <c>sm_90</c>.</param>
    /// <param name="options">Further options of the compiler.</param>
    /// <exception cref="CudaException">It cannot be compiled; the message has the compiler's log.</exception>
    public KernelModule(string file, string architecture, params ReadOnlySpan<string> options)
    {
        string[] all = [$"--gpu-architecture={architecture}", "--std=c++17", .. options];
        fixed (byte* image = Images.GetOrAdd($"{file} {string.Join(' ', all)}", _ => Compile(file, all)))
            CudaException.ThrowIfFailed(CudaDriver.cuModuleLoadData(out _module, image), nameof(CudaDriver.cuModuleLoadData));
    }

    /// <summary>A kernel that may use so much dynamic shared memory.</summary>
    public nint Function(string name, int sharedBytes)
    {
        if (_functions.TryGetValue(name, out var known) && sharedBytes <= Math.Max(known.SharedBytes, OrdinarySharedBytes)) return known.Function;
        CudaException.ThrowIfFailed(CudaDriver.cuModuleGetFunction(out var function, _module, name), $"{nameof(CudaDriver.cuModuleGetFunction)}({name})");
        if (sharedBytes > OrdinarySharedBytes)
            CudaException.ThrowIfFailed(CudaDriver.cuFuncSetAttribute(function, MaxDynamicSharedBytes, sharedBytes), $"{nameof(CudaDriver.cuFuncSetAttribute)}({name})");
        _functions[name] = (function, sharedBytes);
        return function;
    }

    /// <inheritdoc/>
    public void Dispose() => _ = CudaDriver.cuModuleUnload(_module);

    private static byte[] Compile(string file, string[] options)
    {
        using var strings = new NativeStrings();
        var headers = strings.Array(Array.ConvertAll(Headers, Source));
        var call = $"{nameof(Nvrtc.nvrtcCompileProgram)}({file})";
        CudaException.ThrowIfCompilerFailed(
            Nvrtc.nvrtcCreateProgram(out var program, strings.Add(Source(file)), strings.Add(file), Headers.Length, headers, strings.Array(Headers)),
            nameof(Nvrtc.nvrtcCreateProgram));
        try
        {
            var result = Nvrtc.nvrtcCompileProgram(program, options.Length, strings.Array(options));
            CudaException.ThrowIfCompilerFailed(result, call, result == 0 ? null : Log(program));
            CudaException.ThrowIfCompilerFailed(Nvrtc.nvrtcGetCUBINSize(program, out var size), nameof(Nvrtc.nvrtcGetCUBINSize));
            var image = new byte[size];
            fixed (byte* data = image) CudaException.ThrowIfCompilerFailed(Nvrtc.nvrtcGetCUBIN(program, data), nameof(Nvrtc.nvrtcGetCUBIN));
            return image;
        }
        finally
        {
            _ = Nvrtc.nvrtcDestroyProgram(ref program);
        }
    }

    private static string Log(nint program)
    {
        if (Nvrtc.nvrtcGetProgramLogSize(program, out var size) != 0 || size == 0) return "";
        var log = new byte[size];
        fixed (byte* data = log) _ = Nvrtc.nvrtcGetProgramLog(program, data);
        return Encoding.UTF8.GetString(log).TrimEnd('\0', '\n');
    }

    private static string Source(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file) ?? throw new InvalidOperationException($"the kernels of {file} are missing");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>C strings that live as long as this object.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly List<nint> _blocks = [];

        public byte* Add(string text)
        {
            var block = Marshal.StringToCoTaskMemUTF8(text);
            _blocks.Add(block);
            return (byte*)block;
        }

        public byte** Array(string[] texts)
        {
            var array = (byte**)Marshal.AllocCoTaskMem(Math.Max(1, texts.Length) * sizeof(byte*));
            _blocks.Add((nint)array);
            for (var i = 0; i < texts.Length; i++) array[i] = Add(texts[i]);
            return array;
        }

        public void Dispose()
        {
            foreach (var block in _blocks) Marshal.FreeCoTaskMem(block);
        }
    }
}

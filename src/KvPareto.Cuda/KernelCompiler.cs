using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using KvPareto.Cuda.Interop;
using KvPareto.Engine.Cache;
using static System.FormattableString;

namespace KvPareto.Cuda;

/// <summary>Compiles the program's kernels, once a process and, as files keep images, once a machine.</summary>
internal static unsafe class KernelCompiler
{
    private static readonly string[] Headers = [.. Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.EndsWith(".cuh", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static readonly ConcurrentDictionary<string, Lazy<byte[]>> Images = new(StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, Task> Prepared = new(StringComparer.Ordinal);

    /// <summary>The image of a source for an architecture.</summary>
    /// <param name="file">Name of the embedded source.</param>
    /// <param name="architecture">As in <c>sm_90</c>.</param>
    /// <param name="options">Further options of the compiler.</param>
    /// <exception cref="CudaException">It cannot be compiled; the message has the compiler's log.</exception>
    public static byte[] Image(string file, string architecture, params ReadOnlySpan<string> options) =>
        Later(file, architecture, options).Value;

    /// <summary>Begins to make an image that will be wanted, beside others; what fails then fails when it is wanted.</summary>
    public static void Prepare(string file, string architecture, params ReadOnlySpan<string> options)
    {
        var image = Later(file, architecture, options);
        if (image.IsValueCreated) return;
        var key = $"{file} {architecture} {string.Join(' ', options)}";
        Prepared.GetOrAdd(
            key, name => Task.Run(() => image.Value).ContinueWith(task => _ = task.Exception, TaskScheduler.Default));
    }

    /// <summary>Waits for the images that are being made: a process that ends while the compiler works crashes.</summary>
    public static void Finish() => Task.WaitAll([.. Prepared.Values]);

    private static Lazy<byte[]> Later(string file, string architecture, ReadOnlySpan<string> options)
    {
        string[] all =
        [
            $"--gpu-architecture={architecture}", "--std=c++17", Invariant($"-DLARGEST_ZERO={GroupCodec.LargestZero}"), .. options,
        ];
        return Images.GetOrAdd($"{file} {string.Join(' ', all)}", _ => new(() => Make(file, all)));
    }

    private static byte[] Make(string file, string[] options)
    {
        CudaException.ThrowIfCompilerFailed(Nvrtc.nvrtcVersion(out var major, out var minor), nameof(Nvrtc.nvrtcVersion));
        CudaException.ThrowIfFailed(CudaDriver.cuDriverGetVersion(out var driver), nameof(CudaDriver.cuDriverGetVersion));
        string[] versions = [.. new[] { major, minor, driver }.Select(version => version.ToString(CultureInfo.InvariantCulture))];
        var name = KernelCache.NameOf(
            [file, Source(file), .. Headers.SelectMany(header => new[] { header, Source(header) }), .. options, .. versions]);
        return KernelCache.Default.Get(name, () => Compile(file, options));
    }

    private static byte[] Compile(string file, string[] options)
    {
        using var strings = new NativeStrings();
        var headers = strings.Array(Array.ConvertAll(Headers, Source));
        var call = $"{nameof(Nvrtc.nvrtcCompileProgram)}({file})";
        CudaException.ThrowIfCompilerFailed(
            Nvrtc.nvrtcCreateProgram(
                out var program, strings.Add(Source(file)), strings.Add(file), Headers.Length, headers, strings.Array(Headers)),
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
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"the kernels of {file} are missing");
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

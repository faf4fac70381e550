using System.Diagnostics;
using System.Runtime.InteropServices;
using KvPareto.Text.Input;
using KvPareto.Torch.Interop;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>
/// PyTorch's libraries: found in the folder that <c>KVPARETO_LIBTORCH</c> names, beside the program, or in python3's PyTorch, and loaded in
/// the order in which they need each other, before TorchSharp looks for them by itself.
/// </summary>
public sealed class TorchLibrary
{
    /// <summary>Environment variable with the folder of libtorch.</summary>
    public const string FolderVariable = "KVPARETO_LIBTORCH";

    private const string BuiltFor = "2.10.0"; // TorchSharp's native part
    private const string NewestCppSymbol = "_ZSt21ios_base_library_initv"; // of GLIBCXX_3.4.32
    private const int PythonPatienceMs = 60_000;

    // TorchSharp calls functions of libtorch's C++ interface, which changes from one minor version to the next. 2.11 was tried and works.
    private static readonly string[] Fitting = ["2.10", "2.11"];

    private static readonly Lazy<TorchLibrary> Loaded = new(() =>
    {
        RequireCppLibrary();
        var library = Find();
        library.LoadAll();
        return library;
    });

    private TorchLibrary(string folder, string source) => (Folder, Source) = (folder, source);

    /// <summary>Where libtorch lies.</summary>
    public string Folder { get; }

    /// <summary>How it was found: the variable, beside the program, or python3.</summary>
    public string Source { get; }

    /// <summary>Its version, as in <c>2.10.0</c>.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Whether it was built for CUDA (or ROCm).</summary>
    public bool HasCuda => HasNvidia || Has("torch_hip");

    /// <summary>Whether it was built for NVIDIA's devices.</summary>
    internal bool HasNvidia => Has("torch_cuda");

    /// <summary>Loads libtorch, once a process.</summary>
    /// <exception cref="ConfigException">It is not there, does not fit, or the C++ library is too old; one line says which.</exception>
    public static TorchLibrary Load() => Loaded.Value;

    private static TorchLibrary Find()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named)
        {
            return At(named, FolderVariable) ?? At(Path.Combine(named, "lib"), FolderVariable)
                ?? throw new ConfigException(
                    $"device torch: {FolderVariable} is {named}, which holds no {FileName("torch_cpu")}; allowed: the folder of "
                        + "libtorch's libraries");
        }
        var beside = AppContext.BaseDirectory;
        return At(beside, "beside the program")
            ?? At(Path.Combine(beside, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"), "beside the program")
            ?? AtPython(out var python)
            ?? throw new ConfigException(
                $"device torch: no libtorch: {FolderVariable} is not set, {beside} holds no {FileName("torch_cpu")}, {python}; allowed: "
                    + $"libtorch {string.Join(" or ", Fitting)} in one of these places, or --device cpu");
    }

    private static void RequireCppLibrary()
    {
        if (!OperatingSystem.IsLinux()) return;
        if (!NativeLibrary.TryLoad("libstdc++.so.6", out var handle) || !NativeLibrary.TryGetExport(handle, NewestCppSymbol, out _))
            throw new ConfigException(
                "device torch: this system's libstdc++ has no GLIBCXX_3.4.32 (GCC 13), which TorchSharp needs; allowed: Debian 13, "
                    + "Ubuntu 24.04, Fedora 38 or later, or --device cpu");
    }

    private static TorchLibrary? At(string folder, string source) =>
        new TorchLibrary(folder, source) is var library && library.Has("torch_cpu") ? library : null;

    private static TorchLibrary? AtPython(out string reason)
    {
        const string Question = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])";
        try
        {
            using var python = Process.Start(
                new ProcessStartInfo("python3", ["-c", Question]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            _ = python.StandardError.ReadToEndAsync();
            var folder = python.StandardOutput.ReadToEndAsync();
            if (!python.WaitForExit(PythonPatienceMs)) python.Kill();
            reason = "python3 has no PyTorch";
            return python.HasExited && python.ExitCode == 0 ? At(Path.Combine(folder.GetAwaiter().GetResult().Trim(), "lib"), "python3")
                : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            reason = "there is no python3";
            return null;
        }
    }

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    private string PathOf(string name) => Path.Combine(Folder, FileName(name));

    private bool Has(string name) => File.Exists(PathOf(name));

    private void LoadAll()
    {
        if (!OperatingSystem.IsWindows())
        {
            // The device's default pool, whose high mark the driver keeps; and no compiler that would contract the codec's steps.
            _ = LibC.SetEnvironment("PYTORCH_ALLOC_CONF", "backend:cudaMallocAsync", 1);
            _ = LibC.SetEnvironment("PYTORCH_TENSOREXPR", "0", 1);
            // Threads that spin while they wait slow each other down where others run too.
            _ = LibC.SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
        }
        try
        {
            NativeLibrary.Load(PathOf("c10"));
            var cpu = NativeLibrary.Load(PathOf("torch_cpu"));
            string[] others = ["c10_cuda", "torch_cuda", "c10_hip", "torch_hip", "torch"];
            foreach (var name in others.Where(Has)) NativeLibrary.Load(PathOf(name));
            // Not before CUDA's part is there: the first question about devices settles for good whether there are any.
            RequireFittingVersion(cpu);
            NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
            ForbidFusion(cpu);
        }
        catch (DllNotFoundException error)
        {
            throw new ConfigException($"device torch: libtorch in {Folder} cannot be loaded: {OneLine.OfMessage(error.Message)}");
        }
    }

    // at::show_config() returns a std::string, whose first word points to its characters; it names TORCH_VERSION.
    private unsafe void RequireFittingVersion(nint cpu)
    {
        const string Key = "TORCH_VERSION=";
        if (!NativeLibrary.TryGetExport(cpu, "_ZN2at11show_configB5cxx11Ev", out var showConfig)) return;
        var text = stackalloc nint[8];
        ((delegate* unmanaged<nint*, nint*>)showConfig)(text);
        var config = Marshal.PtrToStringUTF8(text[0]) ?? "";
        var at = config.IndexOf(Key, StringComparison.Ordinal);
        if (at >= 0) Version = config[(at + Key.Length)..].Split(',', 2)[0].Trim();
        if (!Fitting.Any(version => Version.StartsWith(version + ".", StringComparison.Ordinal)))
            throw new ConfigException(
                $"device torch: libtorch in {Folder} is version {(Version.Length > 0 ? Version : "unknown")}, TorchSharp was built for "
                    + $"{BuiltFor}; allowed: {string.Join(", ", Fitting)}");
    }

    private static unsafe void ForbidFusion(nint cpu)
    {
        foreach (var name in new[] { "_ZN5torch3jit20overrideCanFuseOnGPUEb", "_ZN5torch3jit20overrideCanFuseOnCPUEb" })
        {
            if (NativeLibrary.TryGetExport(cpu, name, out var function)) ((delegate* unmanaged<byte, void>)function)(0);
        }
    }
}

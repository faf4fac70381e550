using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using KvPareto.Cpu;
using KvPareto.Cuda;
using KvPareto.Cuda.Interop;
using KvPareto.Text.Input;
using KvPareto.Torch;

namespace KvPareto.Cli.Doctor;

/// <summary>What of a machine the tool can use.</summary>
internal static class Machine
{
    /// <summary>Lines of a name and what was found.</summary>
    public static IEnumerable<(string Name, string Found)> Describe()
    {
        yield return (".NET", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}");
        using (var cpu = new CpuBackend()) yield return ("processor", cpu.Device);
        yield return ("instructions",
            string.Join(", ", Instructions().Where(set => set.Supported).Select(set => set.Name).DefaultIfEmpty("none that matter here")));
        yield return ("CUDA devices", Devices());
        foreach (var (name, isThere) in CudaLibraries.All) yield return (name, isThere ? "found" : "not found");
        yield return ("libtorch", Torch());
    }

    private static (string Name, bool Supported)[] Instructions() =>
    [
        ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-512", Avx512F.IsSupported && Avx512BW.IsSupported),
    ];

    private static string Devices()
    {
        try
        {
            var devices = CudaDevice.List();
            return devices.Count == 0
                ? "none"
                : string.Join(
                    "; ", devices.Select(
                        device => string.Create(
                            CultureInfo.InvariantCulture,
                                $"{device.Ordinal}: {device.Name}, {device.TotalBytes >> 20} MiB, driver {device.Driver}")));
        }
        catch (CudaException error)
        {
            return error.Message;
        }
    }

    private static string Torch()
    {
        try
        {
            var library = TorchLibrary.Load();
            return $"{library.Version} in {library.Folder} ({library.Source}){(library.HasCuda ? ", with CUDA" : "")}";
        }
        catch (ConfigException error)
        {
            return error.Message;
        }
    }
}

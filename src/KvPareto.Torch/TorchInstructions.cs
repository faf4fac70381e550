using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using KvPareto.Torch.Interop;

namespace KvPareto.Torch;

/// <summary>What PyTorch's sums are made with, as far as can be known without asking it.</summary>
internal static class TorchInstructions
{
    /// <summary>PyTorch's version, and the processor's vector instructions or the GPU's compute capability.</summary>
    /// <param name="version">Of libtorch.</param>
    /// <param name="device">A device that is there.</param>
    public static string Of(string version, TorchDevice device)
    {
        var words = device.IsCpu ? Vectors() : device.Kind != "cuda" ? device.Kind
            : CudaDevice.Capability(device.Ordinal) is { } capability ? $"compute capability {capability}" : null;
        return words is null ? $"PyTorch {version}" : $"PyTorch {version}, {words}";
    }

    // As ATen chooses its kernels (c10's cpuinfo checks): all four, or AVX2.
    private static string Vectors() =>
        Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported ? "AVX-512"
        : Avx2.IsSupported ? "AVX2"
        : RuntimeInformation.ProcessArchitecture.ToString();
}

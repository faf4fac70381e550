using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using KvPareto.Torch.Interop;

namespace KvPareto.Torch;

/// <summary>A device of PyTorch's.</summary>
/// <param name="Kind">As PyTorch names it: <c>cpu</c>, <c>cuda</c> (NVIDIA, and AMD by ROCm's PyTorch), <c>mps</c> (Metal).</param>
/// <param name="Ordinal">Its number, from 0.</param>
public sealed record TorchDevice(string Kind, int Ordinal = 0)
{
    /// <summary>The host's processor.</summary>
    public static readonly TorchDevice Cpu = new("cpu");

    /// <summary>True for the host's processor.</summary>
    public bool IsCpu => Kind == Cpu.Kind;

    /// <summary>What follows <c>torch</c> in a device's name: nothing, <c>:cuda</c>, <c>:cuda:N</c> or <c>:mps</c>; null where it is
    /// something else.</summary>
    public static TorchDevice? Parse(string suffix) => suffix switch
    {
        "" or ":cpu" => Cpu,
        ":cuda" => new("cuda"),
        ":mps" => new("mps"),
        _ when suffix.StartsWith(":cuda:", StringComparison.Ordinal)
            && int.TryParse(suffix.AsSpan(":cuda:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) =>
                new("cuda", ordinal),
        _ => null,
    };

    /// <summary>What PyTorch's sums are made with there, as far as can be known without asking it: its version, and the processor's vector
    /// instructions or the GPU's compute capability.</summary>
    internal string Instructions(string version)
    {
        var words = IsCpu ? Vectors() : Kind != "cuda" ? Kind
            : CudaDriver.Capability(Ordinal) is { } capability ? $"compute capability {capability}" : null;
        return words is null ? $"PyTorch {version}" : $"PyTorch {version}, {words}";
    }

    // As ATen chooses its kernels (c10's cpuinfo checks): all four, or AVX2.
    private static string Vectors() => Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported ? "AVX-512"
        : Avx2.IsSupported ? "AVX2" : RuntimeInformation.ProcessArchitecture.ToString();

    /// <inheritdoc/>
    public override string ToString() =>
        IsCpu ? "torch" : Ordinal == 0 ? $"torch:{Kind}" : string.Create(CultureInfo.InvariantCulture, $"torch:{Kind}:{Ordinal}");
}

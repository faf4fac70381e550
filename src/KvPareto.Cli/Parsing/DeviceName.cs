using System.Globalization;
using KvPareto.Text.Input;
using KvPareto.Torch;

namespace KvPareto.Cli.Parsing;

/// <summary>What a user may write for <c>--device</c>: <c>cpu</c>, <c>cuda</c>, <c>cuda:N</c>, <c>torch</c>, <c>torch:cuda</c>,
/// <c>torch:cuda:N</c>, <c>torch:mps</c>.</summary>
/// <param name="CudaOrdinal">A CUDA device of the tool's own backend; null for another.</param>
/// <param name="Torch">A device of PyTorch's; null for another.</param>
internal readonly record struct DeviceName(int? CudaOrdinal, TorchDevice? Torch)
{
    private const string TorchName = "torch";

    /// <summary>Those that a shell completes.</summary>
    public static readonly string[] Usual = [Verb.Cpu, Verb.Cuda, TorchName, $"{TorchName}:{Verb.Cuda}"];

    /// <summary>Reads a name; the device need not be there.</summary>
    /// <exception cref="ConfigException">It is none of the forms.</exception>
    public static DeviceName Parse(string text)
    {
        if (text == Verb.Cpu) return default;
        if (text == Verb.Cuda) return new(0, null);
        if (text.StartsWith(Verb.Cuda + ":", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(Verb.Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal))
            return new(ordinal, null);
        if (text.StartsWith(TorchName, StringComparison.Ordinal) && TorchDevice.Parse(text[TorchName.Length..]) is { } torch)
            return new(null, torch);
        throw new ConfigException($"--device {text}; allowed: cpu, cuda, cuda:N, torch, torch:cuda, torch:cuda:N, torch:mps");
    }
}

using System.Globalization;

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

    /// <inheritdoc/>
    public override string ToString() =>
        IsCpu ? "torch" : Ordinal == 0 ? $"torch:{Kind}" : string.Create(CultureInfo.InvariantCulture, $"torch:{Kind}:{Ordinal}");
}

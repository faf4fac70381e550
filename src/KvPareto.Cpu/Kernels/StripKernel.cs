namespace KvPareto.Cpu.Kernels;

/// <summary>The kernels of a weight format at a vector width. Those of all widths give the same bits.</summary>
/// <param name="multiply">See <see cref="Multiply"/>.</param>
/// <param name="unpack">See <see cref="Unpack"/>.</param>
internal readonly unsafe struct StripKernel(
    delegate*<CpuWeight, int, float*, float*, void> multiply, delegate*<CpuWeight, int, int, int, float*, void> unpack)
{
    private readonly delegate*<CpuWeight, int, float*, float*, void> _multiply = multiply;
    private readonly delegate*<CpuWeight, int, int, int, float*, void> _unpack = unpack;

    /// <summary>y [32] = strip · x [K]: one fused chain a row for every 256 channels, these sums added in order.</summary>
    public void Multiply(CpuWeight weight, int strip, float* x, float* y) => _multiply(weight, strip, x, y);

    /// <summary>Writes the block of a strip that begins at <paramref name="channel"/> as f32 into 32 columns of a panel with
    /// <see cref="MicroKernel.Columns"/>.</summary>
    public void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel) =>
        _unpack(weight, strip, channel, channels, panel);
}

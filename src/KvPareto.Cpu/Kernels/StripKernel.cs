namespace KvPareto.Cpu.Kernels;

/// <summary>The kernels of a weight format at a vector width. Those of all widths give the same bits.</summary>
/// <param name="multiply">See <see cref="Multiply"/>: for 1, 2, … rows.</param>
/// <param name="maxRows">How many of them are to be used.</param>
/// <param name="unpack">See <see cref="Unpack"/>.</param>
internal readonly unsafe struct StripKernel(
    delegate*<CpuWeight, int, float*, nint, float*, nint, void>[] multiply, int maxRows,
    delegate*<CpuWeight, int, int, int, float*, void> unpack)
{
    private readonly delegate*<CpuWeight, int, float*, nint, float*, nint, void>[] _multiply = multiply;
    private readonly int _maxRows = maxRows;
    private readonly delegate*<CpuWeight, int, int, int, float*, void> _unpack = unpack;

    /// <summary>y [rows, 32] = x [rows, K] · stripᵀ: one fused chain an element for every 256 channels, these sums added in order. As many
    /// rows at a time as registers hold, so that a weight is unpacked once for all of these.</summary>
    public void Multiply(CpuWeight weight, int strip, float* x, nint xStride, int rows, float* y, nint yStride)
    {
        for (var passes = (rows + _maxRows - 1) / _maxRows; passes > 0; passes--)
        {
            var part = (rows + passes - 1) / passes;
            _multiply[part - 1](weight, strip, x, xStride, y, yStride);
            x += part * xStride;
            y += part * yStride;
            rows -= part;
        }
    }

    /// <summary>Writes the block of a strip that begins at <paramref name="channel"/> as f32 into 32 columns of a panel with
    /// <see cref="MicroKernel.Columns"/>.</summary>
    public void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel) =>
        _unpack(weight, strip, channel, channels, panel);
}

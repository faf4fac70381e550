namespace KvPareto.Cpu.Kernels;

/// <summary>How strips of a weight format are multiplied and unpacked at a vector width.</summary>
internal unsafe interface IStripKernels
{
    /// <summary>See <see cref="StripKernel.Multiply"/>, of a number of rows that is known when it is compiled.</summary>
    static abstract void Multiply<TRows>(CpuWeight weight, int strip, float* x, nint xStride, float* y, nint yStride)
        where TRows : struct, IConstant;

    /// <summary>See <see cref="StripKernel.Unpack"/>.</summary>
    static abstract void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel);
}

/// <summary>The kernels of a weight format at a vector width. Those of all widths give the same bits.</summary>
internal readonly unsafe struct StripKernel
{
    private readonly delegate*<CpuWeight, int, float*, nint, float*, nint, void>[] _multiply; // for 1, 2, … rows
    private readonly int _maxRows;
    private readonly delegate*<CpuWeight, int, int, int, float*, void> _unpack;

    private StripKernel(
        delegate*<CpuWeight, int, float*, nint, float*, nint, void>[] multiply, int maxRows,
        delegate*<CpuWeight, int, int, int, float*, void> unpack)
    {
        (_multiply, _maxRows) = (multiply, maxRows);
        _unpack = unpack;
    }

    /// <summary>Those of <typeparamref name="TKernels"/>.</summary>
    /// <param name="maxRows">Rows that are taken at a time, up to 8.</param>
    public static StripKernel Of<TKernels>(int maxRows) where TKernels : struct, IStripKernels => new(
        [
            &TKernels.Multiply<Constant1>, &TKernels.Multiply<Constant2>, &TKernels.Multiply<Constant3>, &TKernels.Multiply<Constant4>,
            &TKernels.Multiply<Constant5>, &TKernels.Multiply<Constant6>, &TKernels.Multiply<Constant7>, &TKernels.Multiply<Constant8>,
        ],
        maxRows, &TKernels.Unpack);

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

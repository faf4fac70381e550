namespace KvPareto.Cpu.Kernels;

/// <summary>How strips of a weight format are multiplied and unpacked at a vector width.</summary>
internal unsafe interface IStripKernels
{
    /// <summary>See <see cref="StripKernel.Multiply"/>, of a number of rows that is known when it is compiled.</summary>
    static abstract void Multiply<TRows>(CpuWeight weight, int strip, in StripInputs x, float* y, nint yStride)
        where TRows : struct, IConstant;

    /// <summary>See <see cref="StripKernel.Unpack"/>.</summary>
    static abstract void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel);
}

/// <summary>The kernels of a weight format at a vector width. Those of all widths give the same bits.</summary>
internal readonly unsafe struct StripKernel
{
    private readonly delegate*<CpuWeight, int, in StripInputs, float*, nint, void>[] _multiply; // for 1, 2, … rows
    private readonly int _maxRows;
    private readonly delegate*<CpuWeight, int, int, int, float*, void> _unpack;
    private readonly delegate*<CpuWeight, int, int, int, float*, void> _readScales;

    private StripKernel(
        delegate*<CpuWeight, int, in StripInputs, float*, nint, void>[] multiply, int maxRows,
        delegate*<CpuWeight, int, int, int, float*, void> unpack, delegate*<CpuWeight, int, int, int, float*, void> readScales)
    {
        (_multiply, _maxRows) = (multiply, maxRows);
        _unpack = unpack;
        _readScales = readScales;
    }

    /// <summary>Those of <typeparamref name="TKernels"/>.</summary>
    /// <param name="maxRows">Rows that are taken at a time, up to 8.</param>
    /// <param name="readScales">Of codes whose scales are apart; null else.</param>
    public static StripKernel Of<TKernels>(int maxRows, delegate*<CpuWeight, int, int, int, float*, void> readScales = null)
        where TKernels : struct, IStripKernels => new(
        [
            &TKernels.Multiply<Constant1>, &TKernels.Multiply<Constant2>, &TKernels.Multiply<Constant3>, &TKernels.Multiply<Constant4>,
            &TKernels.Multiply<Constant5>, &TKernels.Multiply<Constant6>, &TKernels.Multiply<Constant7>, &TKernels.Multiply<Constant8>,
        ],
        maxRows, &TKernels.Unpack, readScales);

    /// <summary>Whether scales are apart from what is unpacked, and sums of x are needed.</summary>
    public bool HasScales => _readScales != null;

    /// <summary>y [rows, 32] = x [rows, K] · stripᵀ: one fused chain an element for every 256 channels, these sums added in order;
    /// of codes in groups, for every group. As many rows at a time as registers hold, so that a weight is unpacked once for all of
    /// these.</summary>
    public void Multiply(CpuWeight weight, int strip, StripInputs x, int rows, float* y, nint yStride)
    {
        for (var passes = (rows + _maxRows - 1) / _maxRows; passes > 0; passes--)
        {
            var part = (rows + passes - 1) / passes;
            _multiply[part - 1](weight, strip, x, y, yStride);
            x = x.From(part);
            y += part * yStride;
            rows -= part;
        }
    }

    /// <summary>Writes the block of a strip that begins at <paramref name="channel"/> as f32 into 32 columns of a panel with
    /// <see cref="MicroKernel.Columns"/>.</summary>
    public void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel) =>
        _unpack(weight, strip, channel, channels, panel);

    /// <summary>Writes the block's scales and offsets into 32 columns of those of a panel (<see cref="PanelGroups"/>).</summary>
    public void ReadScales(CpuWeight weight, int strip, int channel, int channels, float* scales) =>
        _readScales(weight, strip, channel, channels, scales);
}

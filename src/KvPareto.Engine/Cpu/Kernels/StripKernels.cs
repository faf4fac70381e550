namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>Chooses the twin for a weight's format and a <see cref="SimdLevel"/>.</summary>
internal static unsafe class StripKernels
{
    /// <summary>y [32] = strip · x [K].</summary>
    public static void Gemv(CpuWeight weight, int strip, float* x, float* y, SimdLevel level)
    {
        var data = weight.StripAt(strip);
        switch (weight.Format)
        {
            case WeightFormat.F32: Gemv<F32Elements>(data, x, weight.ColumnCount, y, level); break;
            case WeightFormat.F16: Gemv<F16Elements>(data, x, weight.ColumnCount, y, level); break;
            case WeightFormat.BF16: Gemv<BF16Elements>(data, x, weight.ColumnCount, y, level); break;
            default: GemvCodes(data, x, weight.ColumnCount, weight.GroupSize, y, level); break;
        }
    }

    /// <summary>Writes channels of a strip, from a block's first on, as f32 into 32 columns of a panel.</summary>
    public static void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel, SimdLevel level)
    {
        var data = weight.ChannelAt(strip, channel);
        switch (weight.Format)
        {
            case WeightFormat.F32: Unpack<F32Elements>(data, channels, panel, level); break;
            case WeightFormat.F16: Unpack<F16Elements>(data, channels, panel, level); break;
            case WeightFormat.BF16: Unpack<BF16Elements>(data, channels, panel, level); break;
            default: UnpackCodes(data, channels, weight.GroupSize, panel, level); break;
        }
    }

    private static void Gemv<TFormat>(byte* strip, float* x, int columns, float* y, SimdLevel level) where TFormat : struct, IElementFormat
    {
        switch (level)
        {
            case SimdLevel.Avx512: StripKernelsAvx512.Gemv<TFormat>(strip, x, columns, y); break;
            case SimdLevel.Avx2: StripKernelsAvx2.Gemv<TFormat>(strip, x, columns, y); break;
            default: ScalarKernels.Gemv<TFormat>(strip, x, columns, y); break;
        }
    }

    private static void GemvCodes(byte* strip, float* x, int columns, int groupSize, float* y, SimdLevel level)
    {
        switch (level)
        {
            case SimdLevel.Avx512: CodeKernelsAvx512.Gemv(strip, x, columns, groupSize, y); break;
            case SimdLevel.Avx2: CodeKernelsAvx2.Gemv(strip, x, columns, groupSize, y); break;
            default: ScalarKernels.GemvCodes(strip, x, columns, groupSize, y); break;
        }
    }

    private static void Unpack<TFormat>(byte* strip, int channels, float* panel, SimdLevel level) where TFormat : struct, IElementFormat
    {
        switch (level)
        {
            case SimdLevel.Avx512: StripKernelsAvx512.Unpack<TFormat>(strip, channels, panel); break;
            case SimdLevel.Avx2: StripKernelsAvx2.Unpack<TFormat>(strip, channels, panel); break;
            default: ScalarKernels.Unpack<TFormat>(strip, channels, panel); break;
        }
    }

    private static void UnpackCodes(byte* strip, int channels, int groupSize, float* panel, SimdLevel level)
    {
        switch (level)
        {
            case SimdLevel.Avx512: CodeKernelsAvx512.Unpack(strip, channels, groupSize, panel); break;
            case SimdLevel.Avx2: CodeKernelsAvx2.Unpack(strip, channels, groupSize, panel); break;
            default: ScalarKernels.UnpackCodes(strip, channels, groupSize, panel); break;
        }
    }
}

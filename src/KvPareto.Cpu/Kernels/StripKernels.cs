using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>Walks the blocks of a strip with the twin for its weight's format and a <see cref="SimdLevel"/>.</summary>
internal static unsafe class StripKernels
{
    /// <summary>y [32] = strip · x [K].</summary>
    public static void Multiply(CpuWeight weight, int strip, float* x, float* y, SimdLevel level)
    {
        if (BlockShape.IsBlocks(weight.Format))
        {
            BlockStrips.For(weight.Format).Multiply(weight, strip, x, y, level);
            return;
        }
        switch (weight.Format)
        {
            case WeightFormat.F32: Multiply<F32Elements>(weight, strip, x, y, level); break;
            case WeightFormat.F16: Multiply<F16Elements>(weight, strip, x, y, level); break;
            case WeightFormat.BF16: Multiply<BF16Elements>(weight, strip, x, y, level); break;
            case WeightFormat.W4: MultiplyCodes<W4Codes>(weight, strip, x, y, level); break;
            case WeightFormat.W8: MultiplyCodes<W8Codes>(weight, strip, x, y, level); break;
            default: throw Unknown(weight);
        }
    }

    /// <summary>Writes the block of a strip that begins at <paramref name="channel"/> as f32 into 32 columns of a panel.</summary>
    public static void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel, SimdLevel level)
    {
        var (address, stride) = weight.BlockAt(strip, channel);
        var lines = (byte*)address;
        if (BlockShape.IsBlocks(weight.Format))
        {
            BlockStrips.For(weight.Format).Unpack(lines, channels, panel, level);
            return;
        }
        switch (weight.Format)
        {
            case WeightFormat.F32: Unpack<F32Elements>(lines, stride, channels, panel, level); break;
            case WeightFormat.F16: Unpack<F16Elements>(lines, stride, channels, panel, level); break;
            case WeightFormat.BF16: Unpack<BF16Elements>(lines, stride, channels, panel, level); break;
            case WeightFormat.W4: UnpackCodes<W4Codes>(lines, stride, channels, weight.GroupSize, panel, level); break;
            case WeightFormat.W8: UnpackCodes<W8Codes>(lines, stride, channels, weight.GroupSize, panel, level); break;
            default: throw Unknown(weight);
        }
    }

    private static ArgumentException Unknown(CpuWeight weight) =>
        new($"weight {weight.Name} has the format {weight.Format}, which has no kernel");

    private static void Multiply<TFormat>(CpuWeight weight, int strip, float* x, float* y, SimdLevel level)
        where TFormat : struct, IElementFormat
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var (address, stride) = weight.BlockAt(strip, k);
            var lines = (byte*)address;
            var channels = Math.Min(Strip.BlockChannels, weight.ColumnCount - k);
            var isPair = stride > TFormat.LineBytes;
            switch (level)
            {
                case SimdLevel.Avx512 when isPair: StripKernelsAvx512.MultiplyPair<TFormat>(lines, x + k, y, k > 0); break;
                case SimdLevel.Avx512: StripKernelsAvx512.MultiplyBlock<TFormat>(lines, x + k, channels, y, k > 0); break;
                case SimdLevel.Avx2 when isPair: StripKernelsAvx2.MultiplyPair<TFormat>(lines, x + k, y, k > 0); break;
                case SimdLevel.Avx2: StripKernelsAvx2.MultiplyBlock<TFormat>(lines, x + k, channels, y, k > 0); break;
                default: ScalarKernels.MultiplyBlock<TFormat>(lines, stride, x + k, channels, y, k > 0); break;
            }
            if (isPair && level != SimdLevel.Scalar) k += Strip.BlockChannels;
        }
    }

    private static void MultiplyCodes<TCodes>(CpuWeight weight, int strip, float* x, float* y, SimdLevel level)
        where TCodes : struct, ICodeFormat
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var (address, stride) = weight.BlockAt(strip, k);
            var lines = (byte*)address;
            var channels = Math.Min(Strip.BlockChannels, weight.ColumnCount - k);
            var isPair = stride > Strip.LineBytes(weight.Format);
            switch (level)
            {
                case SimdLevel.Avx512 when isPair: CodeKernelsAvx512.MultiplyPair<TCodes>(lines, x + k, weight.GroupSize, y, k > 0); break;
                case SimdLevel.Avx512: CodeKernelsAvx512.MultiplyBlock<TCodes>(lines, x + k, channels, weight.GroupSize, y, k > 0); break;
                case SimdLevel.Avx2 when isPair: CodeKernelsAvx2.MultiplyPair<TCodes>(lines, x + k, weight.GroupSize, y, k > 0); break;
                case SimdLevel.Avx2: CodeKernelsAvx2.MultiplyBlock<TCodes>(lines, x + k, channels, weight.GroupSize, y, k > 0); break;
                default: ScalarKernels.MultiplyCodes<TCodes>(lines, stride, x + k, channels, weight.GroupSize, y, k > 0); break;
            }
            if (isPair && level != SimdLevel.Scalar) k += Strip.BlockChannels;
        }
    }

    private static void Unpack<TFormat>(byte* lines, nint stride, int channels, float* panel, SimdLevel level)
        where TFormat : struct, IElementFormat
    {
        switch (level)
        {
            case SimdLevel.Avx512: StripKernelsAvx512.Unpack<TFormat>(lines, stride, channels, panel); break;
            case SimdLevel.Avx2: StripKernelsAvx2.Unpack<TFormat>(lines, stride, channels, panel); break;
            default: ScalarKernels.Unpack<TFormat>(lines, stride, channels, panel); break;
        }
    }

    private static void UnpackCodes<TCodes>(byte* lines, nint stride, int channels, int groupSize, float* panel, SimdLevel level)
        where TCodes : struct, ICodeFormat
    {
        switch (level)
        {
            case SimdLevel.Avx512: CodeKernelsAvx512.Unpack<TCodes>(lines, stride, channels, groupSize, panel); break;
            case SimdLevel.Avx2: CodeKernelsAvx2.Unpack<TCodes>(lines, stride, channels, groupSize, panel); break;
            default: ScalarKernels.UnpackCodes<TCodes>(lines, stride, channels, groupSize, panel); break;
        }
    }
}

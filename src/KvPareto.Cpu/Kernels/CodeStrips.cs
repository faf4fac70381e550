using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>What is done with strips of codes in groups, of one number of bits.</summary>
internal abstract unsafe class CodeStrips
{
    private static readonly CodeStrips[] All = [new Of<W4Codes>(), new Of<W8Codes>()];

    /// <summary>Bits of a code.</summary>
    protected abstract int Bits { get; }

    /// <summary>Those of <paramref name="format"/>.</summary>
    public static CodeStrips For(WeightFormat format)
    {
        foreach (var kernels in All)
            if (kernels.Bits == format.CodeBits()) return kernels;
        throw new ArgumentOutOfRangeException(nameof(format), format, "has no codes in groups");
    }

    /// <summary>The kernels at a vector width.</summary>
    public abstract StripKernel Kernel<TLanes, TFloat, TInt>()
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;

    /// <summary>Writes <paramref name="channels"/> channels of <paramref name="rowCount"/> rows, as many of a strip as there are.</summary>
    public abstract void Pack(HostWeight host, int row, int rowCount, int channel, int channels, byte* lines, nint stride);

    /// <summary>Reads <paramref name="channels"/> channels of the strip's row <paramref name="lane"/> as f32.</summary>
    public abstract void Decode(byte* lines, nint stride, int lane, int channels, int groupSize, float* destination);

    private sealed class Of<TCodes> : CodeStrips where TCodes : struct, ICodeFormat
    {
        protected override int Bits => TCodes.Bits;

        public override StripKernel Kernel<TLanes, TFloat, TInt>() => CodeKernels<TCodes, TLanes, TFloat, TInt>.Kernel;

        public override void Pack(HostWeight host, int row, int rowCount, int channel, int channels, byte* lines, nint stride)
        {
            nint rowBytes = host.ColumnCount / 8 * TCodes.Bits, groups = host.ColumnCount / host.GroupSize;
            for (nint k = channel; k < channel + channels; k += host.GroupSize, lines += Strip.MetaLines * stride)
            {
                var metas = lines + host.GroupSize / TCodes.LineChannels * stride;
                for (var r = 0; r < Strip.Rows; r++)
                    *Strip.Meta(metas, stride, r) =
                        r < rowCount ? Unsafe.ReadUnaligned<GroupMeta>(host.Groups + (row + r) * groups + k / host.GroupSize) : default;
                for (nint i = k; i < k + host.GroupSize; i += TCodes.LineChannels, lines += stride)
                    for (var r = 0; r < Strip.HalfRows; r++)
                        ((uint*)lines)[r] = Codes(i, r) | Codes(i, Strip.HalfRows + r) << TCodes.Bits;
            }

            uint Codes(nint first, int r) => r < rowCount
                ? TCodes.Spread(Unsafe.ReadUnaligned<ushort>(host.Data + (row + r) * rowBytes + first * TCodes.Bits / 8))
                : 0;
        }

        public override void Decode(byte* lines, nint stride, int lane, int channels, int groupSize, float* destination)
        {
            for (var k = 0; k < channels; k += groupSize, lines += Strip.MetaLines * stride)
            {
                var meta = *Strip.Meta(lines + groupSize / TCodes.LineChannels * stride, stride, lane);
                for (var i = 0; i < groupSize; i += TCodes.LineChannels, lines += stride)
                    for (var j = 0; j < TCodes.LineChannels; j++)
                        destination[k + i + j] = GroupCodec.Decode(Strip.Code<TCodes>(lines, j, lane), meta);
            }
        }
    }
}

using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>Scales and zero points as numbers: x̂ = code·scale + offset.</summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal static unsafe class GroupKernels<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>The groups of a tile's 16 tokens, kept as two arrays [16], to scales [16] and offsets [16].</summary>
    public static void ReadTile(ushort* scaleBits, short* zeros, float* scales, float* offsets)
    {
        for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
        {
            var (scale, offset) = TLanes.Groups(scaleBits + lane, zeros + lane);
            TLanes.Store(scale, scales + lane);
            TLanes.Store(offset, offsets + lane);
        }
    }

    /// <summary>A row of groups to scales [count] and offsets [count]; <paramref name="count"/> is a multiple of the width.</summary>
    public static void Read(GroupMeta* metas, int count, float* scales, float* offsets)
    {
        for (var i = 0; i < count; i += TLanes.Width)
        {
            var (scale, offset) = TLanes.Groups(metas + i);
            TLanes.Store(scale, scales + i);
            TLanes.Store(offset, offsets + i);
        }
    }
}

namespace KvPareto.Cpu.Kernels;

/// <summary>A panel of codes whose channels have scales and offsets for each group.</summary>
/// <param name="channels">Of the panel, whole groups.</param>
/// <param name="groupSize">Channels of a group.</param>
/// <param name="scales">Scales and offsets [groups, 2, 64].</param>
/// <param name="sums">Sums of a's rows over each group [rows, groups].</param>
/// <param name="sumStride">From one row of them to the next.</param>
internal readonly unsafe struct PanelGroups(int channels, int groupSize, float* scales, float* sums, nint sumStride)
{
    /// <summary>From one group's scales to the next's.</summary>
    public const int ScaleFloats = 2 * MicroKernel.Columns;

    public readonly int Channels = channels;
    public readonly int GroupSize = groupSize;
    public readonly float* Scales = scales;
    public readonly float* Sums = sums;
    public readonly nint SumStride = sumStride;
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvPareto.Cpu.Kernels;

/// <summary>Sums of x over groups of channels, by which zero points are multiplied.</summary>
internal static unsafe class GroupSums
{
    /// <summary>sums[r, g] = Σ x[r, k] over the group's channels: sixteen sums of every sixteenth channel, the first half of them and the
    /// second added until one is left. On any machine.</summary>
    /// <param name="x">[rows, columns].</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Channels, whole groups.</param>
    /// <param name="group">Channels of a group, a multiple of 16.</param>
    /// <param name="sums">[rows, groups] without gaps.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Of(float* x, nint stride, int rows, int columns, int group, float* sums)
    {
        for (var row = 0; row < rows; row++, x += stride)
            for (float* start = x, end = x + columns; start < end;)
            {
                var sum = Vector512.Load(start);
                var groupEnd = start + group;
                for (start += Vector512<float>.Count; start < groupEnd; start += Vector512<float>.Count) sum += Vector512.Load(start);
                var half = sum.GetLower() + sum.GetUpper();
                var quarter = half.GetLower() + half.GetUpper();
                var pair = quarter + Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1));
                *sums++ = (pair + Vector128.Shuffle(pair, Vector128.Create(1, 0, 3, 2))).ToScalar();
            }
    }
}

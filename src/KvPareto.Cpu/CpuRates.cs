using System.Runtime.Intrinsics;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Speed;
using static System.FormattableString;

namespace KvPareto.Cpu;

/// <summary>What the processor does at best with all workers of a backend.</summary>
public static unsafe class CpuRates
{
    private const long BlockBytes = 768L << 20; // no cache holds it
    private const int SliceBytes = 32 << 20; // short, so that the best of many is undisturbed on a machine that others use
    private const int ItemBytes = 1 << 20;
    private const int ProductSize = 768;

    /// <summary>Measures for about two seconds.</summary>
    public static DeviceRates Measure(CpuBackend backend, double seconds = 1)
    {
        var (read, product) = (Read(backend.Workers, seconds), DeviceRates.DenseProduct(backend, ProductSize, seconds));
        return new(read, product, Invariant($"read {read / 1e9:F1} GB/s, dense f32 product {product / 1e9:F0} GFLOP/s"));
    }

    /// <summary>Bytes read a second from memory that no cache holds.</summary>
    /// <param name="workers">Threads; null for as many as there are processors.</param>
    /// <param name="seconds">How long to measure.</param>
    internal static double Read(int? workers, double seconds)
    {
        using var team = new WorkerTeam(workers);
        using var block = new NativeBuffer(new MemoryLedger(), MemoryCategory.Workspace, BlockBytes).Clear();
        var sums = new float[team.Count * 16];
        var slice = 0L;
        var timing = Timing.Of(() =>
        {
            slice = (slice + SliceBytes) % BlockBytes;
            team.For(SliceBytes / ItemBytes, (Address: block.Address + (nint)slice, sums),
                static (in (nint Address, float[] Sums) s, int index, int worker) =>
                s.Sums[worker * 16] += Sum((float*)(s.Address + (nint)index * ItemBytes), ItemBytes / 4));
        }, seconds);
        return SliceBytes / timing.Best;
    }

    private static float Sum(float* values, int count)
    {
        Vector512<float> a = default, b = default, c = default, d = default;
        for (var end = values + count; values < end; values += 64)
        {
            a += Vector512.Load(values);
            b += Vector512.Load(values + 16);
            c += Vector512.Load(values + 32);
            d += Vector512.Load(values + 48);
        }
        return Vector512.Sum(a + b + (c + d));
    }
}

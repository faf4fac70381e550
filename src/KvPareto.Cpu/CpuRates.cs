using System.Runtime.Intrinsics;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Speed;
using static System.FormattableString;

namespace KvPareto.Cpu;

/// <summary>What the processor does at best with all workers of a backend.</summary>
public static unsafe class CpuRates
{
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
        using var reader = new Reader(workers);
        return Reader.SliceBytes / Timing.Of(reader.ReadSlice, seconds).Best;
    }

    /// <summary>Reads memory that no cache holds, slice by slice.</summary>
    internal sealed class Reader(int? workers) : IDisposable
    {
        /// <summary>Bytes of a slice: few, so that the best of many is undisturbed on a machine that others use.</summary>
        public const int SliceBytes = 32 << 20;

        private const long BlockBytes = 768L << 20; // no cache holds it
        private const int ItemBytes = 1 << 20;

        private readonly WorkerTeam _team = new(workers);
        private readonly NativeBuffer _block = new NativeBuffer(new MemoryLedger(), MemoryCategory.Workspace, BlockBytes).Clear();
        private long _slice;

        /// <summary>Reads the next slice.</summary>
        public void ReadSlice()
        {
            _slice = (_slice + SliceBytes) % BlockBytes;
            var sums = new float[_team.Count * 16];
            _team.For(SliceBytes / ItemBytes, (Address: _block.Address + (nint)_slice, sums),
                static (in (nint Address, float[] Sums) s, int index, int worker) =>
                s.Sums[worker * 16] += Sum((float*)(s.Address + (nint)index * ItemBytes), ItemBytes / 4));
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _team.Dispose();
            _block.Dispose();
        }
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

using System.Globalization;
using System.Runtime.Intrinsics;
using KvPareto.Cpu;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Speed;

namespace KvPareto.Benchmarks;

/// <summary>What the machine can do at best with all its cores: the denominators of every fraction reported.</summary>
/// <param name="ReadBytesPerSecond">Rate of reading a block that no cache holds.</param>
/// <param name="PeakFlops">f32 operations a second of fused multiply-adds that touch no memory.</param>
/// <param name="DenseFlops">f32 operations a second of a product of f32 matrices by the engine's own kernel.</param>
internal sealed record MachineFloors(double ReadBytesPerSecond, double PeakFlops, double DenseFlops)
{
    private const int PeakChains = 12;
    private const int PeakSteps = 1 << 17;

    /// <summary>Measures for a few seconds.</summary>
    public static MachineFloors Measure()
    {
        using var backend = new CpuBackend();
        using var team = new WorkerTeam();
        var rates = CpuRates.Measure(backend, seconds: 2);
        return new(rates.BytesPerSecond!.Value, MeasurePeak(team), rates.OperationsPerSecond);
    }

    /// <summary>Writes the three figures.</summary>
    public void Print() => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{Environment.ProcessorCount} cores, {Simd.Best}: read {ReadBytesPerSecond / 1e9:F1} GB/s, f32 peak {PeakFlops / 1e9:F0} "
            + $"GFLOP/s, dense f32 product {DenseFlops / 1e9:F0} GFLOP/s"));

    private static double MeasurePeak(WorkerTeam team)
    {
        var sums = new float[team.Count * 16];
        var timing = Timing.Of(() => team.For(team.Count, sums, static (in float[] s, int index, int worker) =>
            s[worker * 16] += Vector512.IsHardwareAccelerated ? Chains512(PeakSteps) : Chains256(PeakSteps)), 1);
        var lanes = Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256<float>.Count;
        return 2.0 * team.Count * PeakChains * PeakSteps * lanes / timing.Best;
    }

    private static float Chains512(int steps)
    {
        var x = Vector512.Create(0.999f);
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var step = 0; step < steps; step++)
        {
            (a, b, c) = (Vector512.FusedMultiplyAdd(a, x, x), Vector512.FusedMultiplyAdd(b, x, x), Vector512.FusedMultiplyAdd(c, x, x));
            (d, e, f) = (Vector512.FusedMultiplyAdd(d, x, x), Vector512.FusedMultiplyAdd(e, x, x), Vector512.FusedMultiplyAdd(f, x, x));
            (g, h, i) = (Vector512.FusedMultiplyAdd(g, x, x), Vector512.FusedMultiplyAdd(h, x, x), Vector512.FusedMultiplyAdd(i, x, x));
            (j, k, l) = (Vector512.FusedMultiplyAdd(j, x, x), Vector512.FusedMultiplyAdd(k, x, x), Vector512.FusedMultiplyAdd(l, x, x));
        }
        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    private static float Chains256(int steps)
    {
        var x = Vector256.Create(0.999f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var step = 0; step < steps; step++)
        {
            (a, b, c) = (Vector256.FusedMultiplyAdd(a, x, x), Vector256.FusedMultiplyAdd(b, x, x), Vector256.FusedMultiplyAdd(c, x, x));
            (d, e, f) = (Vector256.FusedMultiplyAdd(d, x, x), Vector256.FusedMultiplyAdd(e, x, x), Vector256.FusedMultiplyAdd(f, x, x));
            (g, h, i) = (Vector256.FusedMultiplyAdd(g, x, x), Vector256.FusedMultiplyAdd(h, x, x), Vector256.FusedMultiplyAdd(i, x, x));
            (j, k, l) = (Vector256.FusedMultiplyAdd(j, x, x), Vector256.FusedMultiplyAdd(k, x, x), Vector256.FusedMultiplyAdd(l, x, x));
        }
        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}

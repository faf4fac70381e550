using System.Globalization;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Speed;
using KvPareto.Engine.Weights;

namespace KvPareto.Benchmarks;

/// <summary>
/// Linear layers that fit the cache, on one core, at each vector width: what the kernels do, apart from memory. Runs are so short that
/// the best of them is the kernel's own even on a busy machine.
/// </summary>
internal static class KernelBenchmark
{
    private const int Outputs = 256;
    private const int Columns = 512;

    private static readonly (string Name, WeightFormat Format, int Group)[] Formats =
    [
        ("f32", WeightFormat.F32, 0), ("bf16", WeightFormat.BF16, 0), ("f16", WeightFormat.F16, 0), ("w8 g64", WeightFormat.W8, 64),
        ("w4 g64", WeightFormat.W4, 64), ("q4_k", WeightFormat.Q4K, 0),
    ];

    private static readonly int[] Rows = [1, 2, 4, 8, 48];

    /// <summary>Prints microseconds of a product of one row, of some that come straight from strips, and of 48 rows.</summary>
    public static void Run()
    {
        using var team = new WorkerTeam(1);
        Console.WriteLine($"[{Outputs}, {Columns}], best µs{string.Concat(Rows.Select(rows => $"T={rows}".PadLeft(9)))}");
        foreach (var (name, format, group) in Formats)
            foreach (var level in new[] { SimdLevel.Avx512, SimdLevel.Avx2 })
            {
                if (level > Simd.Best) continue;
                var best = Rows.Select(rows =>
                    Best(team, format, group, rows, level).ToString(rows < 48 ? "F2" : "F1", CultureInfo.InvariantCulture).PadLeft(9));
                Console.WriteLine($"{name,-8} {level,-12}{string.Concat(best)}");
            }
    }

    private static double Best(WorkerTeam team, WeightFormat format, int group, int rows, SimdLevel level)
    {
        using var layer = new BenchmarkLayer(team, format, Outputs, Columns, rows, group, copies: 1);
        return 1e6 * Timing.Of(() => layer.MultiplyOne(0, level), 0.4).Best;
    }
}

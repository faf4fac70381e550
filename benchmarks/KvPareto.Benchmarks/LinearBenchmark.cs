using System.Globalization;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Speed;
using KvPareto.Engine.Weights;

namespace KvPareto.Benchmarks;

/// <summary>The linear layers of SmolLM2-135M, each shape alone: decode (T = 1) against the read rate, prefill against the peak.</summary>
internal static class LinearBenchmark
{
    private const long ColdBytes = 192L << 20; // more than a third-level cache
    private static readonly (string Name, int Outputs, int Columns)[] Shapes =
        [("q, o", 576, 576), ("k, v", 192, 576), ("gate, up", 1536, 576), ("down", 576, 1536), ("head", 49152, 576)];
    private static readonly (string Name, WeightFormat Format, int Group)[] Formats =
        [("bf16", WeightFormat.BF16, 0), ("f16", WeightFormat.F16, 0), ("f32", WeightFormat.F32, 0), ("w4 g32", WeightFormat.W4, 32),
            ("w4 g64", WeightFormat.W4, 64), ("w8 g64", WeightFormat.W8, 64)];

    /// <summary>Prints a table of all formats, or of those named.</summary>
    public static void Run(string[] names)
    {
        var floors = MachineFloors.Measure();
        floors.Print();
        using var team = new WorkerTeam();
        foreach (var (format, type, group) in Formats.Where(format => names.Length == 0 || names.Contains(format.Name)))
            foreach (var (name, outputs, columns) in Shapes)
            {
                Decode(team, floors, $"{format,-7}{name,-9}", type, outputs, columns, group);
                if (outputs < 10_000)
                    foreach (var rows in (int[])[4, 16, 256])
                        Prefill(team, floors, $"{format,-7}{name,-9}", type, outputs, columns, group, rows);
            }
    }

    private static void Decode(
        WorkerTeam team, MachineFloors floors, string label, WeightFormat format, int outputs, int columns, int group)
    {
        var copies = (int)(ColdBytes / CpuWeight.PredictByteCount(format, outputs, columns, group, hasBias: false)) + 1;
        using var layer = new BenchmarkLayer(team, format, outputs, columns, 1, group, copies);
        var timing = Timing.Of(layer.Multiply);
        Print(label, 1, layer.ByteCount / timing.Best / 1e9, layer.ByteCount / timing.Median / 1e9, floors.ReadBytesPerSecond / 1e9,
            "GB/s");
    }

    private static void Prefill(
        WorkerTeam team, MachineFloors floors, string label, WeightFormat format, int outputs, int columns, int group, int rows)
    {
        using var layer = new BenchmarkLayer(team, format, outputs, columns, rows, group, copies: 8);
        var timing = Timing.Of(layer.Multiply);
        var operations = 2.0 * 8 * rows * outputs * columns / 1e9;
        Print(label, rows, operations / timing.Best, operations / timing.Median, floors.PeakFlops / 1e9, "GFLOP/s");
    }

    private static void Print(string label, int rows, double best, double median, double floor, string unit) =>
        Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
            $"{label} T={rows,-4} {best,7:F1} {unit,-8} {best / floor,5:P0} of the machine's (median {median:F1})"));
}

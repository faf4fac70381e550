using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu;

/// <summary>The processor in words.</summary>
internal static class CpuInfo
{
    private const string LinuxCpuInfo = "/proc/cpuinfo";
    private const string ModelKey = "model name";

    /// <summary>The vector instructions that kernels use, or <c>scalar</c>.</summary>
    public static string Instructions => Simd.Best switch { SimdLevel.Avx512 => "AVX-512", SimdLevel.Avx2 => "AVX2", _ => "scalar" };

    /// <summary>Model name where the system tells it, vector width and threads.</summary>
    public static string Describe(int workers) => $"{ModelName()}, {Instructions}, {workers} threads";

    private static string ModelName()
    {
        try
        {
            var line = File.ReadLines(LinuxCpuInfo).FirstOrDefault(l => l.StartsWith(ModelKey, StringComparison.Ordinal));
            return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? "CPU";
        }
        catch (IOException)
        {
            return "CPU";
        }
    }
}

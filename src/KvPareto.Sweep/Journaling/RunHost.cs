using System.Reflection;
using System.Runtime.InteropServices;

namespace KvPareto.Sweep.Journaling;

/// <summary>The program and the machine.</summary>
internal sealed record RunHost
{
    private const string CpuInfo = "/proc/cpuinfo";

    /// <summary>Of this program.</summary>
    public required string Version { get; init; }

    /// <summary>The commit it was built from, where the build knew.</summary>
    public string? Commit { get; init; }

    public required string Backend { get; init; }

    public required string Device { get; init; }

    /// <summary>Workers with scratch of their own, which peaks depend on: threads, on the processor.</summary>
    public int? Workers { get; init; }

    public required string Machine { get; init; }

    public required string Cpu { get; init; }

    public required int Cores { get; init; }

    public required string OperatingSystem { get; init; }

    public required string DotNet { get; init; }

    /// <summary>Of this program, without its commit.</summary>
    public static string ProgramVersion => Built()[0];

    /// <summary>This machine.</summary>
    public static RunHost Here(string backend, string device, int? workers)
    {
        var version = Built();
        return new()
        {
            Version = version[0],
            Commit = version.Length > 1 ? version[1] : null,
            Backend = backend,
            Device = device,
            Workers = workers,
            Machine = Environment.MachineName,
            Cpu = CpuName(),
            Cores = Environment.ProcessorCount,
            OperatingSystem = RuntimeInformation.OSDescription,
            DotNet = RuntimeInformation.FrameworkDescription,
        };
    }

    private static string[] Built() =>
        typeof(RunHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')
            ?? ["unknown"];

    private static string CpuName()
    {
        const string Key = "model name";
        var lines = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo) : [];
        var line = lines.FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}

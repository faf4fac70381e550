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

    /// <summary>The instructions that scores may depend on, in words; null in folders of versions that did not write them.</summary>
    public string? Instructions { get; init; }

    /// <summary>Workers with scratch of their own, which peaks depend on: threads, on the processor.</summary>
    public int? Workers { get; init; }

    public required string Machine { get; init; }

    public required string Cpu { get; init; }

    public required int Cores { get; init; }

    public required string OperatingSystem { get; init; }

    public required string DotNet { get; init; }

    /// <summary>Figures of both may stand in one trial: the same program on the same kind of device.</summary>
    public bool IsLike(RunHost other) => (Version, Commit, Backend, Device, Instructions, Workers)
        == (other.Version, other.Commit, other.Backend, other.Device, other.Instructions, other.Workers);

    /// <summary>Of this program, without its commit.</summary>
    public static string ProgramVersion => Built()[0];

    /// <summary>This machine.</summary>
    public static RunHost Here(string backend, string device, string instructions, int? workers)
    {
        var version = Built();
        return new()
        {
            Version = version[0],
            Commit = version.Length > 1 ? version[1] : null,
            Backend = backend,
            Device = device,
            Instructions = instructions,
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

using System.Globalization;
using KvPareto.Engine.Seam;

namespace KvPareto.Torch;

/// <summary>
/// The process's resident high mark (VmHWM), less what was resident at the start and less the pages of mapped files: PyTorch's allocations
/// on the processor as the system sees them, with the runtime's own heap.
/// </summary>
internal sealed class ProcessMeter : MemoryMeter
{
    private const string Status = "/proc/self/status";

    private readonly long _before;

    private ProcessMeter()
    {
        _before = Read("RssAnon");
        Reset();
    }

    public override PeakKind Kind => PeakKind.Process;

    public override long HighBytes => Math.Max(0, Read("VmHWM") - Read("RssFile") - Read("RssShmem") - _before);

    /// <summary>A meter; null where the system does not tell or does not let the mark be reset.</summary>
    public static ProcessMeter? TryCreate()
    {
        try
        {
            return OperatingSystem.IsLinux() ? new ProcessMeter() : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public override void Reset() => File.WriteAllText("/proc/self/clear_refs", "5"); // proc_pid_clear_refs(5): VmHWM becomes VmRSS

    private static long Read(string field)
    {
        var line = File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(field + ":", StringComparison.Ordinal)); // "FIELD: … kB"
        return line is null ? 0 : long.Parse(line.Split(' ')[^2], NumberStyles.None, CultureInfo.InvariantCulture) << 10;
    }
}

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
    private const string ClearRefs = "/proc/self/clear_refs";

    private readonly long _before;

    private ProcessMeter()
    {
        _before = Read("RssAnon");
        Reset();
    }

    /// <inheritdoc/>
    public override PeakKind Kind => PeakKind.Process;

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override void Reset() => File.WriteAllText(ClearRefs, "5"); // proc_pid_clear_refs(5): VmHWM becomes VmRSS

    private static long Read(string field)
    {
        foreach (var line in File.ReadLines(Status))
        {
            if (line.StartsWith(field, StringComparison.Ordinal) && line[field.Length] == ':')
                return long.Parse(line.AsSpan(field.Length + 1).Trim()[..^3], NumberStyles.None, CultureInfo.InvariantCulture) << 10;
            // "… kB"
        }
        return 0;
    }
}

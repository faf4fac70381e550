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

    /// <summary>Bytes of a field of proc_pid_status(5); 0 where it is not there.</summary>
    /// <param name="lines">"FIELD:", blanks or a tab alone before a number of eight digits and more, "NUMBER kB".</param>
    /// <param name="field">Its name.</param>
    internal static long Bytes(IEnumerable<string> lines, string field) =>
        lines.FirstOrDefault(line => line.StartsWith(field + ":", StringComparison.Ordinal)) is { } line
            ? long.Parse(line[(field.Length + 1)..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) << 10 : 0;

    private static long Read(string field) => Bytes(File.ReadLines(Status), field);
}

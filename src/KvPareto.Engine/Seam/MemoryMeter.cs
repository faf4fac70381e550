using System.Text.Json.Serialization;

namespace KvPareto.Engine.Seam;

/// <summary>How a peak was got. Peaks of different kinds count different things.</summary>
public enum PeakKind
{
    /// <summary>The sum of what the backend's own allocator has handed out.</summary>
    [JsonStringEnumMemberName("ledger")]
    Ledger,

    /// <summary>The high mark that the device's driver keeps of the memory pool that all allocations come from.</summary>
    [JsonStringEnumMemberName("pool")]
    Pool,

    /// <summary>The high mark of the process's resident memory, less what was there before.</summary>
    [JsonStringEnumMemberName("process")]
    Process,
}

/// <summary>The high mark of memory that is allocated by a library, outside the backend's own allocator.</summary>
public abstract class MemoryMeter
{
    /// <summary>What it reads.</summary>
    public abstract PeakKind Kind { get; }

    /// <summary>Most bytes in use at once since <see cref="Reset"/>.</summary>
    public abstract long HighBytes { get; }

    /// <summary>Sets the mark to what is in use now.</summary>
    public abstract void Reset();
}

using System.Globalization;

namespace KvPareto.Sweep.Leases;

/// <summary>The process that holds a lease, as the lease's file has it.</summary>
internal sealed record LeaseHolder
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";
    private const string ProcessNamespace = "/proc/self/ns/pid";
    private const int StateField = 3; // of proc(5)'s stat
    private const int StartField = 22;

    /// <summary>Of this lease alone.</summary>
    public required string Token { get; init; }

    public required string Machine { get; init; }

    public required int Process { get; init; }

    /// <summary>
    /// What a process number is unique within: the machine's boot and its process namespace. Empty where that cannot be known.
    /// </summary>
    public required string Scope { get; init; }

    /// <summary>When the process began, in ticks since the boot: numbers are used again.</summary>
    public required string Started { get; init; }

    /// <summary>Grows with each beat; of a fixed width, so that a beat changes no other byte.</summary>
    public required string Beat { get; init; }

    /// <summary>This process with a lease of its own.</summary>
    public static LeaseHolder Here() => new()
    {
        Token = Guid.NewGuid().ToString("N"),
        Machine = Environment.MachineName,
        Process = Environment.ProcessId,
        Scope = HereScope,
        Started = StatOf(Environment.ProcessId)?.Started ?? "",
        Beat = BeatText(0),
    };

    /// <summary>A beat as it stands in the file.</summary>
    public static string BeatText(long beat) => beat.ToString("D20", CultureInfo.InvariantCulture);

    /// <summary>
    /// The process is gone for certain: it ran on this machine since its last start, and is not there any more. False where that cannot
    /// be told from here.
    /// </summary>
    public bool IsGone() => Scope.Length > 0 && Scope == HereScope && Started.Length > 0
        && (StatOf(Process) is not { } stat || stat.Started != Started || stat.State is "Z" or "X");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"process {Process} on {Machine}");

    private static string HereScope { get; } = ScopeHere();

    private static string ScopeHere()
    {
        try
        {
            return File.ReadAllText(BootId).Trim() + " " + new FileInfo(ProcessNamespace).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static (string State, string Started)? StatOf(int process)
    {
        try
        {
            // The second field is the program's name in brackets, which may hold anything.
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[StateField - 3], fields[StartField - 3]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

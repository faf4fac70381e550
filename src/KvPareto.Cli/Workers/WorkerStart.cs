using System.Diagnostics;

namespace KvPareto.Cli.Workers;

/// <summary>A process to be started that works on a run folder and prints its events as JSON.</summary>
/// <param name="Label">What people call it: its device.</param>
/// <param name="File">Program.</param>
/// <param name="Arguments">Its arguments.</param>
internal sealed record WorkerStart(string Label, string File, IReadOnlyList<string> Arguments)
{
    /// <summary>Starts it; its output is to be read by the caller.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The program is not there.</exception>
    public Process Begin() => Process.Start(new ProcessStartInfo(File, Arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}

/// <summary>How a worker ended.</summary>
/// <param name="Label">As its start has it.</param>
/// <param name="ExitCode">What its process returned; null where it could not be started.</param>
/// <param name="HasBegun">It told its plan, and so took part in the sweep.</param>
/// <param name="Reason">Why it ended before the sweep did; null where it did not.</param>
internal sealed record WorkerEnd(string Label, int? ExitCode, bool HasBegun, string? Reason);

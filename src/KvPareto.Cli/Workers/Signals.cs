using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KvPareto.Cli.Workers;

/// <summary>Asks a process to end.</summary>
internal static partial class Signals
{
    private const int Terminate = 15; // SIGTERM

    /// <summary>By SIGTERM, on which a sweep ends between two tokens; where there are no signals it is ended at once.</summary>
    public static void Stop(Process process)
    {
        try
        {
            if (process.HasExited) return;
            if (OperatingSystem.IsWindows()) process.Kill();
            else _ = Send(process.Id, Terminate);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself meanwhile.
            return;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KvPareto.Text.Input;

/// <summary>Time that this thread has run: what a busy machine gives to others is not counted. Elsewhere than on Linux it is.</summary>
internal static unsafe partial class ProcessorTime
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID of time.h

    /// <summary>Since some moment of its own.</summary>
    public static TimeSpan OfThread()
    {
        var time = stackalloc nint[2];
        return OperatingSystem.IsLinux() && GetTime(ThreadClock, time) == 0
            ? TimeSpan.FromSeconds((long)time[0]) + TimeSpan.FromTicks((long)time[1] / TimeSpan.NanosecondsPerTick)
            : Stopwatch.GetElapsedTime(0);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, nint* time);
}

using System.Runtime.InteropServices;

namespace KvPareto.Text.Input;

/// <summary>What a name stands for, asked before it is opened: opening a pipe waits for somebody who writes.</summary>
internal static unsafe partial class FileKind
{
    // Of fcntl.h and sys/stat.h.
    private const int WorkingFolder = -100; // AT_FDCWD
    private const uint Type = 1; // STATX_TYPE
    private const int StatxBytes = 256;
    private const int StatxMode = 28;
    private const int KindMask = 0xF000; // S_IFMT
    private const int RegularFile = 0x8000; // S_IFREG

    /// <summary>True for a pipe, a socket or a device, links followed; false too where that cannot be known.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux() || Directory.Exists(path)) return false;
        var buffer = stackalloc byte[StatxBytes];
        return StatX(WorkingFolder, path, 0, Type, buffer) == 0 && (*(ushort*)(buffer + StatxMode) & KindMask) != RegularFile;
    }

    /// <summary>True for a name of what the caller opened for this process, standard input or a shell's <c>&lt;(…)</c>: nobody needs
    /// to be waited for to open it.</summary>
    public static bool IsInherited(string path) => path == "/dev/stdin" || path.StartsWith("/dev/fd/", StringComparison.Ordinal)
        || path.StartsWith("/proc/self/fd/", StringComparison.Ordinal);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* buffer);
}

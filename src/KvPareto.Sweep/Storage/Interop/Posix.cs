using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KvPareto.Sweep.Storage.Interop;

/// <summary>
/// The file functions of Linux's C library that .NET lacks or whose errors it does not pass on. Names and constants are those of
/// fcntl.h, errno.h and sys/stat.h; a failed call gives -1 and leaves its error number to <see cref="Marshal.GetLastPInvokeError"/>.
/// </summary>
internal static unsafe partial class Posix
{
    public const int OpenReadOnly = 0;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenAppend = 0x400;
    public const int OpenNonBlocking = 0x800;
    public const int OpenCloseOnExec = 0x80000;

    public const int NotPermitted = 1; // EPERM
    public const int NoEntry = 2; // ENOENT
    public const int Interrupted = 4; // EINTR
    public const int NoReader = 6; // ENXIO: a socket, or a pipe that nobody reads
    public const int Exists = 17; // EEXIST
    public const int IsDirectory = 21; // EISDIR
    public const int Invalid = 22; // EINVAL
    public const int NotImplemented = 38; // ENOSYS
    public const int TooManyLinks = 40; // ELOOP: a symbolic link where none is followed
    public const int NotSupported = 95; // EOPNOTSUPP

    /// <summary>0x20000 but for ARM, where fcntl.h has another value.</summary>
    public static readonly int OpenNoFollow =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    private const string Library = "libc";
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint TypeAndMode = 3; // STATX_TYPE | STATX_MODE
    private const int StatxBytes = 256;
    private const int StatxMode = 28;

    // The process's own symbols rather than the library's file, so that a preloaded library is heard, as it is by .NET's own calls.
    static Posix() => NativeLibrary.SetDllImportResolver(
        typeof(Posix).Assembly, (name, _, _) => name == Library ? NativeLibrary.GetMainProgramHandle() : 0);

    /// <summary>The kind and the permissions of an open file, st_mode; -1 where they cannot be known.</summary>
    public static int ModeOf(SafeFileHandle file)
    {
        var buffer = stackalloc byte[StatxBytes];
        return StatX(file, "", EmptyPath, TypeAndMode, buffer) == 0 ? *(ushort*)(buffer + StatxMode) : -1;
    }

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, byte* bytes, nint count);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Link(string path, string second);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle folder, string path, int flags, uint mask, byte* buffer);
}

using System.Runtime.InteropServices;
using KvPareto.Sweep.Storage.Interop;
using KvPareto.Text.Input;
using Microsoft.Win32.SafeHandles;

namespace KvPareto.Sweep.Storage;

/// <summary>
/// Files of a run folder: regular files only, no link followed, no pipe waited for; what a call says is written or on the disk is so,
/// or the call throws.
/// </summary>
internal static class DiskFile
{
    private const int KindMask = 0xF000; // S_IFMT
    private const int RegularFile = 0x8000; // S_IFREG
    private const int NewFileMode = 0x1B6; // 0666, less the process's mask

    /// <summary>A file to read; null where there is none.</summary>
    /// <exception cref="ConfigException">It is a link, a folder, a pipe or a device, or must not be read.</exception>
    public static SafeFileHandle? TryOpenRead(string path) => Open(path, Posix.OpenReadOnly, FileMode.Open, FileAccess.Read);

    /// <summary>The first bytes of a file, as many as it has of <paramref name="most"/>.</summary>
    public static byte[] Bytes(SafeFileHandle file, long most = long.MaxValue)
    {
        var bytes = new byte[Math.Min(RandomAccess.GetLength(file), most)];
        var at = 0;
        while (RandomAccess.Read(file, bytes.AsSpan(at), at) is > 0 and var count) at += count;
        return bytes[..at];
    }

    /// <summary>A new file to read and write; null where the name is taken, atomically.</summary>
    /// <exception cref="ConfigException">It cannot be made.</exception>
    public static SafeFileHandle? TryCreate(string path, bool append)
    {
        var flags = Posix.OpenReadWrite | Posix.OpenCreate | Posix.OpenExclusive | (append ? Posix.OpenAppend : 0);
        return Open(path, flags, FileMode.CreateNew, FileAccess.ReadWrite);
    }

    /// <summary>Writes all bytes where the file stands, at its end if it was opened so.</summary>
    /// <exception cref="IOException">The disk is full or fails; some of the bytes may be in the file.</exception>
    public static unsafe void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.Write(file, bytes, RandomAccess.GetLength(file));
            return;
        }
        fixed (byte* start = bytes)
        {
            for (nint written = 0; written < bytes.Length;)
            {
                var count = Posix.Write(file, start + written, bytes.Length - written);
                if (count >= 0) written += count;
                else if (Marshal.GetLastPInvokeError() != Posix.Interrupted) throw Failed(path, "cannot be written");
            }
        }
    }

    /// <summary>Waits until a file's bytes are on the disk.</summary>
    /// <exception cref="IOException">They are not: the disk is full or fails.</exception>
    public static void Flush(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }
        while (Posix.FSync(file) < 0)
            if (Marshal.GetLastPInvokeError() != Posix.Interrupted) throw Failed(path, "is not on the disk");
    }

    /// <summary>Waits until a folder's names are on the disk.</summary>
    /// <exception cref="IOException">They are not.</exception>
    public static void FlushFolder(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        var descriptor = Posix.Open(path, Posix.OpenReadOnly | Posix.OpenCloseOnExec, 0);
        if (descriptor < 0) throw Failed(path, "cannot be read");
        using var folder = new SafeFileHandle(descriptor, ownsHandle: true);
        // Some network file systems have no such call for folders and write names through at once.
        while (Posix.FSync(folder) < 0 && Marshal.GetLastPInvokeError() is not (Posix.Invalid or Posix.NotSupported))
            if (Marshal.GetLastPInvokeError() != Posix.Interrupted) throw Failed(path, "is not on the disk");
    }

    /// <summary>
    /// Gives a file a second name; false where that name is taken, atomically, or the file is gone; null where the file system has no
    /// links.
    /// </summary>
    /// <exception cref="IOException">It cannot be done.</exception>
    public static bool? TryLink(string path, string second)
    {
        if (!OperatingSystem.IsLinux()) return null;
        if (Posix.Link(path, second) == 0) return true;
        return Marshal.GetLastPInvokeError() switch
        {
            Posix.Exists or Posix.NoEntry => false,
            Posix.NotPermitted or Posix.NotSupported or Posix.NotImplemented => null,
            _ => throw Failed(second, "cannot be made"),
        };
    }

    /// <summary>Puts a file in another's place, which must be a regular one, and waits until the name is on the disk.</summary>
    /// <exception cref="ConfigException">The place is a link's, a folder's, a pipe's or a device's.</exception>
    public static void Replace(string draft, string path)
    {
        TryOpenRead(path)?.Dispose();
        File.Move(draft, path, overwrite: true);
        FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static SafeFileHandle? Open(string path, int flags, FileMode mode, FileAccess access)
    {
        if (!OperatingSystem.IsLinux()) return OpenPortably(path, mode, access);
        int descriptor;
        do
        {
            descriptor = Posix.Open(path, flags | Posix.OpenNoFollow | Posix.OpenNonBlocking | Posix.OpenCloseOnExec, NewFileMode);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Posix.Interrupted);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                Posix.NoEntry or Posix.Exists => null,
                Posix.TooManyLinks => throw NotRegular(path, "a symbolic link"),
                Posix.IsDirectory => throw NotRegular(path, "a folder"),
                Posix.NoReader => throw NotRegular(path, "a pipe or a device"),
                _ => throw Refused(path, access, Marshal.GetLastPInvokeErrorMessage()),
            };
        }
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Posix.ModeOf(file) is var kind && (kind < 0 || (kind & KindMask) == RegularFile)) return file;
        file.Dispose();
        throw NotRegular(path, "a folder, a pipe or a device");
    }

    private static SafeFileHandle? OpenPortably(string path, FileMode mode, FileAccess access)
    {
        if (new FileInfo(path).LinkTarget is not null) throw NotRegular(path, "a symbolic link");
        if (mode == FileMode.CreateNew ? File.Exists(path) : mode == FileMode.Open && !File.Exists(path)) return null;
        try
        {
            return File.OpenHandle(path, mode, access, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(path, access, e.Message);
        }
    }

    private static ConfigException NotRegular(string path, string kind) => new($"{path}: is {kind}; allowed: a regular file");

    private static ConfigException Refused(string path, FileAccess access, string reason) =>
        new($"{path}: cannot be {(access == FileAccess.Read ? "read" : "written")}: {reason}");

    private static IOException Failed(string path, string what) => new($"{path}: {what}: {Marshal.GetLastPInvokeErrorMessage()}");
}

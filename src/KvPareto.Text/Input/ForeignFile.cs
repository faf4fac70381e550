using System.Text;

namespace KvPareto.Text.Input;

/// <summary>Opening of files that come from outside: whatever the system refuses becomes one line naming the file.</summary>
internal static class ForeignFile
{
    /// <summary>UTF-8 that throws a <see cref="DecoderFallbackException"/> at what is none.</summary>
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Opens a regular file for reading.</summary>
    /// <exception cref="ConfigException">It is missing, a folder, not readable, not a regular file, or a Git LFS pointer in place of
    /// one.</exception>
    public static FileStream Open(string path) => Open(path, isPipeAllowed: false);

    private static FileStream Open(string path, bool isPipeAllowed)
    {
        if (Directory.Exists(path)) throw new ConfigException($"{path}: is a folder; allowed: a file");
        if (!File.Exists(path)) throw new ConfigException($"{path}: no such file");
        if (!isPipeAllowed && FileKind.IsSpecial(path))
            throw new ConfigException($"{path}: is a pipe, a socket or a device; allowed: a regular file");
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (!file.CanSeek || !LfsPointer.Is(file)) return file;
            file.Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be opened: {OneLine.OfMessage(error.Message)}", error);
        }
        throw new ConfigException($"{path}: is a Git LFS pointer, not the file itself; allowed: the file, for example by 'git lfs pull'");
    }

    /// <summary>Opens a file that is read once from front to end: a regular one, or what the caller has opened already.</summary>
    /// <exception cref="ConfigException">As <see cref="Open(string)"/>.</exception>
    public static FileStream OpenOnce(string path) => Open(path, FileKind.IsInherited(path));

    /// <summary>Reads a whole file that may not be larger than <paramref name="largest"/> bytes; once, as <see cref="OpenOnce"/>.</summary>
    /// <exception cref="ConfigException">As <see cref="Open(string)"/>, or it is larger.</exception>
    public static byte[] ReadAll(string path, int largest)
    {
        using var stream = OpenOnce(path);
        try
        {
            if (!stream.CanSeek) return ReadPipe(path, stream, largest);
            if (stream.Length > largest) throw new ConfigException($"{path}: is {stream.Length} bytes; allowed: up to {largest}");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be read: {OneLine.OfMessage(error.Message)}", error);
        }
    }

    /// <summary>Reads a whole text file, as <see cref="ReadAll"/>; a byte order mark is a character of it.</summary>
    /// <exception cref="ConfigException">As <see cref="ReadAll"/>, or it is not UTF-8.</exception>
    public static string ReadText(string path, int largest) => TextOf(path, ReadAll(path, largest));

    /// <summary>The text of a file's bytes.</summary>
    /// <exception cref="ConfigException">They are not UTF-8.</exception>
    public static string TextOf(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new ConfigException($"{path}: not UTF-8 at byte {error.Index}", error);
        }
    }

    private static byte[] ReadPipe(string path, FileStream stream, int largest)
    {
        using var bytes = new MemoryStream();
        var piece = new byte[1 << 16];
        while (stream.Read(piece) is > 0 and var count)
        {
            bytes.Write(piece, 0, count);
            if (bytes.Length > largest) throw new ConfigException($"{path}: is longer than {largest} bytes; allowed: up to {largest}");
        }
        return bytes.ToArray();
    }
}

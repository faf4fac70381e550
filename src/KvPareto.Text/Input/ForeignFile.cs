namespace KvPareto.Text.Input;

/// <summary>Opening of files that come from outside: whatever the system refuses becomes one line naming the file.</summary>
internal static class ForeignFile
{
    /// <summary>Opens a regular file for reading.</summary>
    /// <exception cref="ConfigException">It is missing, a folder, not readable or not a regular file.</exception>
    public static FileStream Open(string path)
    {
        if (Directory.Exists(path)) throw new ConfigException($"{path}: is a folder; allowed: a file");
        if (!File.Exists(path)) throw new ConfigException($"{path}: no such file");
        if (FileKind.IsSpecial(path)) throw new ConfigException($"{path}: is a pipe, a socket or a device; allowed: a regular file");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be opened: {OneLine.OfMessage(error.Message)}", error);
        }
    }

    /// <summary>Reads a whole file that may not be larger than <paramref name="largest"/> bytes.</summary>
    /// <exception cref="ConfigException">As <see cref="Open"/>, or it is larger.</exception>
    public static byte[] ReadAll(string path, int largest)
    {
        using var stream = Open(path);
        LfsPointer.Refuse(path, stream);
        if (stream.Length > largest) throw new ConfigException($"{path}: is {stream.Length} bytes; allowed: up to {largest}");
        try
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be read: {OneLine.OfMessage(error.Message)}", error);
        }
    }
}

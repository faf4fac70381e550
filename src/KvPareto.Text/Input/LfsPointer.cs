namespace KvPareto.Text.Input;

/// <summary>The short text that a clone without Git LFS has in place of a large file.</summary>
internal static class LfsPointer
{
    private const int LongestPointer = 1024;

    private static ReadOnlySpan<byte> Beginning => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Refuses a file that is such a text; it is left where it was.</summary>
    /// <exception cref="ConfigException">It is one.</exception>
    public static void Refuse(string path, FileStream file)
    {
        if (file.Length > LongestPointer) return;
        Span<byte> start = stackalloc byte[Beginning.Length];
        var at = file.Position;
        var read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = at;
        if (start[..read].SequenceEqual(Beginning))
            throw new ConfigException(
                $"{path}: is a Git LFS pointer, not the file itself; allowed: the file, for example by 'git lfs pull'");
    }

    /// <summary>As <see cref="Refuse(string, FileStream)"/>, of a file that may be missing.</summary>
    /// <exception cref="ConfigException">It is one.</exception>
    public static void Refuse(string path)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > LongestPointer) return;
        using var file = ForeignFile.Open(path);
        Refuse(path, file);
    }
}

namespace KvPareto.Text.Input;

/// <summary>The short text that a clone without Git LFS has in place of a large file.</summary>
internal static class LfsPointer
{
    private const int LongestPointer = 1024;

    private static ReadOnlySpan<byte> Beginning => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>True for a file that is such a text; it is left where it was.</summary>
    public static bool Is(FileStream file)
    {
        if (file.Length > LongestPointer) return false;
        Span<byte> start = stackalloc byte[Beginning.Length];
        var at = file.Position;
        var read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = at;
        return start[..read].SequenceEqual(Beginning);
    }
}

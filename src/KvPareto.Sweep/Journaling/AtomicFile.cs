namespace KvPareto.Sweep.Journaling;

/// <summary>Files that are there whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>What the names of files end with that are not whole yet.</summary>
    public const string DraftSuffix = ".tmp";

    /// <summary>Writes beside the file, waits for the disk, then renames over it.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder or the file must not be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        // Workers on a folder that several machines share may write the same file at the same moment: each has a draft of its own.
        var draft = $"{path}.{Guid.NewGuid():N}{DraftSuffix}";
        try
        {
            using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}

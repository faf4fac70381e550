namespace KvPareto.Sweep.Storage;

/// <summary>Files that are there whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>What the names of files end with that are not whole yet.</summary>
    public const string DraftSuffix = ".tmp";

    /// <summary>A name beside a file for what is to take its place.</summary>
    /// <remarks>Workers on a folder that several machines share may write the same file at the same moment: each has a draft of its
    /// own.</remarks>
    public static string DraftOf(string path) => $"{path}.{Guid.NewGuid():N}{DraftSuffix}";

    /// <summary>Writes beside the file, waits for the disk, renames over it, and waits for the folder.</summary>
    /// <exception cref="KvPareto.Text.Input.ConfigException">The file is a link, a folder, a pipe or a device, or the folder must not be
    /// written.</exception>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        // A run that starts clears away drafts of the dead, and cannot tell them from those of a report.
        if (!TryWrite(path, content) && !TryWrite(path, content)) throw new IOException($"{path}: cannot be written: its draft vanishes");
    }

    private static bool TryWrite(string path, ReadOnlySpan<byte> content)
    {
        var draft = DraftOf(path);
        try
        {
            using (var file = DiskFile.TryCreate(draft, append: true))
            {
                if (file is null) throw new IOException($"{path}: cannot be written: its folder is gone");
                DiskFile.Write(file, path, content); // messages name what was asked for
                DiskFile.Flush(file, path);
            }
            DiskFile.Replace(draft, path);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}

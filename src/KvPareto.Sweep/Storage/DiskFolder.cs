using KvPareto.Text.Input;

namespace KvPareto.Sweep.Storage;

/// <summary>Folders of a run.</summary>
internal static class DiskFolder
{
    /// <summary>Makes a folder and those above it where they are missing, and waits until their names are on the disk.</summary>
    /// <exception cref="ConfigException">It cannot be made.</exception>
    public static void Create(string path)
    {
        try
        {
            var missing = new Stack<string>();
            for (var folder = Path.GetFullPath(path); !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)!)
                missing.Push(folder);
            foreach (var folder in missing)
            {
                Directory.CreateDirectory(folder);
                DiskFile.FlushFolder(Path.GetDirectoryName(folder)!);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be created: {e.Message}", e);
        }
    }

    /// <summary>Refuses a link in a folder's place, which would lead out of the run folder.</summary>
    /// <exception cref="ConfigException">It is a link or a file.</exception>
    public static void RequireOwn(string path)
    {
        if (new FileInfo(path).LinkTarget is not null) throw new ConfigException($"{path}: is a symbolic link; allowed: a folder");
        if (!Directory.Exists(path) && File.Exists(path)) throw new ConfigException($"{path}: is a file; allowed: a folder");
    }
}

using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>A file that a model's answers depend on, for its digest.</summary>
/// <param name="Name">Its name wherever the model lies, for example <c>config.json</c>.</param>
/// <param name="Path">Where it is.</param>
public sealed record ModelFile(string Name, string Path)
{
    /// <summary>Opens it for reading.</summary>
    /// <exception cref="ConfigException">It is missing, no regular file or not readable.</exception>
    public FileStream Open() => ForeignFile.Open(Path);
}

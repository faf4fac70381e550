using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>One memory-mapped GGUF file (version 2 or 3): metadata and tensors, these under the file's own names and in its row order.</summary>
internal sealed unsafe class GgufFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, HostTensor> _tensors;

    private GgufFile(MappedFile file, GgufMetadata metadata, Dictionary<string, HostTensor> tensors) =>
        (_file, Metadata, _tensors) = (file, metadata, tensors);

    /// <summary>Keys and values; valid until <see cref="Dispose"/>.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors by name; valid until <see cref="Dispose"/>.</summary>
    public IReadOnlyDictionary<string, HostTensor> Tensors => _tensors;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="ConfigException">The file is missing, truncated, or its header does not fit the format or the file.</exception>
    public static GgufFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            var header = GgufHeader.Parse(path, file);
            var tensors = new Dictionary<string, HostTensor>(header.Tensors.Count, StringComparer.Ordinal);
            foreach (var (name, entry) in header.Tensors)
                tensors.Add(name, new(path, name, entry.Type.Type, entry.Shape, file.Data + entry.Begin, entry.ByteCount, file.Handle));
            return new(file, header.Metadata, tensors);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

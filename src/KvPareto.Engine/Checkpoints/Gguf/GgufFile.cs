using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>
/// One GGUF file (version 2 or 3), or the parts of a split one together: metadata and tensors, these under the file's own names and in its
/// row order.
/// </summary>
internal sealed class GgufFile : IDisposable
{
    private readonly List<ModelBytes> _files = [];
    private readonly Dictionary<string, HostTensor> _tensors = new(StringComparer.Ordinal);
    private GgufMetadata? _metadata;

    private GgufFile() { }

    /// <summary>Keys and values; valid until <see cref="Dispose"/>.</summary>
    public GgufMetadata Metadata => _metadata!;

    /// <summary>The tensors by name; valid until <see cref="Dispose"/>.</summary>
    public IReadOnlyDictionary<string, HostTensor> Tensors => _tensors;

    /// <summary>Opens a file and checks its header; of a split one all its parts, whichever is given.</summary>
    /// <exception cref="ConfigException">A file is missing, truncated, or its header does not fit the format, the file or the other
    /// parts.</exception>
    public static GgufFile Open(string path)
    {
        var file = new GgufFile();
        try
        {
            var parts = GgufParts.Of(path, file.Add(path));
            if (parts.Length > 1) file.Join(parts);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values) tensor.Dispose();
        foreach (var file in _files) file.Dispose();
    }

    private void Join(string[] parts)
    {
        Clear();
        var first = Add(parts[0]);
        GgufParts.Check(parts, 0, first);
        for (var i = 1; i < parts.Length; i++) GgufParts.Check(parts, i, Add(parts[i]));
        GgufParts.CheckTensors(first, _tensors.Count);
        _metadata = first;
    }

    private GgufMetadata Add(string path)
    {
        var bytes = new ModelBytes(path);
        _files.Add(bytes);
        var header = GgufHeader.Parse(path, bytes);
        foreach (var (name, entry) in header.Tensors)
            if (!_tensors.TryAdd(name, new(path, name, entry.Type.Type, entry.Shape, bytes, entry.Begin, entry.ByteCount)))
                throw new ConfigException($"{path}: tensor '{OneLine.Of(name)}' is in another part too");
        return _metadata = header.Metadata;
    }

    private void Clear()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
        _tensors.Clear();
    }
}

using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.SafeTensors;

/// <summary>
/// <c>model.safetensors.index.json</c>: <c>{"metadata": {…}, "weight_map": {tensor name: file name}}</c>, the files beside it.
/// </summary>
internal static class SafeTensorsIndex
{
    /// <summary>Opens all shards that an index names.</summary>
    /// <param name="path">The index.</param>
    /// <param name="shards">Receives the opened files; the caller disposes them, also after a failure.</param>
    /// <returns>The tensors that the index lists, by name.</returns>
    /// <exception cref="ConfigException">The index or a shard is damaged, or a file or tensor that it names is not there.</exception>
    public static Dictionary<string, HostTensor> Open(string path, List<SafeTensorsFile> shards)
    {
        var map = Map(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var opened = new Dictionary<string, SafeTensorsFile>(StringComparer.Ordinal);
        var tensors = new Dictionary<string, HostTensor>(StringComparer.Ordinal);
        foreach (var (name, file) in map.Strings())
        {
            if (!opened.TryGetValue(file, out var shard))
            {
                CheckName(path, name, file);
                if (!File.Exists(Path.Combine(folder, file)))
                    throw Refuse(path, name, $"is said to be in {OneLine.Of(file)}, which is not there");
                shard = SafeTensorsFile.Open(Path.Combine(folder, file));
                shards.Add(shard);
                opened.Add(file, shard);
            }
            tensors.Add(name, shard.Tensors.TryGetValue(name, out var tensor)
                ? tensor
                : throw Refuse(path, name, $"is said to be in {OneLine.Of(file)}, which does not have it"));
        }
        return tensors;
    }

    /// <summary>The names of an index' shards, each once.</summary>
    /// <exception cref="ConfigException">The index is damaged.</exception>
    public static IReadOnlyList<string> FileNames(string path)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (name, file) in Map(path).Strings())
        {
            CheckName(path, name, file);
            names.Add(file);
        }
        return [.. names];
    }

    private static JsonSection Map(string path) => JsonSection.Read(path).Section("weight_map")
        ?? throw new ConfigException($"{path}: key 'weight_map' is missing; allowed: an object of tensor names and file names");

    // An index that names files elsewhere could make the tool read anything its user can.
    private static void CheckName(string path, string name, string file)
    {
        if (file.Contains('/', StringComparison.Ordinal) || file.Contains('\\', StringComparison.Ordinal)
            || file.Contains('\0', StringComparison.Ordinal) || !file.EndsWith(".safetensors", StringComparison.Ordinal))
            throw Refuse(path, name, $"names the file '{OneLine.Of(file)}'; allowed: a *.safetensors file name without folders");
    }

    private static ConfigException Refuse(string path, string name, string what) => new($"{path}: tensor '{OneLine.Of(name)}' {what}");
}

using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.SafeTensors;

/// <summary>
/// A Hugging Face folder: <c>config.json</c> with <c>model.safetensors</c>, or shards listed by <c>model.safetensors.index.json</c>.
/// </summary>
public sealed class SafeTensorsCheckpoint : Checkpoint
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly List<SafeTensorsFile> _files = [];
    private readonly IReadOnlyDictionary<string, HostTensor> _tensors;

    private SafeTensorsCheckpoint(string folder, ModelConfig config)
    {
        Config = config;
        Source = Path.Combine(folder, File.Exists(Path.Combine(folder, SingleName)) ? SingleName : IndexName);
        try
        {
            if (Source.EndsWith(IndexName, StringComparison.Ordinal))
            {
                _tensors = SafeTensorsIndex.Open(Source, _files);
            }
            else
            {
                _files.Add(SafeTensorsFile.Open(Source));
                _tensors = _files[0].Tensors;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override ModelConfig Config { get; }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => [.. _tensors.Keys];

    /// <summary>Opens a folder; where it has both a single file and an index, the single file counts, as in transformers.</summary>
    /// <exception cref="ConfigException">The folder or a file of it is missing, damaged or of an unknown kind.</exception>
    public static SafeTensorsCheckpoint Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new ConfigException($"{folder}: no such folder; allowed: a Hugging Face model folder");
        var config = ModelConfigReader.Read(Path.Combine(folder, "config.json"));
        if (!HasWeights(folder))
            throw new ConfigException($"{folder}: has no weights; allowed: {SingleName}, or {IndexName} with its shards");
        return new(folder, config);
    }

    /// <summary>True where a folder has weights in a form that <see cref="Open"/> reads.</summary>
    public static bool HasWeights(string folder) => File.Exists(Path.Combine(folder, SingleName)) || File.Exists(Path.Combine(folder, IndexName));

    /// <inheritdoc/>
    public override bool Contains(string name) => _tensors.ContainsKey(name);

    /// <inheritdoc/>
    public override HostTensor Get(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new ConfigException($"{Source}: tensor '{OneLine.Of(name)}' is missing");

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }
}

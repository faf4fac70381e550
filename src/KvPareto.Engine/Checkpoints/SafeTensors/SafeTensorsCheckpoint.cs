using KvPareto.Engine.Checkpoints.Awq;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Seam;
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
    private readonly Dictionary<string, HostTensor> _tensors = [];

    private SafeTensorsCheckpoint(string folder, ModelConfig config)
    {
        Config = config;
        Source = Path.Combine(folder, SourceName(folder)!);
        try
        {
            if (Source.EndsWith(IndexName, StringComparison.Ordinal))
            {
                _tensors = SafeTensorsIndex.Open(Source, _files);
            }
            else
            {
                _files.Add(SafeTensorsFile.Open(Source));
                _tensors = new(_files[0].Tensors, StringComparer.Ordinal);
            }
            FusedTensors.Split(config, _tensors);
            SurplusTensors.Refuse(Source, config, _tensors.Keys);
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
    public override IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Opens a folder; where it has both a single file and an index, the single file counts, as in transformers.</summary>
    /// <exception cref="ConfigException">The folder or a file of it is missing, damaged or of an unknown kind.</exception>
    public static SafeTensorsCheckpoint Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new ConfigException($"{folder}: no such folder; allowed: a Hugging Face model folder");
        var config = ModelConfigReader.Read(Path.Combine(folder, "config.json"));
        if (config.Quantization is not null && !FamilyTable.Of(config.Family).Fused.IsEmpty)
            throw new ConfigException(
                $"{folder}: config.json: key 'quantization_config': AWQ of layers that {config.Family} fuses is not supported; allowed: "
                    + "plain weights, or a GGUF file");
        if (!HasWeights(folder))
            throw new ConfigException($"{folder}: has no weights; allowed: {SingleName}, or {IndexName} with its shards");
        return new(folder, config);
    }

    /// <summary>True where a folder has weights in a form that <see cref="Open"/> reads.</summary>
    public static bool HasWeights(string folder) => SourceName(folder) is not null;

    /// <summary>Names of the files that <see cref="Open"/> reads for the tensors: a single one, or an index with its shards; none where
    /// there are no weights.</summary>
    /// <exception cref="ConfigException">The index is damaged.</exception>
    internal static IReadOnlyList<string> FileNames(string folder) => SourceName(folder) switch
    {
        null => [],
        SingleName => [SingleName],
        var index => [index, .. SafeTensorsIndex.FileNames(Path.Combine(folder, index))],
    };

    /// <inheritdoc/>
    public override bool Contains(string name) => _tensors.ContainsKey(name);

    /// <inheritdoc/>
    internal override HostWeight ReadPacked(AwqConfig packing, WeightShape shape, float[]? bias, MemoryLedger staging) =>
        new AwqReader(this, packing).Read(shape, bias, staging);

    /// <inheritdoc/>
    internal override void CheckPacked(AwqConfig packing, WeightShape shape) => new AwqReader(this, packing).Check(shape);

    /// <inheritdoc/>
    public override HostTensor Get(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new ConfigException($"{Source}: tensor '{OneLine.Of(name)}' is missing");

    /// <inheritdoc/>
    public override HostTensor Get(string name, MemoryLedger staging) => Get(name).As(name, staging);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var tensor in _tensors.Values) tensor.Dispose();
        foreach (var file in _files) file.Dispose();
    }

    private static string? SourceName(string folder) =>
        Array.Find([SingleName, IndexName], name => File.Exists(Path.Combine(folder, name)));
}

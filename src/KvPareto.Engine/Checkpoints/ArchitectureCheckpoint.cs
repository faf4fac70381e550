using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints;

/// <summary>An architecture without weights: names and shapes can be asked for, tensors cannot.</summary>
internal class ArchitectureCheckpoint : Checkpoint
{
    private readonly Dictionary<string, int[]> _shapes = new(StringComparer.Ordinal);

    /// <summary>The tensors that <paramref name="config"/> asks for.</summary>
    /// <param name="source">What messages call it.</param>
    /// <param name="config">Architecture.</param>
    public ArchitectureCheckpoint(string source, ModelConfig config)
    {
        (Source, Config) = (source, config);
        foreach (var weight in TransformerShapes.Of(config).All)
        {
            _shapes.Add(weight.Name, weight.TensorShape);
            if (weight.HasBias) _shapes.Add(weight.BiasName, [weight.Rows]);
        }
    }

    /// <inheritdoc/>
    public override ModelConfig Config { get; }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _shapes.Keys;

    /// <summary>Reads a <c>config.json</c>.</summary>
    public static ArchitectureCheckpoint Read(string source, string file) => new(source, ModelConfigReader.Read(file));

    /// <inheritdoc/>
    public override bool Contains(string name) => _shapes.ContainsKey(name);

    /// <inheritdoc/>
    public override HostTensor Get(string name) =>
        throw new ConfigException(
            $"{Source}: is an architecture without weights; allowed: a model, or random:SEED:{Source} for random weights");

    /// <inheritdoc/>
    public override HostTensor Get(string name, MemoryLedger staging) => Get(name);

    /// <inheritdoc/>
    internal override TensorHeader Header(string name) => new(
        Source, name, Config.StoredType switch { DType.F32 => TensorType.F32, DType.F16 => TensorType.F16, _ => TensorType.BF16 },
        [.. Shape(name).Select(length => (long)length)]);

    /// <inheritdoc/>
    public override StoredWeight Stored(string name)
    {
        var shape = Shape(name);
        var columns = shape.Length == 1 ? 1 : shape[1];
        return new(
            Header(name).Format,
            ReadingBytes: HostTensor.StagingOf(shape[0], columns * Config.StoredType.ByteSize()));
    }

    /// <inheritdoc/>
    public override void Dispose() { }

    /// <summary>Shape of a tensor.</summary>
    /// <exception cref="ConfigException">The architecture has none of this name.</exception>
    protected int[] Shape(string name) => _shapes.TryGetValue(name, out var shape)
        ? shape
        : throw new ConfigException($"{Source}: tensor '{OneLine.Of(name)}' is missing");
}

using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>
/// A model at rest: its architecture and its tensors under Hugging Face's names (<c>model.layers.0.self_attn.q_proj.weight</c>),
/// whatever file format they come from.
/// </summary>
public abstract class Checkpoint : IDisposable
{
    /// <summary>Architecture.</summary>
    public abstract ModelConfig Config { get; }

    /// <summary>The file that lists the tensors, for messages.</summary>
    public abstract string Source { get; }

    /// <summary>How its linear layers are coded; null where they are plain.</summary>
    public virtual WeightForm? Form => Config.Quantization is { } packing ? WeightForm.Of(packing) : null;

    /// <summary>All tensor names.</summary>
    public abstract IReadOnlyCollection<string> Names { get; }

    /// <summary>True where there is a tensor of this name.</summary>
    public abstract bool Contains(string name);

    /// <summary>A tensor, of which nothing is read before its elements are asked for; valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ConfigException">There is none of this name.</exception>
    public abstract HostTensor Get(string name);

    /// <summary>
    /// A tensor to be disposed after use. Once its elements are asked for, its bytes count in <paramref name="staging"/> as workspace
    /// until then.
    /// </summary>
    /// <exception cref="ConfigException">There is none of this name.</exception>
    public abstract HostTensor Get(string name, MemoryLedger staging);

    /// <summary>As <see cref="Get(string, MemoryLedger)"/>, of a known shape.</summary>
    /// <exception cref="ConfigException">There is none of this name, or it has another shape.</exception>
    internal HostTensor Require(string name, MemoryLedger staging, params ReadOnlySpan<int> shape)
    {
        var expected = $"[{string.Join(", ", shape.ToArray())}]";
        if (!Contains(name))
            throw new ConfigException($"{Source}: tensor '{name}' is missing; the configuration asks for one of shape {expected}");
        var tensor = Get(name, staging);
        var fits = tensor.Shape.Length == shape.Length;
        for (var i = 0; fits && i < shape.Length; i++) fits = tensor.Shape[i] == shape[i];
        if (fits) return tensor;
        tensor.Dispose();
        throw new ConfigException($"{tensor.File}: tensor '{name}' has shape {tensor.ShapeText}; the configuration asks for {expected}");
    }

    /// <summary>A packed layer with its bias, as codes; its bytes count in <paramref name="staging"/> as workspace until it is
    /// disposed.</summary>
    /// <exception cref="ConfigException">A tensor is missing, or does not fit the packing.</exception>
    internal virtual HostWeight ReadPacked(AwqConfig packing, WeightShape shape, float[]? bias, MemoryLedger staging) =>
        throw new ConfigException($"{Source}: has no packed layers, though its configuration says so");

    /// <summary>How a tensor comes to the backend, without reading it.</summary>
    /// <exception cref="ConfigException">There is none of this name, or it is of a type that no weight can have.</exception>
    public virtual StoredWeight Stored(string name)
    {
        var tensor = Get(name);
        return new(WeightLoader.Format(tensor), ReadingBytes: tensor.StagingBytes);
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}

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

    /// <summary>Where a tensor lies and what it is, without reading it.</summary>
    /// <exception cref="ConfigException">There is none of this name.</exception>
    internal virtual TensorHeader Header(string name) => Get(name).Header;

    /// <summary>As <see cref="Header(string)"/>, of a known shape.</summary>
    /// <exception cref="ConfigException">There is none of this name, or it has another shape.</exception>
    internal TensorHeader Header(string name, params ReadOnlySpan<int> shape)
    {
        var expected = $"[{string.Join(", ", shape.ToArray())}]";
        if (!Contains(name))
            throw new ConfigException($"{Source}: tensor '{name}' is missing; the configuration asks for one of shape {expected}");
        var header = Header(name);
        var fits = header.Shape.Length == shape.Length;
        for (var i = 0; fits && i < shape.Length; i++) fits = header.Shape[i] == shape[i];
        return fits ? header : throw header.Refuse($"has shape {header.ShapeText}; the configuration asks for {expected}");
    }

    /// <summary>Refuses a packed layer's tensors, without reading them.</summary>
    /// <exception cref="ConfigException">A tensor is missing, or does not fit the packing.</exception>
    internal virtual void CheckPacked(AwqConfig packing, WeightShape shape) => throw WithoutPacked();

    /// <summary>A packed layer with its bias, as codes; its bytes count in <paramref name="staging"/> as workspace until it is
    /// disposed.</summary>
    /// <exception cref="ConfigException">A tensor is missing, or does not fit the packing.</exception>
    internal virtual HostWeight ReadPacked(AwqConfig packing, WeightShape shape, float[]? bias, MemoryLedger staging) =>
        throw WithoutPacked();

    /// <summary>How a tensor comes to the backend, without reading it.</summary>
    /// <exception cref="ConfigException">There is none of this name, or it is of a type that no weight can have.</exception>
    public virtual StoredWeight Stored(string name)
    {
        var tensor = Get(name);
        return new(tensor.Header.Format, ReadingBytes: tensor.StagingBytes);
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    private ConfigException WithoutPacked() => new($"{Source}: has no packed layers, though its configuration says so");
}

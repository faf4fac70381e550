using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Seam;

/// <summary>
/// The sizes of a backend's allocations, from shapes alone. A backend answers with the same functions that it allocates by, so that
/// a prediction cannot drift away from what is measured.
/// </summary>
public abstract class MemoryLayout
{
    /// <summary>Type of the tensors between ops, as <see cref="Backend.ActivationType"/>.</summary>
    public abstract DType ActivationType { get; }

    /// <summary>Workspace that a backend holds from its construction on.</summary>
    public abstract long FixedBytes { get; }

    /// <summary>Refuses a cache that no device of this kind supports.</summary>
    /// <exception cref="ConfigException">A part does not fit; the message names it and what is allowed.</exception>
    public virtual void Check(KvGeometry geometry, KvSpec spec) => spec.Validate(geometry);

    /// <summary>Whether <see cref="Check"/> has nothing against a cache.</summary>
    public bool Takes(KvGeometry geometry, KvSpec spec)
    {
        try
        {
            Check(geometry, spec);
            return true;
        }
        catch (ConfigException)
        {
            return false;
        }
    }

    /// <summary>Bytes of an uploaded weight.</summary>
    /// <param name="format">Stored element format.</param>
    /// <param name="rows">Output channels N; 1 for a vector.</param>
    /// <param name="columns">Input channels K.</param>
    /// <param name="group">Input channels of a group; 0 where the format has none.</param>
    /// <param name="hasBias">It comes with a bias [N].</param>
    public abstract long WeightBytes(WeightFormat format, int rows, int columns, int group, bool hasBias);

    /// <summary>
    /// Bytes of the scratch that products with an uploaded weight need, whatever their rows. A backend holds the most that a weight has
    /// asked for, beside <see cref="FixedBytes"/>.
    /// </summary>
    /// <param name="format">Stored element format.</param>
    /// <param name="rows">Output channels N; 1 for a vector.</param>
    /// <param name="columns">Input channels K.</param>
    public virtual long ProductBytes(WeightFormat format, int rows, int columns) => 0;

    /// <summary>Bytes of a cache with room for <paramref name="capacity"/> tokens.</summary>
    public abstract long CacheBytes(KvGeometry geometry, KvSpec spec, int capacity);

    /// <summary>Bytes of the scratch of a run.</summary>
    public abstract long WorkspaceBytes(WorkspaceShape shape);

    /// <summary>Bytes of a tensor.</summary>
    public virtual long TensorBytes(DType type, int rows, int columns) => (long)rows * columns * type.ByteSize();
}

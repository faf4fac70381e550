namespace KvPareto.Engine.Cache;

/// <summary>Keys and values of one sequence in all layers. How they are packed is known to the backend that made it, and to nobody
/// else.</summary>
/// <param name="geometry">Shape.</param>
/// <param name="spec">Storage.</param>
/// <param name="capacity">Tokens it can hold; allocated whole, so that it never grows by copying.</param>
public abstract class KvCache(KvGeometry geometry, KvSpec spec, int capacity) : IDisposable
{
    /// <summary>Shape.</summary>
    public KvGeometry Geometry { get; } = geometry;

    /// <summary>Storage.</summary>
    public KvSpec Spec { get; } = spec;

    /// <summary>Tokens it can hold.</summary>
    public int Capacity { get; } = capacity;

    /// <summary>Tokens held, those of the step begun last included.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes it takes: codes, scales, zero points and means.</summary>
    public abstract long ByteCount { get; }

    /// <summary>Forgets all tokens and what was frozen from them.</summary>
    public virtual void Reset() => Length = 0;

    /// <summary>
    /// Takes over all tokens of a cache of the same geometry, storage and backend (<see cref="Seam.Backend.CopiesCaches"/>) in place of its
    /// own. What follows is as if they had been appended here, where that one has room for so many more as are kept at 16 bits
    /// (<see cref="KvSpec.RecentTokens"/>): what these need to be coded is then there.
    /// </summary>
    /// <exception cref="CapacityException">There is no room for them.</exception>
    public void Take(KvCache other)
    {
        if (other.Geometry != Geometry || other.Spec != Spec) throw new ArgumentException("a cache of another kind", nameof(other));
        Reset();
        Reserve(other.Length);
        TakeCore(other);
    }

    /// <summary>Copies what a cache holds; this one is empty, and has room for it.</summary>
    protected virtual void TakeCore(KvCache other) => throw new NotSupportedException($"{GetType().Name} does not copy");

    /// <summary>The keys and values of one layer as attention reads them, [<see cref="Length"/>, Nkv·D] each. For tests.</summary>
    public abstract void Unpack(int layer, Span<float> keys, Span<float> values);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Makes room for <paramref name="count"/> tokens and returns the position of the first.</summary>
    /// <exception cref="CapacityException">There is none.</exception>
    internal int Reserve(int count)
    {
        if (Length + count > Capacity)
            throw new CapacityException(
                $"the cache holds {Length:N0} of {CountText.Of(Capacity, "token")}; there is no room for {count:N0} more");
        var start = Length;
        Length += count;
        return start;
    }
}

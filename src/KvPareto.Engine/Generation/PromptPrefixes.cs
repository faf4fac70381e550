using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>
/// Prefix caching under one setting: what a prompt has in common with the one before (a few shots, a document) is kept as a cache of its
/// own. The next prompt that begins so takes it over and is fed from there on, in the steps that it would have had: all that follows is the
/// same bit for bit. What is kept counts to no peak.
/// </summary>
/// <param name="transformer">The model, on a backend whose caches can be copied.</param>
/// <param name="room">Bytes that all may take; null where that is not known.</param>
public sealed class PromptPrefixes(Transformer transformer, long? room = null) : IDisposable
{
    private const int Most = 2; // what all have in common, and what the latest have beyond it

    private readonly List<Prefix> _kept = []; // beginnings of the prompt before, the shortest first
    private int[] _previous = [];
    private PromptPasses _passes; // of all that is kept
    private int _keepAt;

    private Backend Backend => transformer.Backend;

    /// <summary>Gives all up where there is no room for so many bytes beside them.</summary>
    public void MakeRoom(long bytes)
    {
        if (Backend.Memory.Live.Total + bytes > room) Drop(0);
    }

    /// <summary>Gives all up.</summary>
    public void Clear()
    {
        Drop(0);
        _previous = [];
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>Gives an empty cache what is kept of a prompt's beginning; at least the last token is left to feed.</summary>
    /// <param name="prompt">Token ids.</param>
    /// <param name="cache">The cache.</param>
    /// <param name="passes">Of the prompt: what is kept ends where a pass does, and follows from the same ones.</param>
    /// <returns>Tokens given.</returns>
    internal int Begin(ReadOnlySpan<int> prompt, KvCache cache, PromptPasses passes)
    {
        var common = prompt.CommonPrefixLength(_previous);
        var end = Math.Min(common, prompt.Length - 1);
        Drop(passes == _passes ? _kept.FindIndex(prefix => prefix.Cache.Length > common) : 0);
        (_previous, _passes, _keepAt) = (prompt.ToArray(), passes, passes.UpTo(end));
        if (_kept.FindLast(prefix => prefix.Cache.Length <= end && Suits(prefix, cache)) is { } known) cache.Take(known.Cache);
        return cache.Length;
    }

    /// <summary>Keeps what a cache holds of the prompt begun last, where that is what it has in common with the one before.</summary>
    /// <param name="cache">The cache, between two passes.</param>
    internal void Keep(KvCache cache)
    {
        if (cache.Length != _keepAt || _kept.Exists(prefix => prefix.Cache.Length >= _keepAt)) return;
        var capacity = cache.Length + cache.Spec.RecentTokens; // see KvCache.Take
        if (capacity > cache.Capacity) return;
        if (_kept.Count == Most) Drop(Most - 1);
        if (Backend.Memory.Live.Total + Backend.Layout.CacheBytes(cache.Geometry, cache.Spec, capacity) > room) return;
        try
        {
            Backend.Memory.Aside(() =>
            {
                var prefix = new Prefix(Backend.CreateCache(cache.Geometry, cache.Spec, capacity), cache.Capacity);
                _kept.Add(prefix);
                prefix.Cache.Take(cache);
            });
        }
        catch (OutOfMemoryException)
        {
        }
    }

    private bool Suits(Prefix prefix, KvCache cache) => prefix.Cache.Geometry == cache.Geometry
        && transformer.Config.Rope.For(prefix.MadeFor) == transformer.Config.Rope.For(cache.Capacity);

    // From the one of this index on; none of −1.
    private void Drop(int index)
    {
        if (index < 0 || index >= _kept.Count) return;
        Backend.Memory.Aside(() =>
        {
            foreach (var prefix in _kept[index..]) prefix.Cache.Dispose();
        });
        _kept.RemoveRange(index, _kept.Count - index);
    }

    /// <param name="Cache">It alone.</param>
    /// <param name="MadeFor">Capacity of the cache that it is of, by which keys may have been turned.</param>
    private sealed record Prefix(KvCache Cache, int MadeFor);
}

using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Engine.Generation;

/// <summary>
/// One sequence under one setting: its cache, and activations and scratch for steps of one size. Made for prefill and
/// <see cref="Resize"/>d for decoding, so that each phase's peak is what that phase needs.
/// </summary>
internal sealed class Sequence : IDisposable
{
    private readonly Transformer _transformer;
    private readonly AttentionKernel _kernel;
    private readonly KvCache _cache;
    private TransformerActivations? _activations;
    private Workspace? _workspace;
    private int _maxTokens;

    public Sequence(Transformer transformer, InferenceSetting setting, int capacity, int maxTokens)
    {
        (_transformer, _kernel) = (transformer, setting.Attention);
        _cache = Backend.CreateCache(transformer.Geometry(capacity), setting.Cache, capacity);
        try
        {
            Resize(maxTokens);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Tokens fed so far.</summary>
    public int Length => _cache.Length;

    /// <summary>Bytes of its cache, at full capacity.</summary>
    public long CacheBytes => _cache.ByteCount;

    private Backend Backend => _transformer.Backend;

    /// <summary>Gives back the memory of steps of the old size and takes that of the new.</summary>
    public void Resize(int maxTokens)
    {
        if (_maxTokens == maxTokens) return;
        ReleaseStep();
        _maxTokens = maxTokens;
        _activations = new TransformerActivations(Backend, _transformer.Config, maxTokens);
        _workspace = Backend.CreateWorkspace(new WorkspaceShape(maxTokens, _cache.Capacity, _cache.Geometry, _kernel));
    }

    /// <summary>Feeds tokens and returns their hidden states [T, H], valid until the next call.</summary>
    public Tensor Feed(ReadOnlySpan<int> ids)
    {
        Span<int> positions = new int[ids.Length];
        for (var i = 0; i < positions.Length; i++) positions[i] = _cache.Length + i;
        return _transformer.Forward(Backend.Begin(_workspace!, ids, positions, _cache), _activations!);
    }

    /// <summary>Feeds a prompt in steps of <paramref name="chunk"/> tokens and returns the last step's hidden states.</summary>
    public Tensor Prefill(ReadOnlySpan<int> prompt, int chunk, CancellationToken cancellation)
    {
        Tensor hidden = default;
        for (var from = 0; from < prompt.Length; from += chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            hidden = Feed(prompt.Slice(from, Math.Min(chunk, prompt.Length - from)));
        }
        return hidden;
    }

    public void Dispose()
    {
        ReleaseStep();
        _cache.Dispose();
    }

    private void ReleaseStep()
    {
        _activations?.Dispose();
        _workspace?.Dispose();
        (_activations, _workspace) = (null, null);
    }
}

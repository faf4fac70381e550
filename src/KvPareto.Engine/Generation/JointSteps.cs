using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>Steps that make a token of each of several sequences, and read the weights once for all of them.</summary>
internal sealed class JointSteps : IDisposable
{
    private readonly Transformer _transformer;
    private readonly TransformerActivations _activations;
    private readonly Workspace _workspace;
    private readonly LastLogits _logits;

    /// <summary>Takes their memory.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="kernel">Attention's.</param>
    /// <param name="most">Sequences at the most, up to <see cref="Backend.MostSequences"/>.</param>
    /// <param name="capacity">Most tokens of a cache.</param>
    public JointSteps(Transformer transformer, AttentionKernel kernel, int most, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, transformer.Backend.MostSequences);
        _transformer = transformer;
        _activations = transformer.Activations(most, most: 1);
        try
        {
            _workspace = transformer.Backend.CreateWorkspace(new(most, capacity, transformer.Config.Geometry, kernel, most));
            _logits = new(transformer, most);
        }
        catch
        {
            _workspace?.Dispose();
            _activations.Dispose();
            throw;
        }
    }

    /// <summary>Feeds a token to each cache and finds the next ones.</summary>
    /// <param name="ids">Token ids [S]; then those of the highest logits, −1 where a logit is not finite.</param>
    /// <param name="caches">Caches [S], of one geometry and one way to store.</param>
    public void Feed(Span<int> ids, ReadOnlySpan<KvCache> caches)
    {
        var positions = new int[caches.Length];
        for (var i = 0; i < positions.Length; i++) positions[i] = caches[i].Length;
        _logits.Best(_transformer.Forward(_transformer.Backend.Begin(_workspace, ids, positions, caches), _activations), ids);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _logits.Dispose();
        _workspace.Dispose();
        _activations.Dispose();
    }
}

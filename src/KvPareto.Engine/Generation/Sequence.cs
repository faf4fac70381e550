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
    private const int TokensOfAPass = 1024; // from which on more rows make products hardly quicker

    private readonly Transformer _transformer;
    private readonly InferenceSetting _setting;
    private readonly KvCache _cache;
    private TransformerActivations? _activations;
    private Workspace[] _workspaces = []; // of steps under way together
    private Workspace? _workspaceOfAll;   // of one that stands for them
    private int _maxTokens;

    public Sequence(Transformer transformer, InferenceSetting setting, int capacity, int maxTokens)
    {
        (_transformer, _setting) = (transformer, setting);
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

    /// <summary>Tokens of the prompt that were not fed, but taken over.</summary>
    public int PrefixTokens { get; private set; }

    /// <summary>Its keys and values.</summary>
    public KvCache Cache => _cache;

    private Backend Backend => _transformer.Backend;

    /// <summary>Gives back the memory of steps of the old size and takes that of the new.</summary>
    public void Resize(int maxTokens)
    {
        if (_maxTokens == maxTokens) return;
        ReleaseStep();
        _maxTokens = maxTokens;
        var activations = _activations = _transformer.Activations(maxTokens, MostSteps);
        _workspaces = [Backend.CreateWorkspace(new WorkspaceShape(maxTokens, _cache.Capacity, _cache.Geometry, _setting.Attention))];
        if (activations.Steps == 1 || Backend.Several is not { } several) return;
        for (var i = 1; i < activations.Steps; i++)
            _workspaces = [.. _workspaces, several.Beside(_workspaces[0], activations.Description(i), maxTokens)];
        _workspaceOfAll = several.Beside(_workspaces[0], activations.DescriptionOfAll, activations.Steps * maxTokens);
    }

    /// <summary>Passes of steps of <paramref name="chunk"/> tokens.</summary>
    public PromptPasses Passes(int chunk) => new(chunk, _workspaces.Length * chunk);

    /// <summary>Feeds tokens and returns their hidden states [T, H], valid until the next call.</summary>
    public Tensor Feed(ReadOnlySpan<int> ids) => Feed(ids, ids.Length);

    /// <summary>The same in steps of <paramref name="chunk"/> tokens, for up to a pass.</summary>
    public Tensor Feed(ReadOnlySpan<int> ids, int chunk)
    {
        if (ids.Length > chunk && Backend.Several!.AreOne(_workspaceOfAll!, _cache, chunk, ids.Length))
            return _transformer.Forward(Begin(_workspaceOfAll!, ids), _activations!);
        var steps = new Step[(ids.Length + chunk - 1) / chunk];
        for (var i = 0; i < steps.Length; i++) steps[i] = Begin(_workspaces[i], ids[(i * chunk)..Math.Min((i + 1) * chunk, ids.Length)]);
        return _transformer.Forward(steps, _activations!);
    }

    /// <summary>Feeds a prompt in steps of <paramref name="chunk"/> tokens and returns the last hidden states. A beginning of it may be
    /// among the <paramref name="prefixes"/> that are kept; null to feed it whole.</summary>
    public Tensor Prefill(ReadOnlySpan<int> prompt, int chunk, PromptPrefixes? prefixes, CancellationToken cancellation)
    {
        Tensor hidden = default;
        var passes = Passes(chunk);
        PrefixTokens = prefixes?.Begin(prompt, _cache, passes) ?? 0;
        for (int from = PrefixTokens, end; from < prompt.Length; from = end)
        {
            cancellation.ThrowIfCancellationRequested();
            end = Math.Min(passes.After(from), prompt.Length);
            hidden = Feed(prompt[from..end], chunk);
            prefixes?.Keep(_cache);
        }
        return hidden;
    }

    /// <summary>Gives back the memory of steps; the cache stays.</summary>
    public void ReleaseStep()
    {
        _activations?.Dispose();
        foreach (var workspace in _workspaces) workspace.Dispose();
        _workspaceOfAll?.Dispose();
        (_activations, _workspaces, _workspaceOfAll, _maxTokens) = (null, [], null, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseStep();
        _cache.Dispose();
    }

    // As many as make products quick, whatever the prompt's length, so that prompts of any have passes in common; one where none has more.
    private int MostSteps => _maxTokens == _setting.Chunk && _maxTokens < _cache.Capacity
        ? (TokensOfAPass + _maxTokens - 1) / _maxTokens : 1;

    private Step Begin(Workspace workspace, ReadOnlySpan<int> ids)
    {
        Span<int> positions = new int[ids.Length];
        for (var i = 0; i < positions.Length; i++) positions[i] = _cache.Length + i;
        return Backend.Begin(workspace, ids, positions, _cache);
    }
}

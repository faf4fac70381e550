using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>A run's scratch: the step's ids and turns, and a count of what attention takes while it runs.</summary>
internal sealed class TorchWorkspace : Workspace
{
    private const int Copies = 3; // of a stretch at once: codes or f16 rows, differences, f32 rows

    private readonly MemoryLedger _ledger;
    private readonly torch.Device _device;
    private readonly long _bytes;
    private RopeTable? _table;
    private readonly Backend? _kernels;
    private readonly Workspace? _joined;
    private (int, int, int)? _masked;
    private torch.Tensor? _mask;

    public TorchWorkspace(MemoryLedger ledger, torch.Device device, WorkspaceShape shape, int stretchTokens, Backend? kernels) : base(shape)
    {
        (_ledger, _device, StretchTokens, _kernels) = (ledger, device, stretchTokens, kernels);
        _joined = kernels?.CreateWorkspace(shape);
        _bytes = kernels is null ? PredictByteCount(shape, stretchTokens) : 0;
        ledger.Add(MemoryCategory.Workspace, _bytes);
    }

    /// <summary>Most tokens of a layer that stand unpacked at once.</summary>
    public int StretchTokens { get; }

    /// <summary>Token ids [T].</summary>
    public torch.Tensor? Ids { get; private set; }

    /// <summary>The step as the backend of the kernels takes it; null where there is none.</summary>
    public Step? Joined { get; private set; }

    private torch.Tensor? Turned { get; set; }

    /// <summary>Bytes that attention takes at the most, from shapes alone: keys and values of a stretch, scores and weights of it (or of
    /// all), results.</summary>
    public static long PredictByteCount(WorkspaceShape shape, int stretchTokens)
    {
        var (g, tokens) = (shape.Geometry, Math.Min(shape.Capacity, stretchTokens));
        var scored = shape.Kernel == AttentionKernel.Math ? shape.Capacity : tokens;
        var (keys, queries) = ((long)g.KvHeads * g.HeadDim * tokens, (long)g.QueryHeads * shape.MaxTokens);
        return sizeof(float) * (2 * Copies * keys + 2 * queries * scored + 3 * queries * g.HeadDim);
    }

    /// <summary>Takes in a step.</summary>
    public void Begin(Step step)
    {
        Forget();
        Ids = TorchMemory.Guard(() => torch.tensor(step.Ids, [step.Count], device: _device));
        Joined = _joined is null ? null : _kernels!.Join(step, _joined);
    }

    /// <summary>What turns a step's rows, as Scripts/elements.py takes it.</summary>
    public torch.Tensor Turns(Step step, RopeTable table)
    {
        if (Turned is not null && _table == table) return Turned;
        Turned?.Dispose();
        using var turns = torch.tensor(TurnsOf(table, step.Positions), [step.Count, 2 * table.InverseFrequencies.Length], device: _device);
        (_table, Turned) = (table, TorchScripts.Tensor("rope_turns", turns));
        return Turned;
    }

    /// <summary>Cosines and then sines of each position, with the rotary embedding's scale.</summary>
    public static float[] TurnsOf(RopeTable table, ReadOnlySpan<int> positions)
    {
        var (half, at) = (table.InverseFrequencies.Length, 0);
        var turns = new float[positions.Length * 2 * half];
        foreach (var position in positions)
        {
            for (var i = 0; i < half; i++)
            {
                var (sin, cos) = Math.SinCos(position * table.InverseFrequencies[i]);
                (turns[at + i], turns[at + half + i]) = ((float)cos * table.AttentionScale, (float)sin * table.AttentionScale);
            }
            at += 2 * half;
        }
        return turns;
    }

    /// <summary>What queries do not see, made once for neighbouring layers that see alike; the workspace's own.</summary>
    /// <param name="key">Start, queries, window.</param>
    /// <param name="make">Makes it.</param>
    public torch.Tensor Mask((int, int, int) key, Func<torch.Tensor> make)
    {
        if (_masked == key) return _mask!;
        _mask?.Dispose();
        (_masked, _mask) = (null, null);
        (_mask, _masked) = (make(), key);
        return _mask;
    }

    public override void Dispose()
    {
        Forget();
        _joined?.Dispose();
        _ledger.Remove(MemoryCategory.Workspace, _bytes);
    }

    private void Forget()
    {
        Ids?.Dispose();
        Turned?.Dispose();
        _mask?.Dispose();
        (Ids, Joined, Turned, _table, _masked, _mask) = (null, null, null, null, null, null);
    }
}

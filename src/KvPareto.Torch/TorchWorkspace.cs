using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>A run's scratch: what a step's ops share, and a count of what attention takes while it runs.</summary>
internal sealed class TorchWorkspace : Workspace
{
    private const int Copies = 3; // of a stretch at once: codes or f16 rows, differences, f32 rows

    private readonly MemoryLedger _ledger;
    private readonly torch.Device _device;
    private readonly long _bytes;
    private readonly Backend? _kernels;
    private readonly Workspace? _joined;
    private readonly TorchBuffer _ids; // [MaxTokens] i32, always in one place: launches that are kept read it
    private readonly Dictionary<object, torch.Tensor> _made = []; // of the step at hand

    public TorchWorkspace(MemoryLedger ledger, torch.Device device, WorkspaceShape shape, int stretchTokens, Backend? kernels) : base(shape)
    {
        (_ledger, _device, StretchTokens, _kernels) = (ledger, device, stretchTokens, kernels);
        _joined = kernels?.CreateWorkspace(shape);
        _ids = new TorchBuffer(
            ledger, MemoryCategory.Workspace, torch.zeros([shape.MaxTokens], dtype: torch.ScalarType.Int32, device: device));
        _bytes = kernels is null ? PredictByteCount(shape, stretchTokens) : 0;
        ledger.Add(MemoryCategory.Workspace, _bytes);
    }

    /// <summary>Most tokens of a layer that stand unpacked at once.</summary>
    public int StretchTokens { get; }

    /// <summary>The step as the backend of the kernels takes it; null where there is none.</summary>
    public Step? Joined { get; private set; }

    /// <summary>Bytes that attention takes at the most, from shapes alone: keys and values of a stretch, scores and weights of it (or of
    /// all), results.</summary>
    public static long PredictByteCount(WorkspaceShape shape, int stretchTokens)
    {
        var (g, tokens) = (shape.Geometry, Math.Min(shape.Capacity, stretchTokens));
        var scored = shape.Kernel == AttentionKernel.Math ? shape.Capacity : tokens;
        var (keys, queries) = ((long)g.KvHeads * g.HeadDim * tokens, (long)g.QueryHeads * shape.MaxTokens);
        return sizeof(float) * (2 * Copies * keys + 2 * queries * scored + 3 * queries * g.HeadDim);
    }

    /// <summary>Bytes of token ids.</summary>
    public static long IdBytes(WorkspaceShape shape) => (long)shape.MaxTokens * sizeof(int);

    /// <summary>Takes in a step.</summary>
    public void Begin(Step step)
    {
        Forget();
        using (var ids = torch.tensor(step.Ids)) TorchScripts.Run("write", Ids(step), ids);
        if (_joined is null) return;
        _kernels!.Join(Joined = step.With(_joined));
    }

    /// <summary>What is made once for all ops of a step; the workspace's own.</summary>
    public torch.Tensor Once(object key, Func<torch.Tensor> make)
    {
        if (!_made.TryGetValue(key, out var tensor)) _made[key] = tensor = TorchMemory.Guard(make);
        return tensor;
    }

    /// <summary>Token ids [T].</summary>
    public torch.Tensor Ids(Step step) => Once(nameof(Ids), () => _ids.Data.narrow(0, 0, step.Count));

    /// <summary>What turns a step's rows, as Scripts/elements.py takes it.</summary>
    public torch.Tensor Turns(Step step, RopeTable table) => Once(table, () =>
    {
        using var turns = TurnsOf(table, step.Positions, _device);
        return TorchScripts.Tensor("rope_turns", turns);
    });

    /// <summary><see cref="RopeTable.Turns"/> on a device, f32.</summary>
    public static torch.Tensor TurnsOf(RopeTable table, int[] positions, torch.Device device)
    {
        var turns = new float[positions.Length * table.TurnedChannels];
        table.Turns(positions, turns);
        return torch.tensor(turns, [positions.Length, table.TurnedChannels], device: device);
    }

    public override void Dispose()
    {
        Forget();
        _ids.Dispose();
        _joined?.Dispose();
        _ledger.Remove(MemoryCategory.Workspace, _bytes);
    }

    private void Forget()
    {
        foreach (var tensor in _made.Values) tensor.Dispose();
        _made.Clear();
    }
}

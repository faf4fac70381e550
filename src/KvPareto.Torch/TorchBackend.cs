using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;
using TorchSharp;
using static KvPareto.Torch.TorchMemory;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Torch;

/// <summary>
/// The seam on PyTorch: every device that the libtorch at hand knows, ops as TorchScript, caches and weights packed. On the processor
/// activations are f32, elsewhere bf16. Peaks are measured where the system tells them (<see cref="MemoryMeter"/>).
/// </summary>
public sealed class TorchBackend : Backend
{
    private const int MostTogether = 3; // as Scripts/elements.py takes them

    private readonly TorchMemoryLayout _layout;
    private readonly TorchCodes _codec;
    private readonly torch.Device _device;
    private readonly int _stretchTokens;

    /// <summary>A backend on one of PyTorch's devices.</summary>
    /// <param name="device">Which.</param>
    /// <param name="threads">Threads on the processor; null for PyTorch's own choice.</param>
    /// <param name="stretchTokens">Tokens of a layer that are unpacked at once; null for the device's.</param>
    /// <exception cref="ConfigException">libtorch cannot be found or loaded, or it has no such device.</exception>
    public TorchBackend(TorchDevice device, int? threads = null, int? stretchTokens = null) : base(Open(device))
    {
        if (threads is { } count && device.IsCpu) torch.set_num_threads(count);
        _layout = new TorchMemoryLayout(device);
        _device = new torch.Device(device.Kind, device.Ordinal);
        _codec = new TorchCodes(_device, TorchTypes.Of(ActivationType), _layout.StripeElements);
        _stretchTokens = stretchTokens ?? _layout.StretchTokens;
        var library = TorchLibrary.Load();
        var threadText = device.IsCpu ? $", {torch.get_num_threads()} threads" : "";
        Instructions = TorchInstructions.Of(library.Version, device);
        Device = $"{device.Kind} by {Instructions}{threadText}";
        Memory.Add(MemoryCategory.Workspace, _layout.FixedBytes);
    }

    /// <inheritdoc/>
    public override string Name => "torch";

    /// <inheritdoc/>
    public override string Device { get; }

    /// <inheritdoc/>
    public override string Instructions { get; }

    /// <inheritdoc/>
    public override DType ActivationType => _layout.ActivationType;

    /// <inheritdoc/>
    public override MemoryLayout Layout => _layout;

    /// <inheritdoc/>
    public override Tensor Alloc(DType type, int rows, int columns, MemoryCategory category = MemoryCategory.Activations) =>
        new(Guard(() =>
            new TorchBuffer(Memory, category, torch.zeros([(long)rows * columns], dtype: TorchTypes.Of(type), device: _device))),
            0, type, rows, columns, columns);

    /// <inheritdoc/>
    public override Weight Upload(HostWeight weight) =>
        Guard(() => new TorchWeight(Memory, _codec, weight, ActivationType));

    /// <inheritdoc/>
    public override Workspace CreateWorkspace(WorkspaceShape shape) =>
        Guard(() => new TorchWorkspace(Memory, _device, shape, _stretchTokens));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<float> source, Tensor x)
    {
        var values = source.ToArray();
        Scoped(() => TorchBuffer.View(x).copy_(torch.tensor(values, [x.RowCount, x.ColumnCount])));
    }

    /// <inheritdoc/>
    public override void Read(Tensor x, Span<float> destination)
    {
        using var rows = TorchBuffer.View(x);
        TorchBuffer.ToHost(rows, destination);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        if (_device.type == DeviceType.CUDA) torch.cuda.synchronize(_device);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _codec.Dispose();
        Memory.Remove(MemoryCategory.Workspace, _layout.FixedBytes);
    }

    /// <inheritdoc/>
    protected override KvCache CreateCacheCore(KvGeometry geometry, KvSpec spec, int capacity) =>
        Guard(() => new TorchKvCache(Memory, _codec, geometry, spec, capacity));

    /// <inheritdoc/>
    protected override void BeginCore(Step step) => Scoped(() => ((TorchWorkspace)step.Workspace).Begin(step));

    /// <inheritdoc/>
    protected override void EmbedCore(Step step, Weight embedding, Tensor x, float scale) =>
        Scoped(() => ((TorchWeight)embedding).Gather(((TorchWorkspace)step.Workspace).Ids!, x, scale));

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y) =>
        Scoped(() => TorchScripts.Run("rms_norm", TorchBuffer.View(x), ((TorchWeight)gain).Vector, (double)epsilon, TorchBuffer.View(y)));

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, Weight weight, Tensor y) =>
        Scoped(() => ((TorchWeight)weight).Multiply(x, y));

    /// <inheritdoc/>
    protected override void RopeCore(Step step, Tensor x, RopeTable table) =>
        Scoped(() => TorchScripts.Run("rope", TorchBuffer.View(x), ((TorchWorkspace)step.Workspace).Turns(step, table), table.HeadDim));

    /// <inheritdoc/>
    protected override void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y) =>
        Scoped(() => TorchAttention.Run(step, layer, q, k, v, y));

    /// <inheritdoc/>
    protected override void SiluMulCore(Tensor gate, Tensor up) =>
        Scoped(() => TorchScripts.Run("silu_mul", TorchBuffer.View(gate), TorchBuffer.View(up)));

    /// <inheritdoc/>
    protected override void AddCore(Tensor x, Tensor y) =>
        Scoped(() => TorchScripts.Run("add", TorchBuffer.View(x), TorchBuffer.View(y)));

    /// <inheritdoc/>
    protected override void NormLinearCore(
        Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (weights.Length > MostTogether || !ArePlain(weights)) base.NormLinearCore(x, gain, epsilon, h, weights, ys);
        else RunNorm("norm_linear", x, gain, epsilon, h, weights, ys, 3 * MostTogether);
    }

    /// <inheritdoc/>
    protected override void NormGatedCore(Tensor x, Weight gain, float epsilon, Tensor h, Weight gate, Weight up, Tensor g, Tensor u)
    {
        if (!ArePlain([gate, up])) base.NormGatedCore(x, gain, epsilon, h, gate, up, g, u);
        else RunNorm("norm_gated", x, gain, epsilon, h, [gate, up], [g, u], 3 * 2);
    }

    /// <inheritdoc/>
    protected override void LinearAddCore(Tensor x, Weight weight, Tensor y, Tensor sum)
    {
        var plain = (TorchWeight)weight;
        if (!plain.IsPlain) base.LinearAddCore(x, weight, y, sum);
        else
        {
            Scoped(() => TorchScripts.Run(
                "linear_add", [TorchBuffer.View(x), _codec.Stripe, .. plain.With(y), TorchBuffer.View(sum)]));
        }
    }

    private static bool ArePlain(ReadOnlySpan<Weight> weights)
    {
        foreach (var weight in weights)
            if (!((TorchWeight)weight).IsPlain) return false;
        return true;
    }

    private void RunNorm(
        string function, Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys,
            int products)
    {
        var (all, outputs) = (weights.ToArray(), ys.ToArray());
        Scoped(() =>
        {
            var arguments = new List<object?>
            {
                TorchBuffer.View(x), ((TorchWeight)gain).Vector, (double)epsilon, TorchBuffer.View(h), _codec.Stripe,
            };
            var end = arguments.Count + products;
            for (var i = 0; i < all.Length; i++) arguments.AddRange(((TorchWeight)all[i]).With(outputs[i]));
            while (arguments.Count < end) arguments.Add(null);
            TorchScripts.Run(function, [.. arguments]);
        });
    }

    // The device's first use comes before its meter, which counts from then on.
    private static MemoryMeter? Open(TorchDevice device)
    {
        var library = TorchLibrary.Load();
        if (device.IsCpu)
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return ProcessMeter.TryCreate();
        }
        if (device.Kind == "cuda" && !library.HasCuda)
            throw new ConfigException(
                $"device {device}: libtorch in {library.Folder} was built without CUDA; allowed: {TorchLibrary.FolderVariable} set to "
                    + "one with it, or torch");
        if (device.Kind == "cuda" && (!torch.TryInitializeDeviceType(DeviceType.CUDA) || device.Ordinal >= torch.cuda.device_count()))
            throw new ConfigException(
                $"device {device}: libtorch in {library.Folder} finds {(torch.cuda.is_available() ? torch.cuda.device_count() : 0)} "
                    + "CUDA devices; allowed: torch, and torch:cuda:N where there are some");
        if (device.Kind != "cuda") return null;
        torch.zeros([1], device: new torch.Device(device.Kind, device.Ordinal)).Dispose();
        return PoolMeter.TryCreate(device.Ordinal);
    }
}

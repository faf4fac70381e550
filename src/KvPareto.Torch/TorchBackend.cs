using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;
using KvPareto.Torch.Interop;
using TorchSharp;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Torch;

/// <summary>
/// The seam on PyTorch: every device that the libtorch at hand knows, ops as TorchScript, caches and weights packed. On the processor
/// activations are f32, elsewhere bf16. On NVIDIA's devices another backend's kernels have the caches and the coded weights, in PyTorch's
/// memory. Peaks are measured where the system tells them (<see cref="MemoryMeter"/>).
/// </summary>
public sealed class TorchBackend : Backend
{
    private readonly torch.Device _device;
    private readonly TorchMemoryLayout _layout;
    private readonly TorchCodes _codec;
    private readonly int _stretchTokens;
    private readonly Backend? _kernels;
    private nint? _stream; // of NVIDIA's devices the one that all work goes to, 0 for the default one; null for others

    /// <summary>A backend on one of PyTorch's devices.</summary>
    /// <param name="device">Which.</param>
    /// <param name="threads">Threads on the processor; null for PyTorch's own choice.</param>
    /// <param name="stretchTokens">Tokens of a layer that are unpacked at once; null for the device's.</param>
    /// <param name="kernels">Makes the backend whose kernels work on a CUDA device's memory; without one PyTorch's ops do all.</param>
    /// <param name="activations">Type of the tensors between PyTorch's ops; null for the device's. The kernels' is bf16.</param>
    /// <exception cref="ConfigException">libtorch cannot be found or loaded, or it has no such device.</exception>
    public TorchBackend(
        TorchDevice device, int? threads = null, int? stretchTokens = null, Func<int, MemoryLender, Backend?>? kernels = null,
        DType? activations = null)
        : base(Open(device))
    {
        if (threads is { } count && device.IsCpu) torch.set_num_threads(count);
        _device = new(device.Kind, device.Ordinal);
        if (device.Kind == "cuda" && TorchLibrary.Load().HasNvidia)
        {
            _stream = 0;
            _kernels = kernels?.Invoke(device.Ordinal, new MemoryLender(Lend, Follow));
        }
        _layout = new TorchMemoryLayout(device, _kernels?.Layout, _kernels is null ? activations : null);
        _codec = new TorchCodes(_device, TorchBuffer.TypeOf(ActivationType), _layout.StripeElements);
        _stretchTokens = stretchTokens ?? _layout.StretchTokens;
        Instructions = device.Instructions(TorchLibrary.Load().Version);
        var how = device.IsCpu ? $", {torch.get_num_threads()} threads" : _kernels is null ? "" : ", caches by CUDA kernels";
        Device = $"{device.Kind} by {Instructions}{how}";
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
    public override bool StandsForOps => _kernels is { StandsForOps: true };

    /// <inheritdoc/>
    public override Tensor Alloc(DType type, int rows, int columns, MemoryCategory category = MemoryCategory.Activations) =>
        new(Make(() => new TorchBuffer(
            Memory, category, torch.zeros([(long)rows * columns], dtype: TorchBuffer.TypeOf(type), device: _device))),
            0, type, rows, columns, columns);

    /// <inheritdoc/>
    public override Weight Upload(HostWeight weight) => _kernels is not null && weight.Format.CodeBits() > 0 ? _kernels.Upload(weight)
        : Make(() => new TorchWeight(Memory, _codec, weight, ActivationType));

    /// <inheritdoc/>
    public override Workspace CreateWorkspace(WorkspaceShape shape) =>
        Make(() => new TorchWorkspace(Memory, _device, shape, _stretchTokens, _kernels));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<float> source, Tensor x)
    {
        using var rows = torch.tensor(source.ToArray(), [x.RowCount, x.ColumnCount]);
        Run("write", x, rows);
    }

    /// <inheritdoc/>
    public override void Read(Tensor x, Span<float> destination)
    {
        TakeStream();
        TorchScripts.Read(destination, "to_host", x);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        if (_kernels is not null) _kernels.Synchronize();
        else if (_device.type == DeviceType.CUDA) torch.cuda.synchronize(_device);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _kernels?.Dispose();
        _codec.Dispose();
        Memory.Remove(MemoryCategory.Workspace, _layout.FixedBytes);
    }

    /// <inheritdoc/>
    protected override KvCache CreateCacheCore(KvGeometry geometry, KvSpec spec, int capacity) =>
        _layout.HasKernels(geometry, spec) ? _kernels!.CreateCache(geometry, spec, capacity)
        : Make(() => new TorchKvCache(Memory, _codec, geometry, spec, capacity));

    /// <inheritdoc/>
    protected override void BeginCore(Step step)
    {
        TakeStream();
        Of(step).Begin(step);
    }

    /// <inheritdoc/>
    protected override void RunCore(Step step, (object Weights, object Tensors) owners, Action ops)
    {
        if (step.Caches[0] is TorchKvCache) ops();
        else _kernels!.Run(Of(step).Joined!, owners.Weights, owners.Tensors, ops);
    }

    /// <inheritdoc/>
    protected override void EmbedCore(Step step, Weight embedding, Tensor x, float scale)
    {
        if (embedding is TorchWeight own) Run("embed", own.Parts, Of(step).Ids(step), x, scale);
        else _kernels!.Embed(Of(step).Joined!, embedding, x, scale);
    }

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y) =>
        Run("rms_norm", x, ((TorchWeight)gain).Parts[0], epsilon, y);

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, Weight weight, Tensor y) => LinearCore(x, [weight], [y]);

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (Parts(weights) is { } parts) Run("linears", x, null, 0f, x, parts, ys.ToArray(), _codec.Stripe);
        else if (weights.ToArray().OfType<TorchWeight>().Any()) base.LinearCore(x, weights, ys);
        else _kernels!.Linear(x, weights, ys);
    }

    /// <inheritdoc/>
    protected override void NormLinearCore(
        Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (Parts(weights) is { } parts)
            Run("linears", x, ((TorchWeight)gain).Parts[0], epsilon, h, parts, ys.ToArray(), _codec.Stripe);
        else base.NormLinearCore(x, gain, epsilon, h, weights, ys);
    }

    /// <inheritdoc/>
    protected override void LinearAddCore(Tensor x, Weight weight, Tensor y, Tensor sum, Weight? next)
    {
        if (weight is TorchWeight own) Run("linear_add", x, own.Parts, y, _codec.Stripe, sum);
        else _kernels!.LinearAdd(x, weight, y, sum);
    }

    /// <inheritdoc/>
    protected override void RopeCore(Step step, Tensor x, RopeTable table) => Run("rope", x, Of(step).Turns(step, table), table.HeadDim);

    /// <inheritdoc/>
    protected override void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        TakeStream();
        if (step.Caches[0] is TorchKvCache) TorchKvCache.Attend(step, layer, q, k, v, y);
        else _kernels!.Attention(Of(step).Joined!, layer, q, k, v, y);
    }

    /// <inheritdoc/>
    protected override void RopeAttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y, RopeTable table)
    {
        if (step.Caches[0] is TorchKvCache) base.RopeAttentionCore(step, layer, q, k, v, y, table);
        else _kernels!.RopeAttention(Of(step).Joined!, layer, q, k, v, y, table);
    }

    /// <inheritdoc/>
    protected override void SiluMulCore(Tensor gate, Tensor up) => Run("silu_mul", gate, up);

    /// <inheritdoc/>
    protected override void AddCore(Tensor x, Tensor y) => Run("add", x, y);

    private void Run(string function, params object?[] arguments)
    {
        TakeStream();
        TorchScripts.Run(function, arguments);
    }

    // What is made on a device belongs to its stream.
    private T Make<T>(Func<T> make)
    {
        TakeStream();
        return TorchMemory.Guard(make);
    }

    // PyTorch keeps a current stream for each thread: called wherever another backend may have been at work before.
    private void TakeStream()
    {
        if (_stream is { } stream) _ = TorchShim.SetStream(stream, _device.index);
    }

    private TorchBuffer Lend(MemoryCategory category, long bytes) => Make(() =>
        new TorchBuffer(Memory, category, torch.empty([Math.Max(1, bytes)], dtype: torch.ScalarType.Byte, device: _device)));

    private void Follow(nint stream)
    {
        _stream = stream;
        TakeStream();
    }

    private static TorchWorkspace Of(Step step) => (TorchWorkspace)step.Workspace;

    // Null where some are the kernels'.
    private static torch.Tensor[]? Parts(ReadOnlySpan<Weight> weights)
    {
        var parts = new List<torch.Tensor>();
        foreach (var weight in weights)
        {
            if (weight is not TorchWeight own) return null;
            parts.AddRange(own.Parts);
        }
        return [.. parts];
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
        if (device.Kind != "cuda") return null;
        var count = library.HasCuda && torch.TryInitializeDeviceType(DeviceType.CUDA) ? torch.cuda.device_count() : 0;
        if (device.Ordinal >= count)
            throw new ConfigException(
                $"device {device}: libtorch in {library.Folder} {(library.HasCuda ? $"finds {count} CUDA devices" : "has no CUDA")}; "
                    + $"allowed: torch, or {TorchLibrary.FolderVariable} set to a libtorch that has the device");
        torch.zeros([1], device: new torch.Device(device.Kind, device.Ordinal)).Dispose();
        var meter = CudaDriver.Pool(device.Ordinal) is { } pool ? new PoolMeter(pool) : null;
        meter?.Reset();
        return meter;
    }
}

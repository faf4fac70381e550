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
    private readonly TorchMemoryLayout _layout;
    private readonly TorchCodes _codec;
    private readonly int _stretchTokens;
    private readonly Backend? _kernels;
    private readonly TorchStream? _stream;

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
        _layout = new TorchMemoryLayout(device, activations: activations);
        _codec = new TorchCodes(new(device.Kind, device.Ordinal), TorchBuffer.TypeOf(ActivationType), _layout.StripeElements);
        if (device.Kind == "cuda") _stream = TorchStream.TryCreate(device.Ordinal);
        if (_stream is not null) _kernels = kernels?.Invoke(device.Ordinal, new MemoryLender(Lend, _stream.Follow));
        if (_kernels is not null) _layout = new TorchMemoryLayout(device, _kernels.Layout);
        _stretchTokens = stretchTokens ?? _layout.StretchTokens;
        var instructions = device.Instructions(TorchLibrary.Load().Version);
        var how = device.IsCpu ? $", {torch.get_num_threads()} threads" : _kernels is null ? "" : ", caches by CUDA kernels";
        (Instructions, Device) = (instructions, $"{device.Kind} by {instructions}{how}");
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
        new(TorchMemory.Guard(() => new TorchBuffer(
            Memory, category, torch.zeros([(long)rows * columns], dtype: TorchBuffer.TypeOf(type), device: Codec().Device))),
            0, type, rows, columns, columns);

    /// <inheritdoc/>
    public override Weight Upload(HostWeight weight) => _kernels is not null && weight.Format.CodeBits() > 0 ? _kernels.Upload(weight)
        : TorchMemory.Guard(() => new TorchWeight(Memory, Codec(), weight, ActivationType));

    /// <inheritdoc/>
    public override Workspace CreateWorkspace(WorkspaceShape shape) =>
        TorchMemory.Guard(() => new TorchWorkspace(Memory, Codec().Device, shape, _stretchTokens, _kernels));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<float> source, Tensor x)
    {
        using var rows = torch.tensor(source.ToArray(), [x.RowCount, x.ColumnCount]);
        Do("write", x, rows);
    }

    /// <inheritdoc/>
    public override void Read(Tensor x, Span<float> destination)
    {
        _stream?.MakeCurrent();
        TorchScripts.Read(destination, "to_host", x);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        if (_kernels is not null) _kernels.Synchronize();
        else if (_codec.Device.type == DeviceType.CUDA) torch.cuda.synchronize(_codec.Device);
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
        : TorchMemory.Guard(() => new TorchKvCache(Memory, Codec(), geometry, spec, capacity));

    /// <inheritdoc/>
    protected override void BeginCore(Step step)
    {
        _stream?.MakeCurrent();
        Of(step).Begin(step);
    }

    /// <inheritdoc/>
    protected override void RunCore(Step step, (object Weights, object Tensors) owners, Action ops)
    {
        if (_kernels is null || step.Caches[0] is TorchKvCache) ops();
        else _kernels.Run(Of(step).Joined!, owners.Weights, owners.Tensors, ops);
    }

    /// <inheritdoc/>
    protected override void EmbedCore(Step step, Weight embedding, Tensor x, float scale)
    {
        if (!Runs()) return;
        if (embedding is TorchWeight) Do("embed", Parts(embedding), Of(step).Ids(step), x, scale);
        else _kernels!.Embed(Of(step).Joined!, embedding, x, scale);
    }

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y) =>
        Do("rms_norm", x, ((TorchWeight)gain).Vector, epsilon, y);

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, Weight weight, Tensor y) => LinearCore(x, [weight], [y]);

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys) =>
        Multiply(x, null, 0, x, weights, ys);

    /// <inheritdoc/>
    protected override void NormLinearCore(
        Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys) =>
        Multiply(x, gain, epsilon, h, weights, ys);

    /// <inheritdoc/>
    protected override void RopeCore(Step step, Tensor x, RopeTable table) =>
        Do("rope", x, Of(step).Turns(step, table), table.HeadDim);

    /// <inheritdoc/>
    protected override void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        _stream?.MakeCurrent();
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
    protected override void SiluMulCore(Tensor gate, Tensor up) => Do("silu_mul", gate, up);

    /// <inheritdoc/>
    protected override void AddCore(Tensor x, Tensor y) => Do("add", x, y);

    /// <inheritdoc/>
    protected override void LinearAddCore(Tensor x, Weight weight, Tensor y, Tensor sum, Weight? next)
    {
        if (!Runs()) return;
        if (weight is TorchWeight) Do("linear_add", x, Parts(weight), y, _codec.Stripe, sum);
        else _kernels!.LinearAdd(x, weight, y, sum);
    }

    // Of x, or of its norm in h, with weights that are PyTorch's or the kernels'.
    private void Multiply(Tensor x, Weight? gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (!Runs()) return;
        var (isOurs, same) = (weights[0] is TorchWeight, 1);
        while (same < weights.Length && weights[same] is TorchWeight == isOurs) same++;
        if (isOurs)
            Do(
                "linears", x, ((TorchWeight?)gain)?.Vector, epsilon, h, Parts(weights[..same]), ys[..same].ToArray(), _codec.Stripe);
        else
        {
            if (gain is not null) RmsNormCore(x, gain, epsilon, h);
            _kernels!.Linear(h, weights[..same], ys[..same]);
        }
        if (same < weights.Length) LinearCore(h, weights[same..], ys[same..]);
    }

    // Not where launches of an earlier step stand for it.
    private bool Runs() => _kernels is not { StandsForOps: true };

    private void Do(string function, params object?[] arguments)
    {
        _stream?.MakeCurrent();
        if (Runs()) TorchScripts.Run(function, arguments);
    }

    private TorchBuffer Lend(MemoryCategory category, long bytes) => TorchMemory.Guard(
        () => new TorchBuffer(Memory, category, torch.empty([Math.Max(1, bytes)], dtype: torch.ScalarType.Byte, device: Codec().Device)));

    // What is made on its device belongs to its stream.
    private TorchCodes Codec()
    {
        _stream?.MakeCurrent();
        return _codec;
    }

    private static TorchWorkspace Of(Step step) => (TorchWorkspace)step.Workspace;

    private static torch.Tensor[] Parts(params ReadOnlySpan<Weight> weights)
    {
        var parts = new List<torch.Tensor>();
        foreach (var weight in weights) parts.AddRange(((TorchWeight)weight).Parts);
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

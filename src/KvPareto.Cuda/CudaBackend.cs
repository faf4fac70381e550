using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Cuda;

/// <summary>
/// The seam on one CUDA device: bf16 activations, f32 residual stream, kernels compiled at run time for the device at hand, dense products
/// by cuBLASLt. All ops run in order on one stream; only <see cref="Read"/> and <see cref="Synchronize"/> wait.
/// </summary>
public sealed unsafe class CudaBackend : Backend
{
    private const int Threads = 256;
    private const int Warp = 32;
    private const int MostThreads = 1024;
    private const int NumbersAThread = 4; // of a norm
    private const int NumbersAThreadOfFours = 8;
    private const int StaticSharedBytes = 2048; // of a kernel, at the most
    private const int MostBestRows = Warp; // elements.cu, gather_best
    private const int RopeHeads = 8; // of a block (elements.cu, rope)
    private const int RopeSlots = 4; // of rope_two: teams of a block's threads
    private const int RopeSlotHeads = 2;

    private readonly CudaContext _context;
    private readonly CudaLinear _linear;
    private readonly CudaAttention _attention;
    private readonly RepeatedSteps _repeated;

    /// <summary>A backend on a device.</summary>
    /// <param name="ordinal">Its number, from 0.</param>
    /// <param name="lender">Whose memory it works on; null for its own.</param>
    /// <exception cref="ConfigException">There is no such device, or a library of CUDA is missing.</exception>
    public CudaBackend(int ordinal = 0, MemoryLender? lender = null)
    {
        var devices = CudaDevice.List();
        if (ordinal < 0 || ordinal >= devices.Count)
            throw new ConfigException(devices.Count == 0
                ? "device cuda: this machine has no CUDA device or driver; allowed: cpu"
                : $"device cuda:{ordinal}; allowed: cpu, cuda:0 to cuda:{devices.Count - 1}");
        if (CudaLibraries.All.FirstOrDefault(library => !library.IsThere).Name is { } missing)
            throw new ConfigException(
                $"device cuda: {missing} cannot be loaded; install CUDA 13 or set LD_LIBRARY_PATH to its folder; allowed without: cpu");
        _context = new CudaContext(ordinal, lender);
        var device = devices[ordinal];
        Device = $"{device.Name} ({device.TotalBytes >> 20} MiB, {Instructions}, driver {device.Driver})";
        Capacity = device.TotalBytes;
        foreach (var file in new[] { "weights.cu", "elements.cu" }) _context.Prepare(file);
        _linear = new CudaLinear(_context, Memory);
        Several = _context.HasWarpGroups && lender is null ? new CudaSeveralSteps(_linear) : null;
        _attention = new CudaAttention(_context, _linear.Scratch);
        _repeated = new RepeatedSteps(_context);
    }

    /// <summary>One on another library's memory; null where this machine cannot have it.</summary>
    public static CudaBackend? TryCreate(int ordinal, MemoryLender lender)
    {
        try
        {
            return new CudaBackend(ordinal, lender);
        }
        catch (ConfigException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public override string Name => "cuda";

    /// <inheritdoc/>
    public override string Device { get; }

    /// <inheritdoc/>
    public override string Instructions => $"compute capability {_context.Capability}";

    /// <inheritdoc/>
    public override long? Capacity { get; }

    /// <inheritdoc/>
    public override DType ActivationType => Layout.ActivationType;

    /// <inheritdoc/>
    public override bool StandsForOps => _repeated.StandForOps;

    /// <inheritdoc/>
    public override bool CopiesCaches => _context.Lender is null;

    /// <inheritdoc/>
    public override int MostSequences => _context.Lender is null ? FewKernel.MostRows : 1;

    /// <inheritdoc/>
    public override SeveralSteps? Several { get; }

    /// <inheritdoc/>
    public override MemoryLayout Layout { get; } = new CudaMemoryLayout();

    /// <inheritdoc/>
    public override Tensor Alloc(DType type, int rows, int columns, MemoryCategory category = MemoryCategory.Activations) =>
        new(new CudaBuffer(_context, Memory, category, (long)rows * columns * type.ByteSize()), 0, type, rows, columns, columns);

    /// <inheritdoc/>
    public override Weight Upload(HostWeight weight)
    {
        _context.MakeCurrent();
        var uploaded = new CudaWeight(_context, Memory, _linear.Scratch, weight);
        _linear.Prepare(uploaded);
        return uploaded;
    }

    /// <inheritdoc/>
    public override void Check(KvGeometry geometry, KvSpec spec)
    {
        base.Check(geometry, spec);
        if (AttentionPlan.MostSharedBytes(geometry, spec) > _context.SharedBytes - StaticSharedBytes)
            throw new ConfigException(
                $"{Device}: blocks have {_context.SharedBytes} bytes of shared memory, too few for head_dim {geometry.HeadDim} with "
                    + "this cache; allowed: smaller groups of tokens, no prebias, or --device cpu");
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace(WorkspaceShape shape) => new CudaWorkspace(_context, Memory, shape);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<float> source, Tensor x)
    {
        _context.MakeCurrent();
        var bytes = new byte[x.ColumnCount * x.Type.ByteSize()];
        fixed (float* data = source)
        fixed (byte* row = bytes)
        {
            if (x.Type == DType.F32 && x.RowStride == x.ColumnCount)
            {
                _context.Upload(x.Address, data, (long)source.Length * sizeof(float));
                return;
            }
            for (var r = 0; r < x.RowCount; r++)
            {
                ElementRows.Store(source.Slice(r * x.ColumnCount, x.ColumnCount), x.Type, row);
                _context.Upload(x.Address + (nint)r * x.RowStride * x.Type.ByteSize(), row, bytes.Length);
            }
        }
    }

    /// <inheritdoc/>
    public override void Read(Tensor x, Span<float> destination)
    {
        _context.MakeCurrent();
        fixed (float* data = destination)
        {
            if (x.Type == DType.F32 && x.RowStride == x.ColumnCount)
            {
                _context.Download(data, x.Address, (long)x.RowCount * x.ColumnCount * sizeof(float));
                _context.Synchronize();
                return;
            }
        }
        var bytes = new byte[x.ColumnCount * x.Type.ByteSize()];
        fixed (byte* row = bytes)
        {
            for (var r = 0; r < x.RowCount; r++)
            {
                _context.Download(row, x.Address + (nint)r * x.RowStride * x.Type.ByteSize(), bytes.Length);
                _context.Synchronize();
                ElementRows.Load(row, x.Type, destination.Slice(r * x.ColumnCount, x.ColumnCount));
            }
        }
    }

    /// <inheritdoc/>
    protected override void BestCore(Tensor x, Span<int> columns)
    {
        if (x.RowCount > Math.Min(MostBestRows, x.ColumnCount))
        {
            base.BestCore(x, columns);
            return;
        }
        _context.MakeCurrent();
        var (module, arguments) = (_context.Module("elements.cu"), new BestArguments { X = x, Columns = x.ColumnCount, Rows = x.RowCount });
        _context.Launch(module, "best_columns", new(x.RowCount), MostThreads, arguments);
        if (x.RowCount > 1) _context.Launch(module, "gather_best", new(1), MostBestRows, arguments);
        Span<float> found = stackalloc float[x.RowCount];
        Read(x.Rows(0, 1).Columns(0, x.RowCount), found);
        MemoryMarshal.Cast<float, int>(found).CopyTo(columns);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        _context.MakeCurrent();
        _context.Synchronize();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _context.MakeCurrent();
        _repeated.Dispose();
        _linear.Dispose();
        _context.Dispose();
    }

    /// <inheritdoc/>
    protected override KvCache CreateCacheCore(KvGeometry geometry, KvSpec spec, int capacity) =>
        new CudaKvCache(_context, Memory, geometry, spec, capacity);

    /// <inheritdoc/>
    protected override void BeginCore(Step step)
    {
        _context.MakeCurrent();
        ((CudaWorkspace)step.Workspace).Begin(step);
    }

    /// <inheritdoc/>
    protected override void RunCore(Step step, (object Weights, object Tensors) owners, Action ops)
    {
        if (step.Count <= FewKernel.MostRows || _context.Lender is not null)
            _repeated.Run(step, owners, CudaAttention.Parts(step), _linear.Scratch.Address, ops);
        else ops();
    }

    /// <inheritdoc/>
    protected override void EmbedCore(Step step, Weight embedding, Tensor x, float scale) => Launch(
        "embed", new(step.Count),
            new EmbedArguments { Table = ((CudaWeight)embedding).Rows, Ids = ((CudaWorkspace)step.Workspace).Ids, X = x, Scale = scale });

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y)
    {
        var width = gain.ColumnCount;
        var arguments = new NormArguments { X = x, Y = y, Gain = ((CudaWeight)gain).Data, Width = width, Epsilon = epsilon };
        var isFours = x.Type == DType.F32 && width % 4 == 0 && x.Address % 16 == 0 && x.RowStride % 4 == 0;
        var threads = width / (isFours ? NumbersAThreadOfFours : NumbersAThread);
        Launch(
            isFours ? "rms_norm_four" : "rms_norm", new(x.RowCount, x.ColumnCount / width), arguments,
            Math.Clamp((threads + Warp - 1) / Warp * Warp, Warp, MostThreads));
    }

    /// <inheritdoc/>
    protected override void NormLinearCore(
        Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (_linear.TryMultiplyPrepared(x, gain, epsilon, h, weights, ys, LinearMode.Store)) return;
        if (!_linear.TryMultiplyNormed(x, gain, epsilon, h.Type == DType.F32, weights, ys, LinearMode.Store))
            base.NormLinearCore(x, gain, epsilon, h, weights, ys);
    }

    /// <inheritdoc/>
    protected override void NormGatedCore(Tensor x, Weight gain, float epsilon, Tensor h, Weight gate, Weight up, Tensor g, Tensor u)
    {
        if (_linear.TryMultiplyPrepared(x, gain, epsilon, h, [gate, up], [g], LinearMode.Gated)) return;
        if (_linear.TryMultiplyNormed(x, gain, epsilon, h.Type == DType.F32, [gate, up], [g], LinearMode.Gated)) return;
        RmsNormCore(x, gain, epsilon, h);
        if (_linear.TryMultiplyGated(h, gate, up, g)) return;
        LinearCore(h, [gate, up], [g, u]);
        SiluMulCore(g, u);
    }

    /// <inheritdoc/>
    protected override void LinearAddCore(Tensor x, Weight weight, Tensor y, Tensor sum, Weight? next)
    {
        if (next is not null && _linear.TryAddAndPrepare(x, (CudaWeight)weight, y, sum, next)) return;
        if (!_linear.TryAdd(x, (CudaWeight)weight, sum)) base.LinearAddCore(x, weight, y, sum, next);
    }

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, Weight weight, Tensor y) => _linear.Multiply(x, [weight], [y]);

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys) => _linear.Multiply(x, weights, ys);

    /// <inheritdoc/>
    protected override void RopeCore(Step step, Tensor x, RopeTable table) => Rope(step, x, default, 0, table);

    /// <inheritdoc/>
    protected override void RopeCore(Step step, Tensor q, Tensor k, RopeTable table) =>
        Rope(step, q, k, k.ColumnCount / table.HeadDim, table);

    /// <inheritdoc/>
    protected override void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y) =>
        _repeated.EachTime(() => _attention.Run(step, layer, q, k, v, y));

    /// <inheritdoc/>
    protected override void RopeAttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y, RopeTable table) =>
        _repeated.EachTime(() =>
        {
            if (!_attention.TryTurnAndRun(step, layer, q, k, v, y, table)) base.RopeAttentionCore(step, layer, q, k, v, y, table);
        });

    /// <inheritdoc/>
    protected override void SiluMulCore(Tensor gate, Tensor up)
    {
        var arguments = new PairArguments { X = gate, Y = up, Columns = gate.ColumnCount };
        if (IsEights(gate) && IsEights(up))
            Launch("silu_mul_eight", new(gate.RowCount, (gate.ColumnCount / 8 + Threads - 1) / Threads), arguments);
        else Launch("silu_mul", Columns(gate), arguments);
    }

    /// <inheritdoc/>
    protected override void AddCore(Tensor x, Tensor y) =>
        Launch("add", Columns(x), new PairArguments { X = x, Y = y, Columns = x.ColumnCount });

    private void Rope(Step step, Tensor q, Matrix k, int keyHeads, RopeTable table)
    {
        var half = table.InverseFrequencies.Length;
        if (half > RopeArguments.MostPairs)
            throw new ArgumentException(
                $"heads turn {table.TurnedChannels} channels; up to {2 * RopeArguments.MostPairs} are possible", nameof(table));
        var arguments = new RopeArguments
        {
            Q = q,
            K = k,
            Positions = ((CudaWorkspace)step.Workspace).Positions,
            QueryHeads = q.ColumnCount / table.HeadDim,
            KeyHeads = keyHeads,
            Half = half,
            Width = table.HeadDim,
            Scale = table.AttentionScale,
        };
        for (var i = 0; i < half; i++) arguments.Frequencies[i] = table.InverseFrequencies[i];
        var heads = arguments.QueryHeads + keyHeads;
        if (half % 2 == 0 && table.HeadDim % 2 == 0 && IsPairs(arguments.Q) && (keyHeads == 0 || IsPairs(k)))
        {
            var block = RopeSlots * RopeSlotHeads;
            Launch("rope_two", new(q.RowCount, (heads + block - 1) / block), arguments, (RopeSlots * half / 2 + Warp - 1) / Warp * Warp);
        }
        else Launch("rope", new(q.RowCount, (heads + RopeHeads - 1) / RopeHeads), arguments, (half + Warp - 1) / Warp * Warp);
    }

    private static bool IsPairs(Matrix x) => x.Type == (int)DType.BF16 && x.Data % 4 == 0 && x.Stride % 2 == 0;

    private static bool IsEights(Tensor x) => x.Type == DType.BF16 && x.Address % 16 == 0 && x.RowStride % 8 == 0 && x.ColumnCount % 8 == 0;

    private static Grid Columns(Tensor x) => new(x.RowCount, (x.ColumnCount + Threads - 1) / Threads);

    private void Launch<TArguments>(string kernel, Grid grid, in TArguments arguments, int threads = Threads)
        where TArguments : unmanaged =>
        _context.Launch(_context.Module("elements.cu"), kernel, grid, threads, arguments);
}

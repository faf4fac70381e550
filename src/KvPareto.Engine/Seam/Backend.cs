using System.Buffers;
using System.Numerics.Tensors;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Text.Input;
using static KvPareto.Engine.Seam.OpShapes;

namespace KvPareto.Engine.Seam;

/// <summary>
/// The seam between the model and a device: seven ops on 2-D tensors, a few of them together, and the services around them. A new backend
/// writes the seven; what stands for several has their sequence as its default. Symbols: T step tokens,
/// H hidden, Nq/Nkv heads, D head width, F feed-forward width, V vocabulary, K/N a linear layer's inputs/outputs.
/// No op allocates and none waits; only <see cref="Read"/> and <see cref="Synchronize"/> do. Shapes are checked here, once;
/// implementers override the <c>…Core</c> methods.
/// </summary>
/// <param name="meter">Where peaks are read, for a backend whose library allocates by itself; null where <see cref="Memory"/> counts
/// all.</param>
public abstract class Backend(MemoryMeter? meter = null) : IDisposable
{
    /// <summary>Short name: <c>cpu</c>, <c>cuda</c>, <c>torch</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The device in words, for provenance.</summary>
    public abstract string Device { get; }

    /// <summary>The instructions that its sums are made with, in words: <c>AVX2</c>, <c>compute capability 9.0</c>. Others sum in another
    /// order, and settings with very few bits part there. Neither threads nor memory nor a driver are of them.</summary>
    public abstract string Instructions { get; }

    /// <summary>How many workers have scratch of their own, which peaks depend on; null where they do not.</summary>
    public virtual int? Workers => null;

    /// <summary>Bytes of memory that the device has in all; null where that is not known.</summary>
    public virtual long? Capacity => null;

    /// <summary>Whether launches of an earlier step stand for the ops at hand, which are left out then, but for attention.</summary>
    public virtual bool StandsForOps => false;

    /// <summary>Most sequences of a step in which each has, bit for bit, the results that it has in a step by itself.</summary>
    public virtual int MostSequences => 1;

    /// <summary>Whether a cache can take over the tokens of another (<see cref="KvCache.Take"/>).</summary>
    public virtual bool CopiesCaches => false;

    /// <summary>Type of the tensors between ops; the residual stream is f32 everywhere.</summary>
    public abstract DType ActivationType { get; }

    /// <summary>Live and peak bytes of everything this backend allocated.</summary>
    public MemoryLedger Memory { get; } = new(meter);

    /// <summary>The sizes of this backend's allocations, from shapes alone.</summary>
    public abstract MemoryLayout Layout { get; }

    /// <summary>Allocates an uninitialised tensor; at set-up only. The caller disposes its <see cref="Tensor.Buffer"/>.</summary>
    public abstract Tensor Alloc(DType type, int rows, int columns, MemoryCategory category = MemoryCategory.Activations);

    /// <summary>Brings a weight into backend memory. <paramref name="weight"/> may be disposed afterwards.</summary>
    public abstract Weight Upload(HostWeight weight);

    /// <summary>Refuses a cache that this device does not support, without making one: what no device of its kind does, and what this one
    /// is too small for.</summary>
    /// <exception cref="ConfigException">A part does not fit; the message names it and what is allowed.</exception>
    public virtual void Check(KvGeometry geometry, KvSpec spec) => Layout.Check(geometry, spec);

    /// <summary>Creates an empty cache, allocated whole.</summary>
    /// <exception cref="ConfigException">As <see cref="Check"/>.</exception>
    public KvCache CreateCache(KvGeometry geometry, KvSpec spec, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Check(geometry, spec);
        return CreateCacheCore(geometry, spec, capacity);
    }

    /// <summary>Steps whose linear layers run together; null where the backend takes them one by one.</summary>
    public virtual SeveralSteps? Several => null;

    /// <summary>Allocates the scratch of a run.</summary>
    public abstract Workspace CreateWorkspace(WorkspaceShape shape);

    /// <summary>Starts a forward pass over T tokens and reserves their rows in the caches. One cache means a chunk of one sequence;
    /// T caches mean one row of each of T sequences.</summary>
    /// <exception cref="CapacityException">A cache, or the workspace, has no room for so many tokens.</exception>
    public Step Begin(Workspace workspace, ReadOnlySpan<int> ids, ReadOnlySpan<int> positions, params ReadOnlySpan<KvCache> caches)
    {
        var (tokens, most) = (workspace.Shape.MaxTokens, workspace.Shape.MaxSequences);
        Require(ids.Length > 0 && ids.Length <= tokens, $"a step takes 1 to {tokens} tokens, not {ids.Length}");
        Require(positions.Length == ids.Length, "one position a token");
        Require(caches.Length == 1 || caches.Length == ids.Length, "one cache, or one a token");
        Require(caches.Length <= most, $"the workspace was made for {most} sequences, not {caches.Length}");
        foreach (var cache in caches)
        {
            var isAlike = cache.Spec == caches[0].Spec && cache.Geometry == caches[0].Geometry;
            Require(isAlike, "caches of a step have one geometry and one way to store");
            if (cache.Length + ids.Length / caches.Length > workspace.Shape.Capacity)
                throw new CapacityException($"the workspace was made for contexts of {workspace.Shape.Capacity} tokens");
        }
        var starts = new int[caches.Length];
        for (var i = 0; i < caches.Length; i++) starts[i] = caches[i].Reserve(caches.Length == 1 ? ids.Length : 1);
        var step = new Step(workspace, ids.ToArray(), positions.ToArray(), caches.ToArray(), starts);
        BeginCore(step);
        return step;
    }

    /// <summary>Takes up a step that another backend began, whose memory this one works on; with scratch of this one's.</summary>
    public void Join(Step step) => BeginCore(step);

    /// <summary>Copies f32 values from the host, row after row, into <paramref name="x"/> [R, C].</summary>
    public abstract void Write(ReadOnlySpan<float> source, Tensor x);

    /// <summary>Copies <paramref name="x"/> [R, C] to the host as f32, row after row; waits for the ops before it.</summary>
    public abstract void Read(Tensor x, Span<float> destination);

    /// <summary>
    /// The column of each row's highest value, the first of several (of zeros a positive one is the higher); −1 where that is infinite, or
    /// a value is not a number. Waits for the ops before it. What x holds afterwards is not said.
    /// </summary>
    /// <param name="x">Values [R, C], f32.</param>
    /// <param name="columns">Columns [R].</param>
    public void Best(Tensor x, Span<int> columns)
    {
        Require(x.Type == DType.F32 && columns.Length == x.RowCount, "Best: x is [R, C], f32, with a column a row");
        BestCore(x, columns);
    }

    /// <summary>Waits for all ops.</summary>
    public abstract void Synchronize();

    /// <summary>
    /// Runs the ops of a step. Which they are may depend on <paramref name="weights"/>, <paramref name="tensors"/> and the step's shape,
    /// but not on its ids and positions: a backend may go through them once for steps of one shape.
    /// </summary>
    /// <param name="step">Step.</param>
    /// <param name="weights">Whose weights the ops take.</param>
    /// <param name="tensors">Whose tensors.</param>
    /// <param name="ops">Ops; none of them waits.</param>
    public void Run(Step step, object weights, object tensors, Action ops) => RunCore(step, (weights, tensors), ops);

    /// <summary>x[t] = scale·e[ids[t]]: row gather. e [V, H], x [T, H] f32.</summary>
    public void Embed(Step step, Weight embedding, Tensor x, float scale = 1)
    {
        Require(x.RowCount == step.Count && x.ColumnCount == embedding.ColumnCount, "Embed: x is [T, H]");
        if (!StandsForOps) EmbedCore(step, embedding, x, scale);
    }

    /// <summary>y = x / rms(x) · gain within each group of C columns. x, y [T, G·C], gain [C]; y may be x.</summary>
    public void RmsNorm(Tensor x, Weight gain, float epsilon, Tensor y)
    {
        Require(x.RowCount == y.RowCount && x.ColumnCount == y.ColumnCount, "RmsNorm: x and y have one shape");
        Require(x.ColumnCount % gain.ColumnCount == 0, "RmsNorm: columns are a multiple of the gain's length");
        if (!StandsForOps) RmsNormCore(x, gain, epsilon, y);
    }

    /// <summary>y = x·wᵀ + b. x [T, K], w [N, K], y [T, N].</summary>
    public void Linear(Tensor x, Weight weight, Tensor y)
    {
        RequireSeveral(x, [weight], [y]);
        if (!StandsForOps) LinearCore(x, weight, y);
    }

    /// <summary>Several linear layers of one input: ys[i] = x·weights[i]ᵀ + b. A token's q, k and v take one launch on a GPU instead of
    /// three that do not fill it (docs/performance-gpu.md). The ys lie apart from x and each other.</summary>
    public void Linear(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        RequireSeveral(x, weights, ys);
        if (!StandsForOps) LinearCore(x, weights, ys);
    }

    /// <summary>Rotary position embedding of half-split pairs, in place: of each head's D channels the first
    /// <see cref="RopeTable.TurnedChannels"/>. x [T, G·D].</summary>
    public void Rope(Step step, Tensor x, RopeTable table)
    {
        RequireRope(step, x, x, table);
        if (!StandsForOps) RopeCore(step, x, table);
    }

    /// <summary>The same for a step's q [T, Nq·D] and k [T, Nkv·D].</summary>
    public void Rope(Step step, Tensor q, Tensor k, RopeTable table)
    {
        RequireRope(step, q, k, table);
        if (!StandsForOps) RopeCore(step, q, k, table);
    }

    /// <summary>
    /// Appends k and v to the step's caches, then causal grouped attention over them: y = softmax(s·q·kᵀ)·v, s the geometry's
    /// <see cref="KvGeometry.ScoreScale"/>, with every key and value, the step's own included, read from its packed form. q, y [T, Nq·D];
    /// k, v [T, Nkv·D]. y may be q; k and v may be overwritten.
    /// </summary>
    public void Attention(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        RequireAttention(step, q, k, v, y);
        AttentionCore(step, layer, q, k, v, y);
    }

    /// <summary>
    /// <see cref="Rope(Step, Tensor, Tensor, RopeTable)"/> of q and k, then <see cref="Attention"/>; q, k and v may be overwritten.
    /// Saves a token's launch a layer.
    /// </summary>
    public void RopeAttention(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y, RopeTable table)
    {
        RequireRope(step, q, k, table);
        RequireAttention(step, q, k, v, y);
        RopeAttentionCore(step, layer, q, k, v, y, table);
    }

    /// <summary>gate = silu(gate)·up. Both [T, F].</summary>
    public void SiluMul(Tensor gate, Tensor up)
    {
        Require(gate.RowCount == up.RowCount && gate.ColumnCount == up.ColumnCount, "SiluMul: one shape");
        if (!StandsForOps) SiluMulCore(gate, up);
    }

    /// <summary>x += y. Both [T, H]; x f32.</summary>
    public void Add(Tensor x, Tensor y)
    {
        Require(x.RowCount == y.RowCount && x.ColumnCount == y.ColumnCount, "Add: one shape");
        if (!StandsForOps) AddCore(x, y);
    }

    /// <summary>
    /// The start of a block: h = x / rms(x) · gain, then ys[i] = h·weights[i]ᵀ + b. x and h [T, K], gain [K]; h is the backend's to use;
    /// what it holds afterwards is not said. A token's norm costs a GPU a launch of one block, 5 µs, unless the products take it in
    /// (docs/performance-gpu.md).
    /// </summary>
    public void NormLinear(Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        RequireNorm(x, gain, h);
        RequireSeveral(x, weights, ys);
        if (!StandsForOps) NormLinearCore(x, gain, epsilon, h, weights, ys);
    }

    /// <summary>
    /// The start of a feed-forward block: h as of <see cref="NormLinear"/>, then g = silu(h·gateᵀ + b)·(h·upᵀ + b). g and u [T, F]; u is
    /// the backend's to use. Saves a token's launch of silu.
    /// </summary>
    public void NormGated(Tensor x, Weight gain, float epsilon, Tensor h, Weight gate, Weight up, Tensor g, Tensor u)
    {
        RequireNorm(x, gain, h);
        RequireSeveral(x, [gate, up], [g, u]);
        Require(g.ColumnCount == u.ColumnCount, "NormGated: gate and up have one shape");
        if (!StandsForOps) NormGatedCore(x, gain, epsilon, h, gate, up, g, u);
    }

    /// <summary>The end of a block: sum += x·wᵀ + b. x [T, K], sum [T, N] f32; y [T, N] is for the backend to use, apart from both.
    /// Saves a launch a block and y's way through memory. Where a norm of sum with the gains `next` comes next, y its h
    /// (<see cref="NormLinear"/>, <see cref="NormGated"/>), a backend may prepare y for it, which saves that launch.</summary>
    public void LinearAdd(Tensor x, Weight weight, Tensor y, Tensor sum, Weight? next = null)
    {
        RequireSeveral(x, [weight], [y]);
        Require(sum.RowCount == y.RowCount && sum.ColumnCount == y.ColumnCount && sum.Type == DType.F32, "LinearAdd: sum is [T, N], f32");
        Require(next is null || next.ColumnCount == sum.ColumnCount, "a gain for each column");
        if (!StandsForOps) LinearAddCore(x, weight, y, sum, next);
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>See <see cref="CreateCache"/>.</summary>
    protected abstract KvCache CreateCacheCore(KvGeometry geometry, KvSpec spec, int capacity);

    /// <summary>See <see cref="Best"/>.</summary>
    protected virtual void BestCore(Tensor x, Span<int> columns)
    {
        var values = ArrayPool<float>.Shared.Rent(x.ColumnCount);
        for (var row = 0; row < columns.Length; row++)
        {
            var own = values.AsSpan(0, x.ColumnCount);
            Read(x.Rows(row, 1), own);
            columns[row] = BestOf(own);
        }
        ArrayPool<float>.Shared.Return(values);
    }

    /// <summary>See <see cref="Best"/>: of one row.</summary>
    protected static int BestOf(ReadOnlySpan<float> row)
    {
        var best = TensorPrimitives.IndexOfMax(row);
        return float.IsFinite(row[best]) ? best : -1;
    }

    /// <summary>Prepares a step whose rows are reserved, for example by uploading its ids.</summary>
    protected virtual void BeginCore(Step step) { }

    /// <summary>See <see cref="Run"/>.</summary>
    protected virtual void RunCore(Step step, (object Weights, object Tensors) owners, Action ops) => ops();

    /// <summary>See <see cref="Embed"/>.</summary>
    protected abstract void EmbedCore(Step step, Weight embedding, Tensor x, float scale);

    /// <summary>See <see cref="RmsNorm"/>.</summary>
    protected abstract void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y);

    /// <summary>See <see cref="Linear(Tensor, Weight, Tensor)"/>.</summary>
    protected abstract void LinearCore(Tensor x, Weight weight, Tensor y);

    /// <summary>See <see cref="Linear(Tensor, ReadOnlySpan{Weight}, ReadOnlySpan{Tensor})"/>.</summary>
    protected virtual void LinearCore(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        for (var i = 0; i < ys.Length; i++) LinearCore(x, weights[i], ys[i]);
    }

    /// <summary>See <see cref="Rope(Step, Tensor, RopeTable)"/>.</summary>
    protected abstract void RopeCore(Step step, Tensor x, RopeTable table);

    /// <summary>See <see cref="Rope(Step, Tensor, Tensor, RopeTable)"/>.</summary>
    protected virtual void RopeCore(Step step, Tensor q, Tensor k, RopeTable table)
    {
        RopeCore(step, q, table);
        RopeCore(step, k, table);
    }

    /// <summary>See <see cref="Attention"/>.</summary>
    protected abstract void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y);

    /// <summary>See <see cref="RopeAttention"/>.</summary>
    protected virtual void RopeAttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y, RopeTable table)
    {
        RopeCore(step, q, k, table);
        AttentionCore(step, layer, q, k, v, y);
    }

    /// <summary>See <see cref="SiluMul"/>.</summary>
    protected abstract void SiluMulCore(Tensor gate, Tensor up);

    /// <summary>See <see cref="Add"/>.</summary>
    protected abstract void AddCore(Tensor x, Tensor y);

    /// <summary>See <see cref="NormLinear"/>.</summary>
    protected virtual void NormLinearCore(
        Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        RmsNormCore(x, gain, epsilon, h);
        LinearCore(h, weights, ys);
    }

    /// <summary>See <see cref="NormGated"/>.</summary>
    protected virtual void NormGatedCore(Tensor x, Weight gain, float epsilon, Tensor h, Weight gate, Weight up, Tensor g, Tensor u)
    {
        NormLinearCore(x, gain, epsilon, h, [gate, up], [g, u]);
        SiluMulCore(g, u);
    }

    /// <summary>See <see cref="LinearAdd"/>.</summary>
    protected virtual void LinearAddCore(Tensor x, Weight weight, Tensor y, Tensor sum, Weight? next)
    {
        LinearCore(x, weight, y);
        AddCore(sum, y);
    }
}

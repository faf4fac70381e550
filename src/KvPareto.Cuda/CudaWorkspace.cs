using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Scratch of attention for one run, and the description of the step at hand: ids, positions, starts, the caches'
/// layers.</summary>
internal sealed unsafe class CudaWorkspace : Workspace
{
    /// <summary>Blocks that find the range of an append (axis tensor).</summary>
    public const int RangeBlocks = 64;

    private readonly CudaContext _context;
    private readonly CudaBuffer _memory;
    private readonly bool _isOwner;
    private readonly Sizes _sizes;
    private readonly int[] _description;
    private KvCache[] _caches = [];
    private int _serial;

    public CudaWorkspace(CudaContext context, MemoryLedger ledger, WorkspaceShape shape) : base(shape)
    {
        (_context, _sizes) = (context, new Sizes(shape));
        _memory = new CudaBuffer(context, ledger, MemoryCategory.Workspace, _sizes.Bytes);
        (_description, Ids, _isOwner) = (new int[DescriptionInts(shape.MaxTokens, shape.MaxSequences)], _memory.Address, true);
        context.Clear(Partials, _sizes.ScoresAt - _sizes.PartialsAt);
    }

    /// <summary>For a step beside those of another workspace, with a description of its own.</summary>
    public CudaWorkspace(CudaWorkspace other, nint description, int maxTokens) : base(other.Shape with { MaxTokens = maxTokens })
    {
        (_context, _sizes, _memory, Ids) = (other._context, other._sizes, other._memory, description);
        _description = new int[DescriptionInts(Shape.MaxTokens, Shape.MaxSequences)];
    }

    /// <summary>Token ids [T].</summary>
    public nint Ids { get; }

    /// <summary>Positions [T].</summary>
    public nint Positions => Ids + Shape.MaxTokens * sizeof(int);

    /// <summary>First new token of each sequence [S].</summary>
    public nint Starts => Positions + Shape.MaxTokens * sizeof(int);

    /// <summary>Number of the step.</summary>
    public nint Serial => Starts + Shape.MaxSequences * sizeof(int);

    /// <summary>Layers of each sequence's cache [S, layers].</summary>
    public nint Caches => _memory.Address + (nint)_sizes.CachesAt;

    /// <summary>Ranges of the parts of an append [2·S, <see cref="RangeBlocks"/>].</summary>
    public nint Ranges => _memory.Address + (nint)_sizes.RangesAt;

    /// <summary>Results of the parts of a context [T, Nq, parts, D + 2].</summary>
    public nint Partials => _memory.Address + (nint)_sizes.PartialsAt;

    /// <summary>The math kernel's scores [Nq, MaxTokens, <see cref="ScoreStride"/>].</summary>
    public nint Scores => _memory.Address + (nint)_sizes.ScoresAt;

    /// <summary>From one row of scores to the next.</summary>
    public int ScoreStride => _sizes.ScoreStride;

    /// <summary>Bytes of a workspace of this shape.</summary>
    public static long PredictByteCount(WorkspaceShape shape) => new Sizes(shape).Bytes;

    /// <summary>Whether attention of a step of so many tokens of one sequence has room for what it writes.</summary>
    public bool Takes(int tokens, bool preBias) => Shape.Kernel == AttentionKernel.Flash
        && new AttentionPlan(Shape.Geometry, preBias, 1, tokens).PartialBytes(Shape.Capacity) <= _sizes.ScoresAt - _sizes.PartialsAt;

    /// <summary>Takes in a step.</summary>
    public void Begin(Step step)
    {
        step.Ids.CopyTo(_description, 0);
        step.Positions.CopyTo(_description, Shape.MaxTokens);
        step.Starts.CopyTo(_description, 2 * Shape.MaxTokens);
        _description[^1] = ++_serial;
        fixed (int* description = _description) _context.Upload(Ids, description, _description.Length * sizeof(int));
        if (_caches.AsSpan().SequenceEqual(step.Caches)) return;
        _caches = step.Caches;
        var layers = _caches.OfType<CudaKvCache>().SelectMany(cache => cache.Layers).ToArray(); // others attend to others' caches
        fixed (LayerCache* data = layers) _context.Upload(Caches, data, (long)layers.Length * sizeof(LayerCache));
    }

    public override void Dispose()
    {
        if (_isOwner) _memory.Dispose();
    }

    private readonly struct Sizes
    {
        public Sizes(WorkspaceShape shape)
        {
            var (g, sequences) = (shape.Geometry, shape.MaxSequences);
            CachesAt = SideLayout.Align(DescriptionInts(shape.MaxTokens, shape.MaxSequences) * sizeof(int));
            RangesAt = CachesAt + (long)sequences * g.LayerCount * Marshal.SizeOf<LayerCache>();
            PartialsAt = SideLayout.Align(RangesAt + 2L * sequences * RangeBlocks * 2 * sizeof(float));
            ScoresAt = SideLayout.Align(PartialsAt + PartialBytes(shape));
            ScoreStride = (shape.Capacity + 31) / 32 * 32;
            Bytes = ScoresAt
                + (shape.Kernel == AttentionKernel.Math ? (long)g.QueryHeads * shape.MaxTokens * ScoreStride * sizeof(float) : 0);
        }

        // What any step up to the largest needs: a smaller one has fewer blocks of rows, and hence more parts.
        private static long PartialBytes(WorkspaceShape shape)
        {
            var most = new AttentionPlan(shape.Geometry, preBias: false, shape.MaxSequences, 1).PartialBytes(shape.Capacity);
            for (var tokens = 2; tokens <= shape.MaxTokens; tokens++)
            {
                var plan = new AttentionPlan(shape.Geometry, preBias: false, 1, tokens);
                if (plan.FillsDevice) break;
                most = Math.Max(most, plan.PartialBytes(shape.Capacity));
            }
            return most;
        }

        public long CachesAt { get; }

        public long RangesAt { get; }

        public long PartialsAt { get; }

        public long ScoresAt { get; }

        public int ScoreStride { get; }

        public long Bytes { get; }
    }
}

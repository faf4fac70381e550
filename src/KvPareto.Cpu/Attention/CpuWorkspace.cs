using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Attention;

/// <summary>Scratch of attention and rotary embedding for one run.</summary>
internal sealed unsafe class CpuWorkspace : Workspace
{
    /// <summary>Tokens of one step of prefill attention; the width of a micro-kernel's panel.</summary>
    public const int BlockTokens = MicroKernel.Columns;

    /// <summary>Tokens of the context that one item of decode attention covers. Fixed, so that sums do not depend on the number of
    /// workers.</summary>
    public const int SplitTokens = 256;

    private const int LargestQueryRows = 192;

    private readonly NativeBuffer _memory;
    private readonly Sizes _sizes;
    private Step? _ropeStep;
    private RopeTable? _ropeTable;

    public CpuWorkspace(MemoryLedger ledger, WorkspaceShape shape, int workers) : base(shape)
    {
        _sizes = new Sizes(shape, workers);
        _memory = new NativeBuffer(ledger, MemoryCategory.Workspace, _sizes.Floats * sizeof(float));
    }

    /// <summary>Query heads that share a key head.</summary>
    public int GroupSize => _sizes.GroupSize;

    /// <summary>Query tokens of one item of prefill attention.</summary>
    public int QueryBlock => _sizes.QueryBlock;

    /// <summary>D rounded up to whole panels.</summary>
    public int PaddedHeadDim => _sizes.PaddedHeadDim;

    /// <summary>Splits of the longest context.</summary>
    public int Splits => _sizes.Splits;

    /// <summary>Floats of one split's result: output, maximum and sum of each query head.</summary>
    public int PartialFloats => _sizes.PartialFloats;

    /// <summary>From one row of materialised scores to the next (<see cref="AttentionKernel.Math"/>).</summary>
    public int ScoreStride => _sizes.ScoreStride;

    /// <summary>Bytes that <paramref name="workers"/> workers take for a run of this shape.</summary>
    public static long PredictByteCount(WorkspaceShape shape, int workers) => new Sizes(shape, workers).Floats * sizeof(float);

    /// <summary>Scratch of one worker.</summary>
    public float* Worker(int worker) => _memory.As<float>() + (long)worker * _sizes.FloatsPerWorker;

    /// <summary>Results of the splits of one sequence and key head.</summary>
    public float* Partials(int sequence, int head) =>
        _memory.As<float>() + _sizes.PartialsAt + ((long)sequence * Shape.Geometry.KvHeads + head) * Splits * PartialFloats;

    /// <summary>Scores of one query head, [MaxTokens, <see cref="ScoreStride"/>].</summary>
    public float* Scores(int queryHead) => _memory.As<float>() + _sizes.ScoresAt + (long)queryHead * Shape.MaxTokens * ScoreStride;

    /// <summary>Cosines and sines of the step's positions, [T, 2, pairs].</summary>
    public float* Rope(Step step, RopeTable table)
    {
        var turns = _memory.As<float>() + _sizes.RopeAt;
        if (_ropeStep == step && _ropeTable == table) return turns;
        table.Turns(step.Positions, new Span<float>(turns, step.Count * table.TurnedChannels));
        (_ropeStep, _ropeTable) = (step, table);
        return turns;
    }

    public override void Dispose() => _memory.Dispose();

    /// <summary>
    /// Where the parts lie, in floats: [workers, scratch], [sequences, key heads, splits, partials], cosines and sines [T, D], and the
    /// scores of <see cref="AttentionKernel.Math"/>.
    /// </summary>
    private readonly struct Sizes
    {
        public Sizes(WorkspaceShape shape, int workers)
        {
            var g = shape.Geometry;
            GroupSize = g.QueryHeads / g.KvHeads;
            QueryBlock = Math.Min(shape.MaxTokens, Math.Max(1, LargestQueryRows / GroupSize));
            PaddedHeadDim = Round(g.HeadDim, BlockTokens);
            FloatsPerWorker = Round(CpuAttention.WorkerFloats(QueryBlock, GroupSize, g.HeadDim, PaddedHeadDim, shape.MaxTokens > 1), 16);
            PartialsAt = (long)FloatsPerWorker * workers;
            Splits = (shape.Capacity - 1) / SplitTokens + 2;
            PartialFloats = Round(GroupSize * (g.HeadDim + 2), 16);
            RopeAt = PartialsAt + (long)shape.MaxSequences * g.KvHeads * Splits * PartialFloats;
            ScoresAt = RopeAt + ((long)shape.MaxTokens * g.HeadDim + 15) / 16 * 16;
            ScoreStride = Round(shape.Capacity + BlockTokens, BlockTokens);
            Floats = ScoresAt + (shape.Kernel == AttentionKernel.Math ? (long)g.QueryHeads * shape.MaxTokens * ScoreStride : 0);
        }

        public int GroupSize { get; }

        public int QueryBlock { get; }

        public int PaddedHeadDim { get; }

        public int FloatsPerWorker { get; }

        public long PartialsAt { get; }

        public int Splits { get; }

        public int PartialFloats { get; }

        public long RopeAt { get; }

        public long ScoresAt { get; }

        public int ScoreStride { get; }

        public long Floats { get; }

        private static int Round(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
    }
}

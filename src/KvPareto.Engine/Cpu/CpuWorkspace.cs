using KvPareto.Engine.Model;

namespace KvPareto.Engine.Cpu;

/// <summary>Scratch of attention and rotary embedding for one run.</summary>
internal sealed unsafe class CpuWorkspace : Workspace
{
    /// <summary>Tokens of one step of prefill attention; the width of a micro-kernel's panel.</summary>
    public const int BlockTokens = 64;

    /// <summary>Tokens of the context that one item of decode attention covers. Fixed, so that sums do not depend on the number of workers.</summary>
    public const int SplitTokens = 256;

    private const int LargestQueryRows = 192;

    private readonly NativeBuffer _memory;
    private readonly int _floatsPerWorker;
    private readonly long _partialsAt;
    private readonly long _ropeAt;
    private readonly long _scoresAt;
    private Step? _ropeStep;
    private RopeTable? _ropeTable;

    public CpuWorkspace(MemoryLedger ledger, WorkspaceShape shape, int workers) : base(shape)
    {
        var g = shape.Geometry;
        GroupSize = g.QueryHeads / g.KvHeads;
        QueryBlock = Math.Min(shape.MaxTokens, Math.Max(1, LargestQueryRows / GroupSize));
        PaddedHeadDim = Round(g.HeadDim, BlockTokens);
        _floatsPerWorker = Round(CpuAttention.WorkerFloats(QueryBlock, GroupSize, g.HeadDim, PaddedHeadDim, shape.MaxTokens > 1), 16);
        _partialsAt = (long)_floatsPerWorker * workers;
        Splits = (shape.Capacity + SplitTokens - 1) / SplitTokens + 1;
        PartialFloats = Round(GroupSize * (g.HeadDim + 2), 16);
        _ropeAt = _partialsAt + (long)shape.MaxSequences * g.KvHeads * Splits * PartialFloats;
        _scoresAt = _ropeAt + Round(shape.MaxTokens * g.HeadDim, 16);
        ScoreStride = Round(shape.Capacity + BlockTokens, BlockTokens);
        var scores = shape.Kernel == AttentionKernel.Math ? (long)g.QueryHeads * shape.MaxTokens * ScoreStride : 0;
        _memory = new NativeBuffer(ledger, MemoryCategory.Workspace, (_scoresAt + scores) * sizeof(float));
    }

    /// <summary>Query heads that share a key head.</summary>
    public int GroupSize { get; }

    /// <summary>Query tokens of one item of prefill attention.</summary>
    public int QueryBlock { get; }

    /// <summary>D rounded up to whole panels.</summary>
    public int PaddedHeadDim { get; }

    /// <summary>Splits of the longest context.</summary>
    public int Splits { get; }

    /// <summary>Floats of one split's result: output, maximum and sum of each query head.</summary>
    public int PartialFloats { get; }

    /// <summary>From one row of materialised scores to the next (<see cref="AttentionKernel.Math"/>).</summary>
    public int ScoreStride { get; }

    /// <summary>Scratch of one worker.</summary>
    public float* Worker(int worker) => _memory.As<float>() + (long)worker * _floatsPerWorker;

    /// <summary>Results of the splits of one sequence and key head.</summary>
    public float* Partials(int sequence, int head) => _memory.As<float>() + _partialsAt + ((long)sequence * Shape.Geometry.KvHeads + head) * Splits * PartialFloats;

    /// <summary>Scores of one query head, [MaxTokens, <see cref="ScoreStride"/>].</summary>
    public float* Scores(int queryHead) => _memory.As<float>() + _scoresAt + (long)queryHead * Shape.MaxTokens * ScoreStride;

    /// <summary>Cosines and sines of the step's positions, [T, 2, D/2].</summary>
    public float* Rope(Step step, RopeTable table)
    {
        var half = table.HeadDim / 2;
        var turns = _memory.As<float>() + _ropeAt;
        if (_ropeStep == step && _ropeTable == table) return turns;
        for (var t = 0; t < step.Count; t++)
        {
            for (var i = 0; i < half; i++)
            {
                // The angle in f32, as the reference has it; its sine and cosine beyond that.
                var (s, c) = Math.SinCos(step.Positions[t] * table.InverseFrequencies[i]);
                turns[2 * t * half + i] = (float)c * table.AttentionScale;
                turns[(2 * t + 1) * half + i] = (float)s * table.AttentionScale;
            }
        }
        (_ropeStep, _ropeTable) = (step, table);
        return turns;
    }

    public override void Dispose() => _memory.Dispose();

    private static int Round(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}

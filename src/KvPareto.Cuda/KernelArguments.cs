using KvPareto.Engine.Cache;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>A tensor as kernels take it (common.cuh, Matrix).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Matrix(nint data, DType type, int stride)
{
    public readonly nint Data = data;
    public readonly int Type = (int)type;
    public readonly int Stride = stride;

    public static implicit operator Matrix(Tensor x) => new(x.Address, x.Type, x.RowStride);
}

/// <summary>A weight as kernels take it (weights.cuh, WeightRows).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WeightRows
{
    public nint Data;
    public nint Groups;
    public int Kind;
    public int Columns;
    public int Group;
    public int Rows;
}

[StructLayout(LayoutKind.Sequential)]
internal struct EmbedArguments
{
    public WeightRows Table;
    public nint Ids;
    public Matrix X;
    public float Scale;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NormArguments
{
    public Matrix X;
    public Matrix Y;
    public nint Gain;
    public int Width;
    public float Epsilon;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RopeArguments
{
    public const int MostPairs = 128;

    public Matrix Q;
    public Matrix K;
    public nint Positions;
    public int QueryHeads;
    public int KeyHeads;
    public int Half;
    public int Width;
    public float Scale;
    public fixed float Frequencies[MostPairs];
}

[StructLayout(LayoutKind.Sequential)]
internal struct PairArguments
{
    public Matrix X;
    public Matrix Y;
    public int Columns;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BestArguments
{
    public Matrix X;
    public int Columns;
    public int Rows;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BiasArguments
{
    public Matrix X;
    public nint Bias;
    public int Columns;
}

/// <summary>One weight of those that a launch multiplies the same input with (stream.cuh).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearPart
{
    public WeightRows Weight;
    public Matrix Y;
    public nint Bias;
    public int Outputs;
    public int EndTile;
}

[InlineArray(Count)]
internal struct LinearParts
{
    public const int Count = 3;

    private LinearPart _first;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LinearArguments
{
    public Matrix X;
    public LinearParts Parts;
    public nint Gain;
    public float Epsilon;
    public int Rows;
    public int Mode;
    public int Tiles;
    public int Batch;
    public int Chunks;
    public nint Prepared;
}

/// <summary>An append whose keys, and the queries, are turned before (cache.cu).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TurnArguments
{
    public const int MostPairs = 64;

    public AppendArguments Append;
    public Matrix Q;
    public nint Positions;
    public int QueryHeads;
    public float Scale;
    public fixed float Frequencies[MostPairs];
}

/// <summary>One weight, or a gated pair, of those that a launch multiplies many rows with (linear_many.cu).</summary>
[StructLayout(LayoutKind.Sequential, Size = 192)]
internal struct ManyPart
{
    public TensorMap Weight;
    public nint FirstGroups;
    public nint SecondGroups;
    public nint FirstBias;
    public nint SecondBias;
    public Matrix Y;
    public int Outputs;
    public int EndTile;
}

[InlineArray(Count)]
internal struct ManyParts
{
    public const int Count = 3;

    private ManyPart _first;
}

[StructLayout(LayoutKind.Sequential, Size = 1472)]
internal struct ManyArguments
{
    public TensorMap Inputs;
    public ManyParts Parts;
    public nint Partials;
    public int Rows;
    public int Steps;
    public int Mode;
    public int GateHalf;
    public int TokenTiles;
    public int GroupUnits;
    public int LastGroup;
    public int Shares;
    public nint Gain;
    public nint Squares;
    public Matrix Normed;
    public float Epsilon;
    public int IsNormed;
    public int Columns;
    public int Reserved;
    public ManyBegins Begins;
}

[StructLayout(LayoutKind.Sequential)]
internal struct UnpackArguments
{
    public WeightRows Weight;
    public nint Target;
    public int FirstRow;
    public int Reserved;
}

/// <summary>The keys or values of a layer as kernels take them (common.cuh, Side, tells every field).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Side
{
    public nint Codes;
    public nint Groups;
    public nint Ring;
    public nint Sinks;
    public long HeadCodes;
    public long HeadGroups;
    public int Bits;
    public int RowBytes;
    public int Axis;
    public int GroupTokens;
    public int GroupsPerTokenBlock;
    public int GroupChannels;
    public int Granule;
    public int SinkTokens;
    public int RecentTokens;
    public int RingTokens;
    public int CodedTokens;
    public int Reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LayerCache
{
    public Side Keys;
    public Side Values;
    public nint Means;
    public nint Bias;
    public nint Turns;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AppendArguments
{
    public Matrix Keys;
    public Matrix Values;
    public nint Caches;
    public nint Starts;
    public nint Ranges;
    public int Layer;
    public int Rows;
    public int Sequences;
    public int Width;
    public int Heads;
    public int Rotation;
    public GroupFit Fit;
    public int RangeBlocks;
    public int Layers;
    public int ByToken;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionArguments
{
    public Matrix Q;
    public Matrix Y;
    public nint Caches;
    public nint Starts;
    public nint Partials;
    public nint Scores;
    public int Layer;
    public int Rows;
    public int Sequences;
    public int QueryHeads;
    public int KeyHeads;
    public int Window;
    public int Rotation;
    public int Splits;
    public int SplitTokens;
    public int Parts;
    public int MaxTokens;
    public int ScoreStride;
    public int Layers;
    public float ScoreScale;
    public int From;
    public int To;
    public int Carries;
    public int IsUnpacked;
}

/// <summary>A token's attention, and what comes before and after where a launch does that too (decode.cu).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TokenArguments
{
    public AttentionArguments Attention;
    public TurnArguments Turn;
    public int Turns;
    public int Merges;
    public nint Serial;
}

[StructLayout(LayoutKind.Sequential)]
internal struct StretchArguments
{
    public nint Source;
    public nint Target;
    public nint Keys;
    public nint Values;
    public int From;
    public int To;
    public int Length;
    public int Reserved;
}

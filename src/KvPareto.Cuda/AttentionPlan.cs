using KvPareto.Engine.Cache;

namespace KvPareto.Cuda;

/// <summary>
/// How attention of a step is cut into blocks (attention.cuh): blocks of query rows, and where these are too few to fill a device, parts of
/// the context. From shapes alone, and the same on every device, so that results and memory are.
/// </summary>
/// <param name="geometry">Heads and their width.</param>
/// <param name="preBias">Keys are coded without their bias.</param>
/// <param name="sequences">S.</param>
/// <param name="tokens">New tokens of a sequence.</param>
/// <param name="isMath">The math kernel, whose scores are those of the whole context.</param>
internal readonly struct AttentionPlan(KvGeometry geometry, bool preBias, int sequences, int tokens, bool isMath = false)
{
    /// <summary>Most heads that share a key head where one token's attention reads codes directly (decode.cu, HEADS).</summary>
    public const int DirectHeads = 8;

    private const int Warps = 4;
    private const int FewRows = 16;
    private const int ManyRows = 64;
    private const int MostRows = 128;
    private const int Pad = 8;
    private const int TargetBlocks = 400;
    private const int LeastTokens = 512; // of a part, where there are several tokens
    private const int PartStep = 128;    // tokens (attention.cuh, part_tokens)
    private const int Stages = 2;        // tiles of keys and of values (prefill.cu)
    private const int TileTokens = 128;
    private const int SlabBytes = TileTokens * 128; // 64 channels of a tile

    // Of a device with 132 multiprocessors: blocks of 128 rows at a time, and those of a single token.
    private const int MostRowBlocks = 132;
    private const int SingleBlocks = 3 * 132;

    /// <summary>New tokens of a sequence.</summary>
    public int Tokens => tokens;

    /// <summary>Whether the math kernel does it.</summary>
    public bool IsMath => isMath;

    /// <summary>Whether each sequence has one new token.</summary>
    public bool IsSingle => tokens == 1 && !isMath;

    /// <summary>Whether a block has 16 rows, and each of its warps keys of its own; else it has 64.</summary>
    public bool IsFew => Rows <= FewRows && !isMath;

    /// <summary>Blocks of query rows.</summary>
    public int RowBlocks => (Rows + BlockRows - 1) / BlockRows;

    /// <summary>Blocks of 128 query rows.</summary>
    public int LargeRowBlocks => (Rows + MostRows - 1) / MostRows;

    /// <summary>Whether blocks of query rows alone are enough, and more tokens then too.</summary>
    public bool FillsDevice => !IsFew && 2 * LargeBlocks > MostRowBlocks;

    /// <summary>Channels of a key's row.</summary>
    public int Width => preBias ? 2 * geometry.HeadDim : geometry.HeadDim;

    /// <summary>Keys of a tile in blocks of 16 rows; fewer where rows are wide, for shared memory's sake.</summary>
    public int FewTile => Width > 128 ? 16 : 32;

    /// <summary>Keys of a tile in blocks of 64 rows.</summary>
    public int ManyTile => geometry.HeadDim > 128 ? 32 : 64;

    /// <summary>Shared memory of a block: queries, and the tiles, for which at other times f32 rows stand in.</summary>
    public int SharedBytes
    {
        get
        {
            var d = geometry.HeadDim;
            var (tile, teams) = IsFew ? (FewTile, Warps) : (ManyTile, 1);
            var tiles = teams * tile * (Width + d + 2 * Pad) * sizeof(ushort);
            return BlockRows * (Width + Pad) * sizeof(ushort)
                + Math.Max(tiles, Math.Max(BlockRows * Width, teams * BlockRows * d) * sizeof(float));
        }
    }

    /// <summary>Shared memory of a block of 128 rows (prefill.cu): queries and tiles, and what aligns them.</summary>
    public int LargeSharedBytes => (1 + 2 * Stages) * (geometry.HeadDim / 64) * SlabBytes + 1024;

    /// <summary>Shared memory of the largest block that a cache asks for on every device, in attention or in coding a granule of
    /// tokens.</summary>
    public static int MostSharedBytes(KvGeometry geometry, KvSpec spec)
    {
        var group = geometry.QueryHeads / geometry.KvHeads;
        var attention = Math.Max(
            new AttentionPlan(geometry, spec.PreBiasKeys, 1, 1)
                .SharedBytes, new AttentionPlan(geometry, spec.PreBiasKeys, 1, ManyRows / group + 1).SharedBytes);
        var granule =
            Math.Max(new SidePlan(spec, spec.Keys, geometry.HeadDim, 1).Granule, new SidePlan(spec, spec.Values, geometry.HeadDim, 1)
            .Granule);
        return Math.Max(attention, granule * geometry.HeadDim * sizeof(float));
    }

    /// <summary>Most parts of a context for a single token of each sequence, whatever else is in the batch; 0 for more tokens.</summary>
    /// <param name="keepsRows">There are tokens beside the coded ones, which take a block of each key head: one that began when the others
    /// have ended would double the time.</param>
    public int SingleParts(bool keepsRows) => IsSingle ? Math.Max(1, SingleBlocks / geometry.KvHeads - (keepsRows ? 1 : 0)) : 0;

    private int Rows => tokens * (geometry.QueryHeads / geometry.KvHeads);

    private int Blocks => RowBlocks * geometry.KvHeads * sequences;

    private int LargeBlocks => LargeRowBlocks * geometry.KvHeads * sequences;

    private int BlockRows => IsFew ? FewRows : ManyRows;

    /// <summary>
    /// Room for the parts of a context of so many tokens, and the tokens of one. For a single token the kernels find the latter themselves,
    /// and the last two parts are for tokens beside the coded ones and for the new one.
    /// </summary>
    public (int Count, int Tokens) Splits(int length)
    {
        var most = MostSplits(length);
        if (IsSingle) return (most, 0);
        if (most == 1) return (1, int.MaxValue);
        var part = ((length + most - 1) / most + PartStep - 1) / PartStep * PartStep;
        return ((length + part - 1) / part, part);
    }

    /// <summary>Bytes of the parts' results, [sequences · tokens, Nq, parts, D + 2] f32, for a single token each with a tag (parts.cuh), at
    /// the most for a context of up to so many tokens.</summary>
    public long PartialBytes(int capacity)
    {
        var parts = MostSplits(capacity);
        var numbers = (long)sequences * tokens * geometry.QueryHeads * parts * (geometry.HeadDim + 2);
        return parts == 1 ? 0 : numbers * (IsSingle ? sizeof(ulong) : sizeof(float));
    }

    private int MostSplits(int length)
    {
        if (isMath) return 1;
        if (IsSingle) return Math.Min(SingleParts(keepsRows: false), (length + PartStep - 1) / PartStep) + 2;
        var wanted = IsFew ? TargetBlocks / Blocks : MostRowBlocks / LargeBlocks;
        return Math.Clamp((length + LeastTokens - 1) / LeastTokens, 1, Math.Max(1, wanted));
    }
}

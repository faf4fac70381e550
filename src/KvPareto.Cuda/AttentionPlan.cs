using KvPareto.Engine.Cache;

namespace KvPareto.Cuda;

/// <summary>
/// How attention of a step is cut into blocks (attention.cu): blocks of query rows, and where these are too few to fill a device, parts of
/// the context. From shapes alone, and the same on every device, so that results and memory are.
/// </summary>
/// <param name="geometry">Heads and their width.</param>
/// <param name="preBias">Keys are coded without their bias.</param>
/// <param name="sequences">S.</param>
/// <param name="tokens">New tokens of a sequence.</param>
/// <param name="isMath">The math kernel, whose scores are those of the whole context.</param>
internal readonly struct AttentionPlan(KvGeometry geometry, bool preBias, int sequences, int tokens, bool isMath = false)
{
    /// <summary>Tokens of a part for a single token of each sequence, whatever else is in the batch.</summary>
    public const int SingleTokens = 256;

    private const int Warps = 4;
    private const int FewRows = 16;
    private const int ManyRows = 64;
    private const int Pad = 8;
    private const int TargetBlocks = 400;
    private const int LeastTokens = 512; // of a part, where there are several tokens

    /// <summary>New tokens of a sequence.</summary>
    public int Tokens => tokens;

    /// <summary>Whether a block has 16 rows, and each of its warps keys of its own; else it has 64.</summary>
    public bool IsFew => Rows <= FewRows && !isMath;

    /// <summary>Blocks of query rows.</summary>
    public int RowBlocks => (Rows + BlockRows - 1) / BlockRows;

    /// <summary>Whether blocks of query rows alone are enough, and more tokens then too.</summary>
    public bool FillsDevice => 2 * Blocks > TargetBlocks;

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
            return BlockRows * (Width + Pad) * sizeof(ushort) + Math.Max(tiles, Math.Max(BlockRows * Width, teams * BlockRows * d) * sizeof(float));
        }
    }

    /// <summary>Shared memory of the largest block that a cache asks for, in attention or in coding a granule of tokens.</summary>
    public static int MostSharedBytes(KvGeometry geometry, KvSpec spec)
    {
        var group = geometry.QueryHeads / geometry.KvHeads;
        var attention = Math.Max(
            new AttentionPlan(geometry, spec.PreBiasKeys, 1, 1).SharedBytes, new AttentionPlan(geometry, spec.PreBiasKeys, 1, ManyRows / group + 1).SharedBytes);
        var granule = Math.Max(new SidePlan(spec, spec.Keys, geometry.HeadDim, 1).Granule, new SidePlan(spec, spec.Values, geometry.HeadDim, 1).Granule);
        return Math.Max(attention, granule * geometry.HeadDim * sizeof(float));
    }

    private int Rows => tokens * (geometry.QueryHeads / geometry.KvHeads);

    private int Blocks => RowBlocks * geometry.KvHeads * sequences;

    private int BlockRows => IsFew ? FewRows : ManyRows;

    /// <summary>Parts of a context of so many tokens, and the tokens of one.</summary>
    public (int Count, int Tokens) Splits(int length)
    {
        var most = MostSplits(length);
        if (most == 1) return (1, int.MaxValue);
        var part = tokens == 1 ? SingleTokens : ((length + most - 1) / most + ManyRows - 1) / ManyRows * ManyRows;
        return ((length + part - 1) / part, part);
    }

    /// <summary>Bytes of the parts' results, [sequences · tokens, Nq, parts, D + 2] f32, at the most for a context of up to so many tokens.</summary>
    public long PartialBytes(int capacity)
    {
        var parts = MostSplits(capacity);
        return parts == 1 ? 0 : (long)sequences * tokens * geometry.QueryHeads * parts * (geometry.HeadDim + 2) * sizeof(float);
    }

    private int MostSplits(int length)
    {
        if (isMath) return 1;
        if (tokens == 1) return (length + SingleTokens - 1) / SingleTokens;
        var wanted = FillsDevice ? 1 : TargetBlocks / Blocks;
        return Math.Min(wanted, (length + LeastTokens - 1) / LeastTokens);
    }
}

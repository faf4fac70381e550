namespace KvPareto.Cuda;

/// <summary>A variant of linear_many.cu, which multiplies many rows straight from a weight as it is stored.</summary>
/// <param name="Bits">Of a weight.</param>
/// <param name="Group">Columns of a stage that share a scale; 0 of elements.</param>
/// <param name="Tokens">Rows of a tile.</param>
internal readonly record struct ManyKernel(int Bits, int Group, int Tokens)
{
    /// <summary>The kernel.</summary>
    public const string Function = "linear_many";

    /// <summary>Its source.</summary>
    public const string File = "linear_many.cu";

    /// <summary>Threads of a block.</summary>
    public const int Threads = 384;

    /// <summary>Blocks of a cluster, which share a tile's inputs.</summary>
    public const int Cluster = 2;

    /// <summary>Rows of weights that a block multiplies.</summary>
    public const int BlockRows = 128;

    /// <summary>Columns of a row of inputs in shared memory (SLAB_INNER).</summary>
    public const int SlabColumns = 64;

    private const int MostStages = 8;
    private const int MostTokens = 256;
    private const int StageAlignment = 1024;

    /// <summary>Columns of a stage.</summary>
    public int Inner => Bits == 4 ? 2 * SlabColumns : SlabColumns;

    /// <summary>Bytes of a row of weights in a stage.</summary>
    public int RowBytes => Inner * Bits / 8;

    /// <summary>Bytes of a cluster's sums of a tile.</summary>
    public long PartBytes => (long)Cluster * BlockRows * Tokens * sizeof(float);

    /// <summary>The most of them.</summary>
    public const long MostPartBytes = Cluster * BlockRows * MostTokens * sizeof(float);

    private int StageBytes
    {
        get
        {
            var entries = Group == 0 ? 0 : Inner / Group * BlockRows * sizeof(uint);
            return Tokens * Inner * sizeof(ushort) + BlockRows * RowBytes
                + (entries + StageAlignment - 1) / StageAlignment * StageAlignment;
        }
    }

    /// <summary>The variant for a weight and so many rows, if its shape allows one: rows of whole 16 bytes, outputs in sixteens.</summary>
    public static ManyKernel? Of(CudaWeight weight, int rows)
    {
        var (bits, group) = (weight.Stored, weight.Rows.Group) switch
        {
            (CudaWeight.StoredKind.BF16, _) => (16, 0),
            (CudaWeight.StoredKind.W8, var g) when g % 32 == 0 => (8, g % 64 == 0 ? 64 : 32),
            (CudaWeight.StoredKind.W4, var g) when g % 32 == 0 => (4, g % 128 == 0 ? 128 : g % 64 == 0 ? 64 : 32),
            _ => default,
        };
        if (bits == 0 || weight.RowCount % 16 != 0 || weight.ColumnCount * bits % 128 != 0) return null;
        return new(bits, group, rows > MostTokens / 2 ? MostTokens : MostTokens / 2);
    }

    /// <summary>The variant for tiles of fewer rows.</summary>
    public ManyKernel Narrow => this with { Tokens = MostTokens / 2 };

    /// <summary>The compiler's options on a device whose blocks have so much shared memory.</summary>
    public string[] Options(int device) =>
        [$"-DBITS={Bits}", $"-DGROUP={Group}", $"-DTOKENS={Tokens}", $"-DSTAGES={Stages(device)}"];

    /// <summary>Dynamic shared memory.</summary>
    public int SharedBytes(int device) => Stages(device) * StageBytes + StageAlignment;

    private int Stages(int device) => Math.Min(MostStages, (device - StageAlignment) / StageBytes);
}

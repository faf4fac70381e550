using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>A kernel of linear.cu that multiplies few rows straight from a weight as it is stored, and the shared memory that it
/// takes.</summary>
/// <param name="Name">Named by the bits of a weight; of codes, by the columns of a unit; of bf16, <c>wide</c> takes f32 inputs
/// whole.</param>
/// <param name="Bits">Of a weight.</param>
/// <param name="Unit">Columns of a unit, which of codes have one scale.</param>
/// <param name="IsWide">An input is two bf16 numbers.</param>
/// <param name="IsFar">bf16 inputs, of which shared memory does not hold all rows, come with the weights.</param>
/// <param name="IsMany">More rows than two for codes, whose inputs a launch before has prepared.</param>
/// <param name="Chunks">Of these inputs' columns, one after the other in shared memory.</param>
internal readonly record struct FewKernel(
    string Name, int Bits, int Unit, bool IsWide = false, bool IsFar = false, bool IsMany = false, int Chunks = 1)
{
    /// <summary>Most rows that one pass over a weight treats (stream.cuh, MOST_ROWS).</summary>
    public const int MostRows = 8;

    /// <summary>Threads of a team.</summary>
    public const int Threads = 256;

    /// <summary>The kernels' source.</summary>
    public const string File = "linear.cu";

    private const int Warps = Threads / 32;
    private const int Outputs = 16; // of a tile
    private const int ElementStages = 7;
    private const int MostCodeStages = 5;
    private const int FewestCodeStages = 3; // also of many rows
    private const int SmallSharedBytes = 128 << 10;
    private const int BytesOfInput = 3; // of a whole number that stands for an input (linear_codes.cuh)
    private const int FewestRows = 2; // whose bytes are columns of one product
    private const int ColumnsOfProduct = 8;
    private const int ManyProducts = 3;
    private const int BatchTiles = 4;
    private const int MostChunks = 8;
    private const int ReservedBytes = 1024; // of a block, by the driver
    private const int SharedBytesUnit = 128;

    /// <summary>Blocks that a multiprocessor should have at a time: loads of more than one get in each other's way, but codes must be
    /// worked on.</summary>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int Blocks(int device) => IsCoded && Teams(device) == 1 ? 2 : 1;

    /// <summary>Teams of <see cref="Threads"/> of a block, which have its inputs in common and each tiles of their own.</summary>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int Teams(int device) => IsCoded ? MostTeams(device) : 1;

    private bool IsCoded => Bits < 16;

    /// <summary>The kernel for a weight and inputs that begin at multiples of 16 bytes, if there is one.</summary>
    /// <param name="x">Inputs; f32 or bf16.</param>
    /// <param name="weight">Weight.</param>
    /// <param name="keepsF32">bf16 weights take f32 inputs whole, not as bf16.</param>
    public static FewKernel? Of(Tensor x, CudaWeight weight, bool keepsF32)
    {
        var isAligned = x.Address % 16 == 0 && (x.RowStride * x.Type.ByteSize() % 16 == 0 || x.RowCount == 1) && x.ColumnCount % 32 == 0;
        if (!isAligned || x.Type == DType.F16) return null;
        return (weight.Stored, weight.Rows.Group) switch
        {
            (CudaWeight.StoredKind.BF16, _) => keepsF32 ? new("linear_16_wide", 16, 32, IsWide: true) : new("linear_16", 16, 32),
            (CudaWeight.StoredKind.W8, var g) when g % 64 == 0 => new("linear_8_64", 8, 64),
            (CudaWeight.StoredKind.W8, var g) when g % 32 == 0 => new("linear_8_32", 8, 32),
            (CudaWeight.StoredKind.W4, var g) when g % 128 == 0 => new("linear_4_128", 4, 128),
            (CudaWeight.StoredKind.W4, var g) when g % 64 == 0 => new("linear_4_64", 4, 64),
            (CudaWeight.StoredKind.W4, var g) when g % 32 == 0 => new("linear_4_32", 4, 32),
            _ => null,
        };
    }

    /// <summary>The kernel for so many rows; null where none has room, whether for one row or for more.</summary>
    /// <param name="rows">T.</param>
    /// <param name="columns">K.</param>
    /// <param name="areElements">Inputs are taken as they are, and bf16.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public FewKernel? For(int rows, int columns, bool areElements, int device)
    {
        var most = MostRowsOfPass(columns, device);
        if (rows <= most) return this;
        var many = this with { IsMany = true };
        if (IsCoded) return most > 0 || many.MostRowsOfPass(columns, device) > 0 ? many : null;
        if (areElements && !IsWide && columns / (Unit * Warps) >= ElementStages) return this with { IsFar = true };
        return most > 0 ? this : null;
    }

    /// <summary>Most rows of K columns for which shared memory has room; 0 for none.</summary>
    /// <param name="columns">K.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int MostRowsOfPass(int columns, int device)
    {
        var rows = IsCoded && !IsMany ? FewestRows : MostRows;
        while (rows > 0 && SharedBytes(rows, columns, 1, device) > device) rows--;
        return rows;
    }

    /// <summary>For rows of which there is no room for all: the kernel that takes them at a time, if inputs in chunks make room, all tiles
    /// of a team being of one batch; else one that takes some.</summary>
    /// <param name="rows">T.</param>
    /// <param name="columns">K.</param>
    /// <param name="batch">Tiles of a team, at the most.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public FewKernel InChunks(int rows, int columns, int batch, int device)
    {
        if (!IsMany) return this;
        for (var chunks = 2; chunks <= MostChunks; chunks++)
        {
            var kernel = this with { Chunks = chunks };
            if (columns / Unit / Warps <= (chunks - 1) * kernel.UnitsOfChunk(columns)) break; // a warp would have none in the last
            if (kernel.SharedBytes(rows, columns, batch, device) <= device) return kernel;
        }
        return this with { IsMany = MostRowsOfPass(columns, device) > 0 };
    }

    /// <summary>The function.</summary>
    public string Function => IsMany ? $"{Name}_many" : IsFar ? $"{Name}_far" : Name;

    /// <summary>The one that prepares inputs for it, if it wants any.</summary>
    public string PrepareFunction => $"{Name}_prepare";

    /// <summary>Dynamic shared memory for so many rows of K columns (linear.cu, multiply_few).</summary>
    /// <param name="rows">T.</param>
    /// <param name="columns">K.</param>
    /// <param name="batch">Tiles of a team whose parts are put together at a time.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int SharedBytes(int rows, int columns, int batch, int device)
    {
        var (teams, stage) = (Teams(device), 2 * Words * sizeof(uint) * Threads);
        var sums = teams * (Chunks > 1 ? 1 : 2) * batch * Warps * (IsCoded ? rows * BytesOfInput : rows) * Outputs * sizeof(float);
        if (IsFar) return ElementStages * (stage + 4 * sizeof(uint) * Threads) + sums;
        if (!IsCoded) return ElementStages * stage + sums + (IsWide ? 2 : 1) * rows * (2 * columns + (columns % 64 == 0 ? 64 : 0));
        var stages = IsMany ? FewestCodeStages : CodeStages(device);
        return teams * stages * (stage + 2 * sizeof(uint) * Threads) + sums + InputBytes(rows, columns);
    }

    /// <summary>What a launch before leaves of the rows of a pass: sums of squares, and inputs as shared memory has them (linear_codes.cuh,
    /// take_prepared).</summary>
    /// <param name="columns">K.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int PreparedBytes(int columns, int device) => OwnBytes(device) + Chunks * InputBytes(MostRows, columns);

    private int Words => Unit * Bits / 128;

    // Of a warp, at the most.
    private int UnitsOfChunk(int columns) => ((columns / Unit + Warps - 1) / Warps + Chunks - 1) / Chunks;

    private int InputBytes(int rows, int columns)
    {
        var units = IsMany ? Warps * UnitsOfChunk(columns) : columns / Unit;
        return units * (IsMany ? ManyProducts : 1) * ColumnsOfProduct * 2 * sizeof(float)
            + rows * BytesOfInput * ((units * Unit + 127) / 128 * 128 + (Bits == 4 && Words == 4 ? 16 : 64));
    }

    /// <summary>Shared memory that the kernel has of its own (linear.cu, <c>squares</c>).</summary>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int OwnBytes(int device) => (IsCoded ? MostTeams(device) : 1) * Warps * MostRows * sizeof(float);

    /// <summary>What a block takes of a multiprocessor's shared memory in all.</summary>
    /// <param name="shared">Its dynamic one.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int BlockBytes(int shared, int device) =>
        (shared + OwnBytes(device) + ReservedBytes + SharedBytesUnit - 1) / SharedBytesUnit * SharedBytesUnit;

    /// <summary>Dynamic shared memory with which a multiprocessor takes its share of the blocks and no more, though they come in while some
    /// of them are still at work for the launch before.</summary>
    /// <param name="each">The share.</param>
    /// <param name="multiprocessor">Shared memory of one.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int EvenSharedBytes(int each, int multiprocessor, int device) =>
        multiprocessor / (each + 1) / SharedBytesUnit * SharedBytesUnit + SharedBytesUnit - OwnBytes(device) - ReservedBytes;

    /// <summary>The compiler's options: stages that weights are fetched ahead in, and teams.</summary>
    public static string[] Options(int device) =>
    [
        $"-DELEMENT_STAGES={ElementStages}", $"-DCODE_STAGES={CodeStages(device)}", $"-DMANY_STAGES={FewestCodeStages}",
        $"-DMOST_TEAMS={MostTeams(device)}",
    ];

    /// <summary>Tiles of a batch: fewer where there are many rows, or little shared memory.</summary>
    public int Batch(int rows, int columns, int device) =>
        !IsMany && SharedBytes(rows, columns, BatchTiles, device) <= device ? BatchTiles : 1;

    private static int MostTeams(int device) => device < SmallSharedBytes ? 1 : 2;

    private static int CodeStages(int device) => device < SmallSharedBytes ? FewestCodeStages : MostCodeStages;
}

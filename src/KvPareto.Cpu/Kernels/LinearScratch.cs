using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// What the linear kernels write besides their result: for each worker one unpacked panel, one tile of y for columns that y
/// lacks, and a counter. 112 KiB a worker, whatever the shapes.
/// </summary>
internal sealed unsafe class LinearScratch : IDisposable
{
    /// <summary>Most rows of x that one item of work takes.</summary>
    public const int MaxRows = 192;

    /// <summary>Fewer where codes in groups go through panels: sums of x and scales of a block of channels lie behind their tile.</summary>
    public const int MaxGroupRows = 144;

    /// <summary>Floats of a panel, which hold sums of x where products go straight from strips.</summary>
    public const int PanelFloats = Strip.BlockChannels * MicroKernel.Columns;

    private const int MostGroups = Strip.BlockChannels / CodeFormats.LeastGroup;
    private const int TileFloats = MaxRows * MicroKernel.Columns;
    private const int CounterFloats = 32; // a pair of cache lines
    private const int WorkerFloats = PanelFloats + TileFloats + CounterFloats;

    private readonly NativeBuffer _buffer; // [workers, panel | tile | counter]

    /// <summary>Allocates the scratch of <paramref name="workers"/> workers.</summary>
    public LinearScratch(MemoryLedger ledger, int workers)
    {
        WorkerCount = workers;
        _buffer = new NativeBuffer(ledger, MemoryCategory.Workspace, PredictByteCount(workers)).Clear();
    }

    /// <summary>Where the product before began to read.</summary>
    public ReadAhead? Previous { get; set; }

    /// <summary>Workers it was made for.</summary>
    public int WorkerCount { get; }

    /// <summary>Bytes that <paramref name="workers"/> workers take.</summary>
    public static long PredictByteCount(int workers) => (long)workers * WorkerFloats * sizeof(float);

    /// <summary>The panel of a worker, [<see cref="Strip.BlockChannels"/>, 64].</summary>
    public float* Panel(int worker) => _buffer.As<float>() + (nint)worker * WorkerFloats;

    /// <summary>The tile of a worker, [<see cref="MaxRows"/>, 64].</summary>
    public float* Tile(int worker) => Panel(worker) + PanelFloats;

    /// <summary>The scales of a worker's panel, as <see cref="PanelGroups"/> has them.</summary>
    public float* Scales(int worker) => Tile(worker) + MaxGroupRows * MicroKernel.Columns;

    /// <summary>Sums of x over the groups of a block of channels [<see cref="MaxGroupRows"/>, groups].</summary>
    public float* Sums(int worker) => Scales(worker) + MostGroups * PanelGroups.ScaleFloats;

    /// <summary>The next strip of a range of strips; there are as many ranges as workers.</summary>
    public ref int NextStrip(int range) => ref *(int*)(Tile(range) + TileFloats);

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}

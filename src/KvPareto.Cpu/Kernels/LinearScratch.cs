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

    private const int PanelFloats = Strip.BlockChannels * MicroKernel.Columns;
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

    /// <summary>The next strip of a range of strips; there are as many ranges as workers.</summary>
    public ref int NextStrip(int range) => ref *(int*)(Tile(range) + TileFloats);

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}

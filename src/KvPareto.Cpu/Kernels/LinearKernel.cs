using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// y = x·wᵀ + b on weights in strips. Few rows of x, up to a vector's lanes, multiply straight from the strips: one at the speed of memory,
/// several, as of sequences that decode together, in little more time; and so does any number where unpacking costs next to nothing. Else
/// more rows go through panels: a block of 256 channels of 64 output rows is unpacked to f32 into the second-level cache, and all rows
/// of x pass over it. An element of y has the same bits in both ways, for any number of rows and workers and at any
/// <see cref="SimdLevel"/>: neither a chunk's size nor what is decoded beside shows in a result.
/// </summary>
internal static unsafe class LinearKernel
{
    private const long MinBytesToShare = 32 * 1024;
    private const int PanelItemsPerWorker = 4;

    /// <summary>Multiplies on all workers.</summary>
    /// <param name="team">Who works.</param>
    /// <param name="x">[rows, K] f32.</param>
    /// <param name="xStride">Elements from one row of x to the next.</param>
    /// <param name="rows">T.</param>
    /// <param name="weight">w [N, K], with its bias.</param>
    /// <param name="y">[rows, N] f32, apart from x.</param>
    /// <param name="yStride">Elements from one row of y to the next.</param>
    /// <param name="scratch">Made for at least the team's workers.</param>
    public static void Multiply(
        WorkerTeam team, float* x, nint xStride, int rows, CpuWeight weight, float* y, nint yStride, LinearScratch scratch) =>
        Multiply(team, x, xStride, rows, weight, y, yStride, scratch, Simd.Best);

    /// <summary>As above at a chosen level.</summary>
    public static void Multiply(
        WorkerTeam team, float* x, nint xStride, int rows, CpuWeight weight, float* y, nint yStride, LinearScratch scratch, SimdLevel level)
    {
        if (weight.IsVector) throw new ArgumentException($"weight {weight.Name} is a vector, not a matrix");
        if (scratch.WorkerCount < team.Count)
            throw new ArgumentException($"the scratch is for {scratch.WorkerCount} workers, the team has {team.Count}");
        var kernels = KernelTable.Of(level);
        if (rows > (int)level && weight.Format is not (WeightFormat.F32 or WeightFormat.BF16))
        {
            MultiplyPanels(team, new(x, xStride, rows, weight, y, yStride, scratch, kernels));
            return;
        }
        for (var blocks = (rows + LinearScratch.MaxRows - 1) / LinearScratch.MaxRows; blocks > 0; blocks--)
        {
            var part = (rows + blocks - 1) / blocks;
            MultiplyStrips(team, new(x, xStride, part, weight, y, yStride, scratch, kernels));
            x += part * xStride;
            y += part * yStride;
            rows -= part;
        }
    }

    // A worker streams through a range of its own, strip by strip, and then helps with what others have left of theirs.
    private static void MultiplyStrips(WorkerTeam team, Job job)
    {
        job = job with { Parts = job.Rows * job.Weight.ByteCount < MinBytesToShare ? 1 : Math.Min(team.Count, job.Weight.StripCount) };
        for (var range = 0; range < job.Parts; range++) job.Scratch.NextStrip(range) = job.RangeStart(range);
        team.For(job.Parts, job, static (in Job job, int index, int worker) =>
        {
            for (var i = 0; i < job.Parts; i++)
            {
                var range = (index + i) % job.Parts;
                var end = job.RangeStart(range + 1);
                ref var next = ref job.Scratch.NextStrip(range);
                for (var strip = Interlocked.Increment(ref next) - 1; strip < end; strip = Interlocked.Increment(ref next) - 1)
                    MultiplyStrip(job, strip, worker);
            }
        });
    }

    private static void MultiplyPanels(WorkerTeam team, Job job)
    {
        var panels = (job.Weight.RowCount + MicroKernel.Columns - 1) / MicroKernel.Columns;
        // Enough items that the workers end together, but each with enough rows to pay for its unpacking.
        var blocks = (job.Rows + LinearScratch.MaxRows - 1) / LinearScratch.MaxRows;
        while (panels * blocks < team.Count * PanelItemsPerWorker && job.Rows / (blocks + 1) >= MicroKernel.Columns / 2) blocks++;
        var blockRows = Math.Min(LinearScratch.MaxRows, ((job.Rows + blocks - 1) / blocks + 5) / 6 * 6);
        job = job with { Parts = panels, BlockRows = blockRows };
        team.For(panels * ((job.Rows + blockRows - 1) / blockRows), job, static (in Job job, int index, int worker) =>
            MultiplyPanel(job, index % job.Parts, index / job.Parts * job.BlockRows, worker));
    }

    private static void MultiplyStrip(in Job job, int strip, int worker)
    {
        var weight = job.Weight;
        var first = strip * Strip.Rows;
        var count = Math.Min(Strip.Rows, weight.RowCount - first);
        // The kernels write 32 columns; where y has fewer, they go through a tile.
        var isWhole = count == Strip.Rows;
        var c = isWhole ? job.Y + first : job.Scratch.Tile(worker);
        var ldc = isWhole ? job.YStride : Strip.Rows;
        job.Strips.Multiply(weight, strip, job.X, job.XStride, job.Rows, c, ldc);
        Finish(job, first, count, job.Rows, c, ldc, job.Y + first);
    }

    private static void MultiplyPanel(in Job job, int panelIndex, int firstRow, int worker)
    {
        var weight = job.Weight;
        var rows = Math.Min(job.BlockRows, job.Rows - firstRow);
        var firstColumn = panelIndex * MicroKernel.Columns;
        var columns = Math.Min(MicroKernel.Columns, weight.RowCount - firstColumn);
        var firstStrip = panelIndex * (MicroKernel.Columns / Strip.Rows);
        var panel = job.Scratch.Panel(worker);
        var x = job.X + firstRow * job.XStride;
        var y = job.Y + firstRow * job.YStride + firstColumn;
        // The micro-kernel writes 64 columns; where y has fewer, they go through a tile.
        var isWhole = columns == MicroKernel.Columns;
        var (c, ldc) = isWhole ? ((nint)y, job.YStride) : ((nint)job.Scratch.Tile(worker), MicroKernel.Columns);
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var channels = Math.Min(Strip.BlockChannels, weight.ColumnCount - k);
            for (var half = 0; half * Strip.Rows < columns; half++)
                job.Strips.Unpack(weight, firstStrip + half, k, channels, panel + half * Strip.Rows);
            job.MultiplyPanel(x + k, job.XStride, rows, panel, channels, (float*)c, ldc, k > 0);
        }
        Finish(job, firstColumn, columns, rows, (float*)c, ldc, y);
    }

    // Adds the bias to columns from first on, which lie at c, and copies them to y where that is another place.
    private static void Finish(in Job job, int first, int count, int rows, float* c, nint ldc, float* y)
    {
        var bias = job.Weight.Bias;
        if (c == y && bias is null) return;
        for (var row = 0; row < rows; row++, c += ldc, y += job.YStride)
        {
            for (var i = 0; bias is not null && i < count; i++) c[i] += bias[first + i];
            if (c != y) new ReadOnlySpan<float>(c, count).CopyTo(new Span<float>(y, count));
        }
    }

    private readonly struct Job(
        float* x, nint xStride, int rows, CpuWeight weight, float* y, nint yStride, LinearScratch scratch, KernelTable kernels)
    {
        public readonly float* X = x; // [Rows, K]
        public readonly nint XStride = xStride;
        public readonly int Rows = rows;
        public readonly CpuWeight Weight = weight;
        public readonly float* Y = y; // [Rows, N]
        public readonly nint YStride = yStride;
        public readonly LinearScratch Scratch = scratch;
        public readonly StripKernel Strips = kernels.Strip(weight.Format);
        public readonly delegate*<float*, nint, int, float*, int, float*, nint, bool, void> MultiplyPanel = kernels.MultiplyPanel;

        // Ranges of strips that a vector's product is shared in; panels of a matrix's.
        public int Parts { get; init; }

        // Rows of x that an item of a matrix's product takes.
        public int BlockRows { get; init; }

        public int RangeStart(int range) => (int)((long)range * Weight.StripCount / Parts);
    }
}

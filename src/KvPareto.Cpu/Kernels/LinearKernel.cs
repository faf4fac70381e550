using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
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
    private const int MostPanelsTogether = 4;

    /// <summary>Most products whose strips are shared together: q, k and v.</summary>
    public const int MostTogether = 3;

    /// <summary>Multiplies on all workers.</summary>
    /// <param name="team">Who works.</param>
    /// <param name="x">[rows, K] f32.</param>
    /// <param name="xStride">Elements from one row of x to the next.</param>
    /// <param name="rows">T.</param>
    /// <param name="products">What x is multiplied with, up to <see cref="MostTogether"/>; neighbours that go straight from strips are
    /// shared among the workers together.</param>
    /// <param name="scratch">Made for at least the team's workers.</param>
    /// <param name="level">Of the kernels; null for the widest.</param>
    public static void Multiply(
        WorkerTeam team, float* x, nint xStride, int rows, ReadOnlySpan<LinearProduct> products, LinearScratch scratch,
        SimdLevel? level = null)
    {
        var lanes = (int)(level ?? Simd.Best);
        foreach (var product in products)
            if (product.Weight.IsVector) throw new ArgumentException($"weight {product.Weight.Name} is a vector, not a matrix");
        if (scratch.WorkerCount < team.Count)
            throw new ArgumentException($"the scratch is for {scratch.WorkerCount} workers, the team has {team.Count}");
        bool TakesPanels(in LinearProduct product) =>
            rows > lanes && product.Weight.Format is not (WeightFormat.F32 or WeightFormat.BF16);
        var kernels = KernelTable.Of(level);
        for (var count = 1; products.Length > 0; products = products[count..], count = 1)
        {
            if (TakesPanels(products[0]))
            {
                MultiplyPanels(team, new(x, xStride, rows, products[..1], scratch, kernels));
                continue;
            }
            while (count < products.Length && !TakesPanels(products[count])
                && products[count].Weight.GroupSize == products[0].Weight.GroupSize) count++;
            MultiplyStrips(team, new(x, xStride, rows, products[..count], scratch, kernels));
        }
    }

    private static void MultiplyStrips(WorkerTeam team, Job job)
    {
        var ahead = job.Factors[0].Weight.Ahead;
        if (job.Scratch.Previous is { } previous) previous.Next = ahead;
        job.Scratch.Previous = ahead;
        ahead.Clear(team.Count);
        team.Ahead = ahead.Next;
        var left = job.Rows;
        var weight = job.Factors[0].Weight;
        var most = job.Groups == 0 ? LinearScratch.MaxRows : Math.Min(LinearScratch.MaxRows, LinearScratch.PanelFloats / job.Groups);
        for (var blocks = (left + most - 1) / most; blocks > 0; blocks--)
        {
            job.Rows = (left + blocks - 1) / blocks;
            if (job.Groups > 0)
                GroupSums.Of(
                    job.X + job.FirstRow * job.XStride, job.XStride, job.Rows, weight.ColumnCount, weight.GroupSize, job.Scratch.Panel(0));
            ShareStrips(team, job, ahead);
            job.FirstRow += job.Rows;
            left -= job.Rows;
        }
    }

    // A worker streams through a range of its own, strip by strip, and then helps with what others have left of theirs.
    private static void ShareStrips(WorkerTeam team, Job job, ReadAhead ahead)
    {
        job.Parts = job.Rows * job.ByteCount < MinBytesToShare ? 1 : Math.Min(team.Count, job.StripCount);
        for (var range = 0; range < job.Parts; range++)
        {
            var first = job.Scratch.NextStrip(range) = job.RangeStart(range);
            var count = job.RangeStart(range + 1) - first;
            var weight = job.FactorOf(ref first).Weight;
            ahead.Set(range, weight.StripAt(first), Math.Min(count, weight.StripCount - first) * weight.StripBytes);
        }
        team.For(job.Parts, job, static (in Job job, int _, int worker) =>
        {
            for (var i = 0; i < job.Parts; i++)
            {
                var range = (worker + i) % job.Parts;
                var end = job.RangeStart(range + 1);
                ref var next = ref job.Scratch.NextStrip(range);
                if (Volatile.Read(ref next) >= end) continue; // most ranges of others, where workers are many
                for (var strip = Interlocked.Increment(ref next) - 1; strip < end; strip = Interlocked.Increment(ref next) - 1)
                    MultiplyStrip(job, strip, worker);
            }
        });
    }

    private static void MultiplyPanels(WorkerTeam team, Job job)
    {
        var panels = (job.Factors[0].Weight.RowCount + MicroKernel.Columns - 1) / MicroKernel.Columns;
        // Enough items that the workers end together, but each with enough rows to pay for its unpacking.
        var most = job.Groups == 0 ? LinearScratch.MaxRows : LinearScratch.MaxGroupRows;
        var blocks = (job.Rows + most - 1) / most;
        while (panels * blocks < team.Count * PanelItemsPerWorker && job.Rows / (blocks + 1) >= MicroKernel.Columns / 2) blocks++;
        var blockRows = Math.Min(
            most, ((job.Rows + blocks - 1) / blocks + MicroKernel.Rows - 1) / MicroKernel.Rows * MicroKernel.Rows);
        var rowBlocks = (job.Rows + blockRows - 1) / blockRows;
        // Sums of x are made once for some panels.
        var together = job.Groups == 0 ? 1 : MostPanelsTogether;
        while (together > 1 && (panels + together - 1) / together * rowBlocks < team.Count * PanelItemsPerWorker) together /= 2;
        (job.Panels, job.PanelsTogether, job.BlockRows) = (panels, together, blockRows);
        job.Parts = (panels + together - 1) / together;
        team.For(job.Parts * rowBlocks, job, static (in Job job, int index, int worker) =>
            MultiplyPanels(job, index % job.Parts * job.PanelsTogether, index / job.Parts * job.BlockRows, worker));
    }

    private static void MultiplyStrip(in Job job, int strip, int worker)
    {
        ref readonly var factor = ref job.FactorOf(ref strip);
        var weight = factor.Weight;
        var first = strip * Strip.Rows;
        var count = Math.Min(Strip.Rows, weight.RowCount - first);
        // The kernels write 32 columns; where y has fewer, they go through a tile.
        var isWhole = count == Strip.Rows;
        var y = factor.Y + job.FirstRow * factor.YStride + first;
        var c = isWhole ? y : job.Scratch.Tile(worker);
        var ldc = isWhole ? factor.YStride : Strip.Rows;
        factor.Strips.Multiply(
            weight, strip, new(job.X + job.FirstRow * job.XStride, job.XStride, job.Scratch.Panel(0), job.Groups), job.Rows, c, ldc);
        Finish(factor, first, count, job.Rows, c, ldc, y);
    }

    private static void MultiplyPanels(in Job job, int first, int firstRow, int worker)
    {
        ref readonly var factor = ref job.Factors[0];
        var weight = factor.Weight;
        var rows = Math.Min(job.BlockRows, job.Rows - firstRow);
        var end = Math.Min(first + job.PanelsTogether, job.Panels);
        var x = job.X + firstRow * job.XStride;
        var y = factor.Y + firstRow * factor.YStride;
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var channels = Math.Min(Strip.BlockChannels, weight.ColumnCount - k);
            if (job.Groups > 0) GroupSums.Of(x + k, job.XStride, rows, channels, weight.GroupSize, job.Scratch.Sums(worker));
            for (var panel = first; panel < end; panel++)
            {
                var place = new PanelPlace(weight, panel, y, factor.YStride, job.Scratch.Tile(worker));
                MultiplyPanel(job, factor.Strips, place, x + k, rows, k, channels, worker);
                if (k + channels == weight.ColumnCount)
                    Finish(factor, place.Column, place.Columns, rows, place.C, place.Ldc, y + place.Column);
            }
        }
    }

    private static void MultiplyPanel(
        in Job job, in StripKernel strips, in PanelPlace place, float* x, int rows, int k, int channels, int worker)
    {
        var (weight, firstStrip) = (job.Factors[0].Weight, place.Column / Strip.Rows);
        float* panel = job.Scratch.Panel(worker), scales = job.Scratch.Scales(worker);
        for (var half = 0; half * Strip.Rows < place.Columns; half++)
        {
            strips.Unpack(weight, firstStrip + half, k, channels, panel + half * Strip.Rows);
            if (job.Groups > 0) strips.ReadScales(weight, firstStrip + half, k, channels, scales + half * Strip.Rows);
        }
        if (job.Groups == 0) job.Kernels.MultiplyPanel(x, job.XStride, rows, panel, channels, place.C, place.Ldc, k > 0);
        else
        {
            var groups = new PanelGroups(channels, weight.GroupSize, scales, job.Scratch.Sums(worker), channels / weight.GroupSize);
            job.Kernels.MultiplyGroups(x, job.XStride, rows, panel, groups, place.C, place.Ldc, k > 0);
        }
    }

    // Adds the bias to columns from first on, which lie at c, and copies them to y where that is another place.
    private static void Finish(in Factor factor, int first, int count, int rows, float* c, nint ldc, float* y)
    {
        var bias = factor.Weight.Bias;
        if (c == y && bias is null) return;
        for (var row = 0; row < rows; row++, c += ldc, y += factor.YStride)
        {
            for (var i = 0; bias is not null && i < count; i++) c[i] += bias[first + i];
            if (c != y) new ReadOnlySpan<float>(c, count).CopyTo(new Span<float>(y, count));
        }
    }

    // One product, or some whose strips count on from one to the next.
    private struct Job
    {
        public readonly float* X; // [FirstRow + Rows, K]
        public readonly nint XStride;
        public readonly LinearScratch Scratch;
        public readonly KernelTable Kernels;
        public readonly Factors Factors;
        public readonly int StripCount;
        public readonly long ByteCount;
        public readonly int Groups; // of a row, where scales are apart
        public int FirstRow; // of x, and of all y, by strips
        public int Rows;
        public int Parts;     // ranges that strips are shared in; panels of a matrix's product
        public int Panels;
        public int PanelsTogether; // that an item takes
        public int BlockRows; // rows of x that an item of a matrix's product takes

        public Job(float* x, nint xStride, int rows, ReadOnlySpan<LinearProduct> products, LinearScratch scratch, KernelTable kernels)
        {
            (XStride, Rows, Scratch) = (xStride, rows, scratch);
            X = x;
            Kernels = kernels;
            for (var i = 0; i < products.Length; i++)
            {
                var weight = products[i].Weight;
                Factors[i] = new(products[i], kernels.Strip(weight.Format));
                StripCount += weight.StripCount;
                ByteCount += weight.ByteCount;
            }
            if (Factors[0].Strips.HasScales) Groups = products[0].Weight.ColumnCount / products[0].Weight.GroupSize;
        }

        public readonly int RangeStart(int range) => (int)((long)range * StripCount / Parts);

        // What a strip is of; `strip` becomes its number there.
        [UnscopedRef]
        public readonly ref readonly Factor FactorOf(ref int strip)
        {
            var i = 0;
            for (; strip >= Factors[i].Weight.StripCount; i++) strip -= Factors[i].Weight.StripCount;
            return ref Factors[i];
        }
    }

    // A panel's columns, and where they are summed: the micro-kernel writes 64; where y has fewer, they go through a tile.
    private readonly struct PanelPlace
    {
        public readonly int Column; // the first
        public readonly int Columns;
        public readonly float* C;
        public readonly nint Ldc;

        public PanelPlace(CpuWeight weight, int panel, float* y, nint yStride, float* tile)
        {
            Column = panel * MicroKernel.Columns;
            Columns = Math.Min(MicroKernel.Columns, weight.RowCount - Column);
            var isWhole = Columns == MicroKernel.Columns;
            C = isWhole ? y + Column : tile;
            Ldc = isWhole ? yStride : MicroKernel.Columns;
        }
    }

    private readonly struct Factor(in LinearProduct product, StripKernel strips)
    {
        public readonly CpuWeight Weight = product.Weight;
        public readonly float* Y = product.Y;
        public readonly nint YStride = product.YStride;
        public readonly StripKernel Strips = strips;
    }

    [InlineArray(MostTogether)]
    private struct Factors
    {
        private Factor _first;
    }
}

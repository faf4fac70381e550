using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>
/// y = x·wᵀ + b. Few rows are multiplied straight from the weight as it is stored, for which its bytes are what counts; more go through a
/// dense product in bf16, for which coded weights are unpacked strip by strip into scratch.
/// </summary>
internal sealed class CudaLinear : IDisposable
{
    private const int Threads = 256;
    private const int MostStripRows = 65_536 - ProductLayout.StripRows; // a grid's second dimension
    private const int UnpackThreads = 128;
    private const int UnpackColumns = UnpackThreads * 8 * 4; // of a block (weights.cu, unpack_weight)

    private readonly CudaContext _context;
    private readonly MatrixProducts _products;
    private readonly FewProducts _few;
    private readonly ManyProducts _many;
    private Prepared _prepared;

    /// <summary>Opens the library of dense products.</summary>
    public CudaLinear(CudaContext context, MemoryLedger ledger)
    {
        _context = context;
        Scratch = new ProductScratch(context, ledger);
        _products = new MatrixProducts(context);
        _few = new FewProducts(context, Scratch);
        _few.Prepare();
        _many = new ManyProducts(context);
    }

    /// <summary>The scratch, which weights size.</summary>
    public ProductScratch Scratch { get; }

    /// <summary>Begins to compile what a weight will want.</summary>
    public void Prepare(CudaWeight weight) => _many.Prepare(weight);

    /// <summary>Multiplies one input with several weights.</summary>
    public void Multiply(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (x.RowCount <= FewKernel.MostRows) _few.Multiply(x, weights, ys);
        else MultiplyMany(x, weights, ys, LinearMode.Store);
    }

    /// <summary>g = silu(x·gateᵀ + b)·(x·upᵀ + b), where a kernel does all of it for so many rows.</summary>
    public bool TryMultiplyGated(Tensor x, Weight gate, Weight up, Tensor g)
    {
        if (x.RowCount <= FewKernel.MostRows || x.Type != DType.BF16) return false;
        Weight[] weights = [gate, up];
        if (_many.Count(x, x.RowCount, weights, [g], LinearMode.Gated) == 0) return false;
        _many.Multiply(x, x.RowCount, weights, [g], LinearMode.Gated, (Scratch.Address, Largest(weights).ByteCount));
        return true;
    }

    /// <summary>Memory for steps that multiply together, beside what products need.</summary>
    /// <param name="bytes">That are added to the scratch.</param>
    /// <param name="stepBytes">Of a step.</param>
    /// <param name="most">Steps.</param>
    public AddressedBuffer? TryLend(long bytes, long stepBytes, int most) =>
        Scratch.TryLend(bytes, stepBytes, most, ManyKernel.MostPartBytes * _context.Multiprocessors / ManyKernel.Cluster);

    /// <summary>The same with x / rms(x) · gain, where one kernel does it.</summary>
    public bool TryMultiplyNormed(
        Tensor x, Weight gain, float epsilon, bool keepsF32, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode) =>
        _few.TryMultiply(x, (((CudaWeight)gain).Data, epsilon), keepsF32, weights, ys, mode);

    /// <summary>sum += x·wᵀ + b, where a kernel or the library adds.</summary>
    public bool TryAdd(Tensor x, CudaWeight weight, Tensor sum)
    {
        if (x.RowCount <= FewKernel.MostRows) return _few.TryMultiply(x, default, x.Type == DType.F32, [weight], [sum], LinearMode.Add);
        MultiplyMany(x, [weight], [sum], LinearMode.Add);
        return true;
    }

    /// <summary>The same, and y becomes sum · gain, still to be divided by its rows' norms; false where no kernel does all of it.</summary>
    public bool TryAddAndPrepare(Tensor x, CudaWeight weight, Tensor y, Tensor sum, Weight gain)
    {
        if (x.RowCount <= FewKernel.MostRows || x.Type != DType.BF16 || weight.Stored == CudaWeight.StoredKind.BF16) return false;
        var norm = ManyNorm.Before(((CudaWeight)gain).Data, y, Scratch);
        if (!_many.TryAddAndPrepare(x, weight, sum, norm, (Scratch.Address, norm.ScratchBytes))) return false;
        _prepared = new(_context.Works, sum, gain, y);
        return true;
    }

    /// <summary>Results of h as <see cref="TryAddAndPrepare"/> has left it, if it was the last to run.</summary>
    public bool TryMultiplyPrepared(
        Tensor x, Weight gain, float epsilon, Tensor h, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode)
    {
        var isPrepared = _prepared == new Prepared(_context.Works, x, gain, h);
        _prepared = default;
        if (!isPrepared || !AreAllDirect(h, weights, ys, mode)) return false;
        var norm = ManyNorm.After(epsilon, h, Scratch);
        for (var i = 0; i < ys.Length;)
        {
            var count = _many.Count(h, h.RowCount, weights[i..], ys[i..], mode);
            _many.Multiply(h, h.RowCount, weights.Slice(i, count), mode == LinearMode.Gated ? ys : ys.Slice(i, count), mode,
                (Scratch.Address, norm.ScratchBytes), norm);
            i += count;
        }
        return true;
    }

    // Whether no weight is left to the library.
    private bool AreAllDirect(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode)
    {
        for (var i = 0; i < ys.Length;)
        {
            var count = _many.Count(x, x.RowCount, weights[i..], ys[i..], mode);
            if (count == 0 || (count == 1 && ((CudaWeight)weights[i]).Stored == CudaWeight.StoredKind.BF16)) return false;
            i += count;
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        Scratch.Dispose();
    }

    // Weights that are unpacked into scratch, and whose results lie side by side, are one weight to the library: it fills the device
    // better.
    private static bool AreOne(ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        var (before, last) = (ys[^2], ys[^1]);
        return ((CudaWeight)weights[^2]).Products.Strip > 0 && ((CudaWeight)weights[^1]).Products.Strip > 0 && before.Buffer == last.Buffer
            && before.Type == last.Type && before.RowStride == last.RowStride
                && last.ByteOffset - before.ByteOffset == before.ColumnCount * before.Type.ByteSize()
            && ((CudaWeight)weights[^2]).Stored == ((CudaWeight)weights[^1]).Stored;
    }

    private void MultiplyMany(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode)
    {
        var first = (CudaWeight)weights[0];
        if (first.Stored == CudaWeight.StoredKind.F32 && x.Type == DType.F32 && ys[0].Type == DType.F32)
        {
            for (var i = 0; i < ys.Length; i++)
            {
                var weight = (CudaWeight)weights[i];
                Multiply(x, weight, ys[i], mode == LinearMode.Add, weight.Products.Within(Scratch.ByteCount));
                AddBias(weight, ys[i]);
            }
            return;
        }
        // What a product has in scratch lies ahead of its inputs, whichever of the weights asks for most.
        var layout = Largest(weights);
        if (x.Type == DType.BF16)
        {
            MultiplyDense(x, x.RowCount, weights, ys, mode, layout, layout.ByteCount);
            return;
        }
        var block = (int)(layout.Inputs / (x.ColumnCount * sizeof(ushort)));
        var converted = new Matrix(Scratch.Address + (nint)(layout.Workspace + layout.Strip), DType.BF16, x.ColumnCount);
        var parts = new Tensor[ys.Length];
        for (var from = 0; from < x.RowCount; from += block)
        {
            var rows = x.Rows(from, Math.Min(block, x.RowCount - from));
            for (var i = 0; i < parts.Length; i++) parts[i] = ys[i].Rows(from, rows.RowCount);
            _context.Launch(
                _context.Module("elements.cu"), "convert", Columns(rows), Threads,
                    new PairArguments { X = rows, Y = converted, Columns = x.ColumnCount });
            MultiplyDense(converted, rows.RowCount, weights, parts, mode, layout, layout.Workspace + layout.Strip);
        }
    }

    private void AddBias(CudaWeight weight, Tensor y)
    {
        if (weight.Bias != 0)
            _context.Launch(
                _context.Module("elements.cu"), "add_bias", Columns(y), Threads,
                    new BiasArguments { X = y, Bias = weight.Bias, Columns = y.ColumnCount });
    }

    private ProductLayout Largest(ReadOnlySpan<Weight> weights)
    {
        var largest = ((CudaWeight)weights[0]).Products;
        foreach (var weight in weights)
        {
            if (((CudaWeight)weight).Products.ByteCount > largest.ByteCount) largest = ((CudaWeight)weight).Products;
        }
        return largest.Within(Scratch.ByteCount);
    }

    // As many weights at a time as one launch takes: straight from what is stored, or by the library.
    private void MultiplyDense(
        Matrix x, int rows, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode, in ProductLayout layout, long scratch)
    {
        for (var i = 0; i < ys.Length;)
        {
            var count = _many.Count(x, rows, weights[i..], ys[i..], mode);
            // The library is as good with one weight of its own element type.
            if (count > 1 || (count == 1 && ((CudaWeight)weights[i]).Stored != CudaWeight.StoredKind.BF16))
                _many.Multiply(x, rows, weights.Slice(i, count), ys.Slice(i, count), mode, (Scratch.Address, scratch));
            else
            {
                count = 1;
                while (i + count < ys.Length && AreOne(weights.Slice(i, count + 1), ys.Slice(i, count + 1))) count++;
                MultiplyByLibrary(x, weights.Slice(i, count), ys.Slice(i, count), mode == LinearMode.Add, layout);
            }
            i += count;
        }
    }

    private void MultiplyByLibrary(
        Matrix x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, bool adds, in ProductLayout layout)
    {
        var weight = (CudaWeight)weights[0];
        if (weight.Stored == CudaWeight.StoredKind.BF16) Multiply(x, weight, ys[0], adds, layout);
        else MultiplyStrips(x, weights, ys, adds, layout);
        for (var i = 0; i < ys.Length; i++) AddBias((CudaWeight)weights[i], ys[i]);
    }

    private void MultiplyStrips(Matrix x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, bool adds, in ProductLayout layout)
    {
        var (columns, outputs) = (weights[0].ColumnCount, 0);
        foreach (var y in ys) outputs += y.ColumnCount;
        var most = (int)Math.Min(
            layout.Strip / (columns * sizeof(ushort)) / ProductLayout.StripRows * ProductLayout.StripRows, MostStripRows);
        // Strips of about one size.
        var strips = (outputs + most - 1) / most;
        var strip = ((outputs + strips - 1) / strips + ProductLayout.StripRows - 1) / ProductLayout.StripRows * ProductLayout.StripRows;
        var target = Scratch.Address + (nint)layout.Workspace;
        for (var first = 0; first < outputs; first += strip)
        {
            var count = Math.Min(strip, outputs - first);
            var before = 0;
            for (var i = 0; i < ys.Length; before += ys[i++].ColumnCount)
            {
                var (from, to) = (Math.Max(first, before), Math.Min(first + count, before + ys[i].ColumnCount));
                if (from >= to) continue;
                var rows = target + (nint)((long)(from - first) * columns * sizeof(ushort));
                var unpack = new UnpackArguments { Weight = ((CudaWeight)weights[i]).Rows, Target = rows, FirstRow = from - before };
                _context.Launch(
                    _context.Module("weights.cu"), "unpack_weight", new((columns + UnpackColumns - 1) / UnpackColumns, to - from),
                        UnpackThreads, unpack);
            }
            var part = ys[0] with { ColumnCount = count, ByteOffset = ys[0].ByteOffset + (long)first * ys[0].Type.ByteSize() };
            _products.Multiply(x, target, part, part.RowCount, count, columns, adds, (Scratch.Address, layout.Workspace));
        }
    }

    private void Multiply(Matrix x, CudaWeight weight, Tensor y, bool adds, in ProductLayout layout) => _products.Multiply(
        x, weight.Data, y, y.RowCount, y.ColumnCount, weight.ColumnCount, adds,
        (Scratch.Address, Math.Min(weight.Products.Workspace, layout.Workspace)));

    // What was left for a norm of x with this gain, by which launch.
    private readonly record struct Prepared(long Works, Tensor X, Weight Gain, Tensor H);

    private static Grid Columns(Tensor x) => new(x.RowCount, (x.ColumnCount + Threads - 1) / Threads);
}

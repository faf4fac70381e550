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

    /// <summary>Opens the library of dense products.</summary>
    public CudaLinear(CudaContext context, MemoryLedger ledger)
    {
        _context = context;
        Scratch = new ProductScratch(context, ledger);
        _products = new MatrixProducts(context);
        _few = new FewProducts(context);
        _few.Prepare();
    }

    /// <summary>The scratch, which weights size.</summary>
    public ProductScratch Scratch { get; }

    /// <summary>Multiplies one input with several weights.</summary>
    public void Multiply(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (x.RowCount <= FewKernel.MostRows)
        {
            _few.Multiply(x, weights, ys);
            return;
        }
        for (var i = 0; i < ys.Length; i++) MultiplyMany(x, (CudaWeight)weights[i], ys[i], adds: false);
    }

    /// <summary>The same with x / rms(x) · gain, where one kernel does it.</summary>
    public bool TryMultiplyNormed(Tensor x, Weight gain, float epsilon, bool keepsF32, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode) =>
        _few.TryMultiply(x, (((CudaWeight)gain).Data, epsilon), keepsF32, weights, ys, mode);

    /// <summary>sum += x·wᵀ + b, where a kernel or the library adds.</summary>
    public bool TryAdd(Tensor x, CudaWeight weight, Tensor sum)
    {
        if (x.RowCount <= FewKernel.MostRows) return _few.TryMultiply(x, default, x.Type == DType.F32, [weight], [sum], LinearMode.Add);
        MultiplyMany(x, weight, sum, adds: true);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        Scratch.Dispose();
    }

    private void MultiplyMany(Tensor x, CudaWeight weight, Tensor y, bool adds)
    {
        if (weight.Stored == CudaWeight.StoredKind.F32 && x.Type == DType.F32 && y.Type == DType.F32) Multiply(x, weight, weight.Data, y, adds);
        else if (x.Type == DType.BF16) MultiplyDense(x, weight, y, adds);
        else
        {
            var inputs = Scratch.Address + (nint)(weight.Products.Workspace + weight.Products.Strip);
            var block = (int)(weight.Products.Inputs / (x.ColumnCount * sizeof(ushort)));
            for (var first = 0; first < x.RowCount; first += block)
            {
                var rows = x.Rows(first, Math.Min(block, x.RowCount - first));
                var converted = new Matrix(inputs, DType.BF16, x.ColumnCount);
                _context.Launch(_context.Module("elements.cu"), "convert", Columns(rows), Threads, new PairArguments { X = rows, Y = converted, Columns = x.ColumnCount });
                MultiplyDense(converted, weight, y.Rows(first, rows.RowCount), adds);
            }
        }
        if (weight.Bias != 0)
            _context.Launch(_context.Module("elements.cu"), "add_bias", Columns(y), Threads, new BiasArguments { X = y, Bias = weight.Bias, Columns = y.ColumnCount });
    }

    private void MultiplyDense(Matrix x, CudaWeight weight, Tensor y, bool adds)
    {
        if (weight.Stored == CudaWeight.StoredKind.BF16)
        {
            Multiply(x, weight, weight.Data, y, adds);
            return;
        }
        var columns = weight.ColumnCount;
        var target = Scratch.Address + (nint)weight.Products.Workspace;
        var strip = (int)Math.Min(weight.Products.Strip / (columns * sizeof(ushort)) / ProductLayout.StripRows * ProductLayout.StripRows, MostStripRows);
        for (var first = 0; first < y.ColumnCount; first += strip)
        {
            var part = y.Columns(first, Math.Min(strip, y.ColumnCount - first));
            var unpack = new UnpackArguments { Weight = weight.Rows, Target = target, FirstRow = first };
            _context.Launch(_context.Module("weights.cu"), "unpack_weight", new((columns + UnpackColumns - 1) / UnpackColumns, part.ColumnCount), UnpackThreads, unpack);
            Multiply(x, weight, target, part, adds);
        }
    }

    private void Multiply(Matrix x, CudaWeight weight, nint data, Tensor y, bool adds) =>
        _products.Multiply(x, data, y, y.RowCount, y.ColumnCount, weight.ColumnCount, adds, (Scratch.Address, weight.Products.Workspace));

    private static Grid Columns(Tensor x) => new(x.RowCount, (x.ColumnCount + Threads - 1) / Threads);
}

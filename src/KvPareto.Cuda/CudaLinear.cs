using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>
/// y = x·wᵀ + b. Up to <see cref="FewRows"/> rows are multiplied straight from the weight as it is stored, for which its bytes are what
/// counts; more go through a dense product in bf16, for which coded weights are unpacked strip by strip into scratch.
/// </summary>
internal sealed class CudaLinear : IDisposable
{
    /// <summary>Most rows that one pass over the weight treats.</summary>
    public const int FewRows = 8;

    private const int Threads = 256;
    private const int FewOutputs = 16; // of a tile (linear.cu, OUTPUTS)
    private const string AnyKernel = "linear_any";
    private const int StripRows = 64;
    private const int MostStripRows = 65_536 - StripRows; // a grid's second dimension
    private const int UnpackThreads = 128;
    private const int UnpackColumns = UnpackThreads * 8 * 4; // of a block (linear.cu, unpack_weight)
    private const long InputBytes = 8 << 20;
    private const long StripBytes = 32 << 20;
    private const long ProductBytes = 32 << 20;

    private readonly CudaContext _context;
    private readonly CudaBuffer _scratch;
    private readonly MatrixProducts _products;

    /// <summary>Allocates the scratch.</summary>
    public CudaLinear(CudaContext context, MemoryLedger ledger)
    {
        _context = context;
        _scratch = new CudaBuffer(context, ledger, MemoryCategory.Workspace, FixedBytes);
        _products = new MatrixProducts(context, _scratch.Address, ProductBytes);
    }

    /// <summary>Bytes of the scratch.</summary>
    public static long FixedBytes => ProductBytes + StripBytes + InputBytes;

    private nint Strip => _scratch.Address + (nint)ProductBytes;

    private nint Inputs => Strip + (nint)StripBytes;

    /// <summary>Multiplies one input with several weights.</summary>
    public void Multiply(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (x.RowCount <= FewRows)
        {
            MultiplyFew(x, weights, ys);
            return;
        }
        for (var i = 0; i < ys.Length; i++)
        {
            var weight = (CudaWeight)weights[i];
            MultiplyMany(x, weight, ys[i]);
            if (weight.Bias != 0)
                _context.Launch(_context.Module("elements.cu"), "add_bias", Columns(ys[i]), Threads, new BiasArguments { X = ys[i], Bias = weight.Bias, Columns = ys[i].ColumnCount });
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        _scratch.Dispose();
    }

    // One launch for neighbours that one kernel multiplies with.
    private void MultiplyFew(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        for (var first = 0; first < ys.Length;)
        {
            var kernel = FewKernel(x, (CudaWeight)weights[first]);
            var arguments = new LinearArguments { X = x, Rows = x.RowCount };
            var (count, tiles) = (0, 0);
            while (count < LinearParts.Count && first + count < ys.Length && FewKernel(x, (CudaWeight)weights[first + count]) == kernel)
            {
                var (weight, y) = ((CudaWeight)weights[first + count], ys[first + count]);
                tiles += (y.ColumnCount + FewOutputs - 1) / FewOutputs;
                arguments.Parts[count++] = new() { Weight = weight.Rows, Y = y, Bias = weight.Bias, Outputs = y.ColumnCount, EndTile = tiles };
            }
            for (var i = count; i < LinearParts.Count; i++) arguments.Parts[i].EndTile = tiles;
            _context.Launch(_context.Module("linear.cu"), kernel, new(tiles), Threads, arguments);
            first += count;
        }
    }

    // The kernels of linear.cu: bits of a weight, columns of a unit, and `wide` for f32 inputs; any other case takes one of its own.
    private static string FewKernel(Tensor x, CudaWeight weight)
    {
        var isAligned = x.Address % 16 == 0 && (x.RowStride * x.Type.ByteSize() % 16 == 0 || x.RowCount == 1) && x.ColumnCount % 32 == 0;
        if (!isAligned || x.Type == DType.F16) return AnyKernel;
        var isWide = x.Type == DType.F32;
        return (weight.Stored, weight.Rows.Group) switch
        {
            (CudaWeight.StoredKind.BF16, _) => isWide ? "linear_16_32_wide" : "linear_16_32",
            (CudaWeight.StoredKind.W8, var g) when g % 64 == 0 => isWide ? "linear_8_64_wide" : "linear_8_64",
            (CudaWeight.StoredKind.W8, var g) when g % 32 == 0 => isWide ? "linear_8_32_wide" : "linear_8_32",
            (CudaWeight.StoredKind.W4, var g) when g % 128 == 0 => isWide ? "linear_4_128_wide" : "linear_4_128",
            (CudaWeight.StoredKind.W4, var g) when g % 64 == 0 => isWide ? "linear_4_64_wide" : "linear_4_64",
            (CudaWeight.StoredKind.W4, var g) when g % 32 == 0 => isWide ? "linear_4_32_wide" : "linear_4_32",
            _ => AnyKernel,
        };
    }

    private void MultiplyMany(Tensor x, CudaWeight weight, Tensor y)
    {
        if (weight.Stored == CudaWeight.StoredKind.F32 && x.Type == DType.F32 && y.Type == DType.F32)
        {
            _products.Multiply(x, weight.Data, y, x.RowCount, y.ColumnCount, x.ColumnCount);
            return;
        }
        if (x.Type == DType.BF16)
        {
            MultiplyDense(x, weight, y, x.RowCount, x.ColumnCount);
            return;
        }
        var block = (int)Math.Max(1, InputBytes / (x.ColumnCount * sizeof(ushort)));
        for (var first = 0; first < x.RowCount; first += block)
        {
            var rows = x.Rows(first, Math.Min(block, x.RowCount - first));
            var converted = new Matrix(Inputs, DType.BF16, x.ColumnCount);
            _context.Launch(_context.Module("elements.cu"), "convert", Columns(rows), Threads, new PairArguments { X = rows, Y = converted, Columns = x.ColumnCount });
            MultiplyDense(converted, weight, y.Rows(first, rows.RowCount), rows.RowCount, x.ColumnCount);
        }
    }

    private void MultiplyDense(Matrix x, CudaWeight weight, Tensor y, int rows, int columns)
    {
        if (weight.Stored == CudaWeight.StoredKind.BF16)
        {
            _products.Multiply(x, weight.Data, y, rows, y.ColumnCount, columns);
            return;
        }
        // Whole tiles of the product, and outputs that stay aligned.
        var strip = (int)Math.Clamp(StripBytes / (columns * sizeof(ushort)) / StripRows * StripRows, StripRows, MostStripRows);
        for (var first = 0; first < y.ColumnCount; first += strip)
        {
            var part = y.Columns(first, Math.Min(strip, y.ColumnCount - first));
            var unpack = new UnpackArguments { Weight = weight.Rows, Target = Strip, FirstRow = first };
            _context.Launch(_context.Module("linear.cu"), "unpack_weight", new((columns + UnpackColumns - 1) / UnpackColumns, part.ColumnCount), UnpackThreads, unpack);
            _products.Multiply(x, Strip, part, rows, part.ColumnCount, columns);
        }
    }

    private static Grid Columns(Tensor x) => new(x.RowCount, (x.ColumnCount + Threads - 1) / Threads);
}

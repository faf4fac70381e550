using KvPareto.Engine;

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
    private const int CodeThreads = 128;
    private const int CodeOutputs = 2; // channels a warp (linear.cu, Outputs)
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

    /// <summary>Multiplies.</summary>
    public void Multiply(Tensor x, CudaWeight weight, Tensor y)
    {
        if (x.RowCount <= FewRows) MultiplyFew(x, weight, y);
        else
        {
            MultiplyMany(x, weight, y);
            if (weight.Bias != 0)
                _context.Launch(_context.Module("elements.cu"), "add_bias", Columns(y), Threads, new BiasArguments { X = y, Bias = weight.Bias, Columns = y.ColumnCount });
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        _scratch.Dispose();
    }

    private void MultiplyFew(Tensor x, CudaWeight weight, Tensor y)
    {
        var size = x.Type.ByteSize();
        var aligned = x.Address % 16 == 0 && (x.RowStride * size % 16 == 0 || x.RowCount == 1) && x.ColumnCount % 8 == 0;
        var arguments = new LinearArguments
        {
            X = x,
            Y = y,
            Weight = weight.Rows,
            Bias = weight.Bias,
            Outputs = y.ColumnCount,
            Rows = x.RowCount,
            Aligned = aligned ? 1 : 0,
        };
        var kernel = x.RowCount switch { 1 => "linear_1", 2 => "linear_2", <= 4 => "linear_4", _ => "linear_8" };
        var isCodes = aligned && weight.Stored is CudaWeight.StoredKind.W4 or CudaWeight.StoredKind.W8;
        var threads = isCodes ? CodeThreads : Threads;
        var outputs = threads / 32 * (isCodes ? CodeOutputs : 1);
        _context.Launch(_context.Module("linear.cu"), kernel, new((y.ColumnCount + outputs - 1) / outputs), threads, arguments);
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
        var strip = (int)Math.Max(1, StripBytes / (columns * sizeof(ushort)));
        for (var first = 0; first < y.ColumnCount; first += strip)
        {
            var part = y.Columns(first, Math.Min(strip, y.ColumnCount - first));
            var unpack = new UnpackArguments { Weight = weight.Rows, Target = Strip, FirstRow = first, Rows = part.ColumnCount };
            _context.Launch(_context.Module("linear.cu"), "unpack_weight", new((columns + 8 * Threads - 1) / (8 * Threads), part.ColumnCount), Threads, unpack);
            _products.Multiply(x, Strip, part, rows, part.ColumnCount, columns);
        }
    }

    private static Grid Columns(Tensor x) => new((x.ColumnCount + Threads - 1) / Threads, x.RowCount);
}

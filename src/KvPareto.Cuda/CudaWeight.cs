using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda;

/// <summary>
/// A weight in device memory: rows as they came, or codes with their groups' entries. A vector (one row, as a norm's gain) is plain f32.
/// ggml's block formats are widened to bf16: their codes take less, but no kernel multiplies with them yet.
/// </summary>
internal sealed unsafe class CudaWeight : Weight
{
    private const int StagingBytes = 32 << 20;

    private readonly CudaBuffer? _data;
    private readonly CudaBuffer? _groups;
    private readonly CudaBuffer? _bias;
    private readonly WeightRows _rows;
    private readonly ProductScratch _scratch;
    private bool _isDisposed;

    /// <summary>Uploads a weight, and sees to the scratch of products with it.</summary>
    public CudaWeight(CudaContext context, MemoryLedger ledger, ProductScratch scratch, HostWeight host)
        : base(host.Name, host.Format, host.RowCount, host.ColumnCount)
    {
        _scratch = scratch;
        var kind = Kind(host.Format, host.RowCount);
        Products = ProductLayout.Of(kind, host.RowCount, host.ColumnCount);
        scratch.Want(Products);
        var rowBytes = RowBytes(kind, host.ColumnCount);
        try
        {
            _data = new CudaBuffer(context, ledger, MemoryCategory.Weights, host.RowCount * rowBytes);
            if (host.Format.CodeBits() > 0)
            {
                var bytes = GroupMeta.BytesOf(host.RowCount, host.ColumnCount, host.GroupSize);
                _groups = new CudaBuffer(context, ledger, MemoryCategory.Weights, bytes);
                UploadGroups(context, host);
            }
            if (host.Bias is not null)
            {
                _bias = new CudaBuffer(context, ledger, MemoryCategory.Weights, host.Bias.Length * sizeof(float));
                fixed (float* bias = host.Bias) context.Upload(_bias.Address, bias, _bias.ByteCount);
            }
            var (target, keepsBytes) = (_data.Address, KeepsBytes(host.Format, kind));
            host.ForPieces((piece, first, end) =>
            {
                if (!keepsBytes) UploadWidened(context, piece, kind, rowBytes, first, end);
                else context.Upload(target + (nint)(first * rowBytes), piece.Data + first * rowBytes, (end - first) * rowBytes);
                context.Synchronize();
            });
            context.Synchronize();
        }
        catch
        {
            Dispose();
            throw;
        }
        _rows = new()
        {
            Data = _data.Address,
            Groups = _groups?.Address ?? 0,
            Kind = (int)kind,
            Columns = host.ColumnCount,
            Group = host.GroupSize,
            Rows = host.RowCount
        };
    }

    /// <summary>How elements lie in device memory (weights.cuh, WeightKind).</summary>
    internal enum StoredKind
    {
        F32,
        F16,
        BF16,
        W4,
        W8,
    }

    /// <summary>As kernels take it.</summary>
    public WeightRows Rows => _rows;

    /// <summary>How its elements lie.</summary>
    public StoredKind Stored => (StoredKind)_rows.Kind;

    /// <summary>Scratch that dense products with it divide so.</summary>
    public ProductLayout Products { get; }

    /// <summary>Elements [N, K] or codes.</summary>
    public nint Data => _rows.Data;

    /// <summary>Bias [N] f32, or 0.</summary>
    public nint Bias => _bias?.Address ?? 0;

    /// <inheritdoc/>
    public override long ByteCount => (_data?.ByteCount ?? 0) + (_groups?.ByteCount ?? 0) + (_bias?.ByteCount ?? 0);

    /// <summary>Bytes that a weight takes in device memory.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int group, bool hasBias) =>
        BytesOf(RowBytes(Kind(format, rows), columns), format, rows, columns, group, hasBias);

    /// <summary>Bytes of scratch that products with a weight need.</summary>
    public static long PredictProductBytes(WeightFormat format, int rows, int columns) =>
        ProductLayout.Of(Kind(format, rows), rows, columns).ByteCount;

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _scratch.Release(Products);
        _data?.Dispose();
        _groups?.Dispose();
        _bias?.Dispose();
    }

    private static StoredKind Kind(WeightFormat format, int rows) => rows == 1 ? StoredKind.F32 : format switch
    {
        WeightFormat.F32 => StoredKind.F32,
        WeightFormat.F16 => StoredKind.F16,
        WeightFormat.W4 => StoredKind.W4,
        WeightFormat.W8 => StoredKind.W8,
        _ => StoredKind.BF16,
    };

    private static long RowBytes(StoredKind kind, int columns) => kind switch
    {
        StoredKind.F32 => columns * 4L,
        StoredKind.W4 => columns / 2,
        StoredKind.W8 => columns,
        _ => columns * 2L,
    };

    private static bool KeepsBytes(WeightFormat format, StoredKind kind) => kind switch
    {
        StoredKind.F32 => format == WeightFormat.F32,
        StoredKind.BF16 => format == WeightFormat.BF16,
        _ => true,
    };

    // [N, K/group] as [K/group, N]: rows that are multiplied together have neighbours.
    private void UploadGroups(CudaContext context, HostWeight host)
    {
        var (rows, perRow) = (host.RowCount, host.ColumnCount / host.GroupSize);
        var entries = new GroupMeta[(long)rows * perRow];
        for (var row = 0; row < rows; row++)
        {
            for (var group = 0; group < perRow; group++) entries[(long)group * rows + row] = host.Groups[(long)row * perRow + group];
        }
        fixed (GroupMeta* data = entries) context.Upload(_groups!.Address, data, _groups.ByteCount);
        context.Synchronize();
    }

    private void UploadWidened(CudaContext context, HostWeight host, StoredKind kind, long rowBytes, int from, int until)
    {
        var values = new float[host.ColumnCount];
        var rows = (int)Math.Clamp(StagingBytes / rowBytes, 1, until - from);
        var staging = new byte[rows * rowBytes];
        for (var first = from; first < until; first += rows)
        {
            var count = Math.Min(rows, until - first);
            fixed (byte* target = staging)
            {
                for (var row = 0; row < count; row++)
                {
                    host.DecodeRows(first + row, values);
                    ElementRows.Store(values, kind == StoredKind.F32 ? DType.F32 : DType.BF16, target + row * rowBytes);
                }
                context.Upload(_data!.Address + (nint)(first * rowBytes), target, count * rowBytes);
                context.Synchronize();
            }
        }
    }
}

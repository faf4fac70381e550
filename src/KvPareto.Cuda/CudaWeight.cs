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
    private const int Threads = 256;
    private const int StagingBytes = 32 << 20;

    private readonly CudaBuffer _data;
    private readonly CudaBuffer? _groups;
    private readonly CudaBuffer? _bias;
    private readonly WeightRows _rows;

    /// <summary>Uploads a weight.</summary>
    public CudaWeight(CudaContext context, MemoryLedger ledger, HostWeight host) : base(host.Name, host.Format, host.RowCount, host.ColumnCount)
    {
        var kind = Kind(host.Format, host.RowCount);
        var rowBytes = RowBytes(kind, host.ColumnCount);
        _data = new CudaBuffer(context, ledger, MemoryCategory.Weights, host.RowCount * rowBytes);
        if (host.Format.CodeBits() > 0)
        {
            var count = (long)host.RowCount * (host.ColumnCount / host.GroupSize);
            _groups = new CudaBuffer(context, ledger, MemoryCategory.Weights, count * GroupMeta.ByteSize);
            context.Upload(_groups.Address, host.Groups, _groups.ByteCount);
        }
        if (host.Bias is not null)
        {
            _bias = new CudaBuffer(context, ledger, MemoryCategory.Weights, host.Bias.Length * sizeof(float));
            fixed (float* bias = host.Bias) context.Upload(_bias.Address, bias, _bias.ByteCount);
        }
        var keepsBytes = KeepsBytes(host.Format, kind);
        host.ForPieces((piece, first, end) =>
        {
            if (!keepsBytes) UploadWidened(context, piece, kind, rowBytes, first, end);
            else context.Upload(_data.Address + (nint)(first * rowBytes), piece.Data + first * rowBytes, (end - first) * rowBytes);
            context.Synchronize();
        });
        if (kind == StoredKind.W4)
        {
            var words = _data.ByteCount / sizeof(uint);
            context.Launch(context.Module("linear.cu"), "reorder_codes", new((int)((words + Threads - 1) / Threads)), Threads, new ReorderArguments { Words = _data.Address, Count = words });
        }
        context.Synchronize();
        _rows = new() { Data = _data.Address, Groups = _groups?.Address ?? 0, Kind = (int)kind, Columns = host.ColumnCount, Group = host.GroupSize };
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

    /// <summary>Elements [N, K] or codes.</summary>
    public nint Data => _data.Address;

    /// <summary>Bias [N] f32, or 0.</summary>
    public nint Bias => _bias?.Address ?? 0;

    /// <inheritdoc/>
    public override long ByteCount => _data.ByteCount + (_groups?.ByteCount ?? 0) + (_bias?.ByteCount ?? 0);

    /// <summary>Bytes that a weight takes in device memory.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int group, bool hasBias) =>
        rows * RowBytes(Kind(format, rows), columns)
        + (format.CodeBits() > 0 ? (long)rows * (columns / group) * GroupMeta.ByteSize : 0)
        + (hasBias ? rows * sizeof(float) : 0);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _data.Dispose();
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
                    host.DecodeRow(first + row, values);
                    var to = target + row * rowBytes;
                    if (kind == StoredKind.F32) values.CopyTo(new Span<float>(to, values.Length));
                    else for (var i = 0; i < values.Length; i++) ((ushort*)to)[i] = BFloat16.FromSingle(values[i]);
                }
                context.Upload(_data.Address + (nint)(first * rowBytes), target, count * rowBytes);
                context.Synchronize();
            }
        }
    }
}

using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>
/// A weight in PyTorch's memory: rows as they came, or codes with their groups' entries, both decoded a stripe of rows at a time. A vector
/// is f32. ggml's block formats are widened to 16 bits.
/// </summary>
internal sealed unsafe class TorchWeight : Weight
{
    private const int StagingBytes = 8 << 20;

    private readonly TorchCodes _codec;
    private readonly TorchBuffer _data;
    private readonly TorchBuffer? _entries;
    private readonly TorchBuffer? _bias;
    private readonly torch.Tensor _rows; // of _data, a vector's too
    private readonly torch.Tensor _shifts;
    private torch.Tensor[]? _parts;

    /// <summary>Uploads a weight.</summary>
    public TorchWeight(MemoryLedger ledger, TorchCodes codec, HostWeight host, DType activations)
        : base(host.Name, host.Format, host.RowCount, host.ColumnCount)
    {
        _codec = codec;
        var type = TypeOf(host.Format, host.RowCount, activations);
        var rowBytes = (int)RowBytes(type, host.Format, host.ColumnCount);
        _data = Buffer(type, host.RowCount == 1 ? [host.ColumnCount] : [host.RowCount, rowBytes / SizeOf(type)]);
        _rows = _data.Data.view(host.RowCount, -1);
        _shifts = host.Format.CodeBits() is > 0 and var bits ? codec.Shifts(bits) : codec.Nothing;
        try
        {
            var isKept = IsKept(host.Format, type);
            host.ForPieces((piece, first, end) =>
            {
                if (isKept) Fill(_data, type, host.RowCount, first, end, (row, bytes) =>
                    new ReadOnlySpan<byte>(piece.Data + row * (long)rowBytes, bytes.Length).CopyTo(bytes));
                else Fill(_data, torch.ScalarType.Float32, host.RowCount, first, end, (row, bytes) => Decode(piece, row, bytes));
            });
            if (host.Format.CodeBits() > 0)
            {
                var groups = host.ColumnCount / host.GroupSize;
                _entries = Buffer(torch.ScalarType.Int32, [host.RowCount, groups]);
                Fill(_entries, torch.ScalarType.Int32, host.RowCount, 0, host.RowCount, (row, bytes) =>
                {
                    var entries = MemoryMarshal.Cast<byte, int>(bytes);
                    for (var i = 0; i < entries.Length; i++) entries[i] = TorchCodes.Entry(host.Groups[(long)row * groups + i]);
                });
            }
            if (host.Bias is { } bias)
            {
                _bias = Buffer(torch.ScalarType.Float32, [bias.Length]);
                using var values = torch.tensor(bias);
                _bias.Data.copy_(values);
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        TorchBuffer Buffer(torch.ScalarType element, long[] size) =>
            new(ledger, MemoryCategory.Weights, torch.empty(size, dtype: element, device: codec.Device));
    }

    /// <summary>A vector's values [K] f32.</summary>
    public torch.Tensor Vector => _data.Data;

    /// <summary>As Scripts/elements.py takes it.</summary>
    public torch.Tensor[] Parts => _parts ??= [_rows, _entries?.Data ?? _codec.Nothing, _bias?.Data ?? _codec.Nothing, _shifts];

    /// <inheritdoc/>
    public override long ByteCount => _data.ByteCount + (_entries?.ByteCount ?? 0) + (_bias?.ByteCount ?? 0);

    /// <summary>Bytes that a weight takes.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int group, bool hasBias, DType activations) =>
        rows * RowBytes(TypeOf(format, rows, activations), format, columns)
        + (format.CodeBits() > 0 ? (long)rows * (columns / group) * GroupMeta.ByteSize : 0)
        + (hasBias ? rows * sizeof(float) : 0);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _rows.Dispose();
        _data.Dispose();
        _entries?.Dispose();
        _bias?.Dispose();
    }

    private static torch.ScalarType TypeOf(WeightFormat format, int rows, DType activations) =>
        rows == 1 ? torch.ScalarType.Float32 : format switch
        {
            WeightFormat.F32 => torch.ScalarType.Float32,
            WeightFormat.F16 => torch.ScalarType.Float16,
            WeightFormat.BF16 => torch.ScalarType.BFloat16,
            _ when format.CodeBits() > 0 => torch.ScalarType.Byte,
            _ => activations == DType.BF16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float16,
        };

    private static int SizeOf(torch.ScalarType type) =>
        type switch { torch.ScalarType.Float32 or torch.ScalarType.Int32 => 4, torch.ScalarType.Byte => 1, _ => 2 };

    private static long RowBytes(torch.ScalarType type, WeightFormat format, int columns) =>
        format.CodeBits() is > 0 and var bits && type == torch.ScalarType.Byte ? (long)columns * bits / 8 : (long)columns * SizeOf(type);

    private static bool IsKept(WeightFormat format, torch.ScalarType type) => (format, type) is
        (WeightFormat.F32, torch.ScalarType.Float32) or (WeightFormat.F16, torch.ScalarType.Float16)
            or (WeightFormat.BF16, torch.ScalarType.BFloat16) or (_, torch.ScalarType.Byte);

    private static void Decode(HostWeight host, int first, Span<byte> rows)
    {
        var values = new float[host.ColumnCount];
        var target = MemoryMarshal.Cast<byte, float>(rows);
        for (var row = 0; row < target.Length / values.Length; row++)
        {
            host.DecodeRow(first + row, values);
            values.CopyTo(target[(row * values.Length)..]);
        }
    }

    private delegate void WriteRows(int first, Span<byte> rows);

    // Through host memory some rows at a time, of the type that they are written in; on the processor straight into place where that is
    // the weight's.
    private void Fill(TorchBuffer target, torch.ScalarType type, int rowCount, int from, int until, WriteRows write)
    {
        using var flat = target.Data.view(rowCount, -1);
        var rows = (int)Math.Max(1, StagingBytes / (flat.size(1) * SizeOf(type)));
        for (var first = from; first < until; first += rows)
        {
            using var part = flat.narrow(0, first, Math.Min(rows, until - first));
            if (_codec.Device.type == DeviceType.CPU && part.dtype == type)
            {
                write(first, part.bytes);
                continue;
            }
            using var staging = torch.empty(part.shape, dtype: type);
            write(first, staging.bytes);
            part.copy_(staging);
        }
    }
}

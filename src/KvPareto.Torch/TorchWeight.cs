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

    private readonly List<TorchBuffer> _buffers = [];

    /// <summary>Uploads a weight.</summary>
    public TorchWeight(MemoryLedger ledger, TorchCodes codec, HostWeight host, DType activations)
        : base(host.Name, host.Format, host.RowCount, host.ColumnCount)
    {
        var type = TypeOf(host.Format, host.RowCount, activations);
        var rowBytes = (int)RowBytes(type, host.Format, host.ColumnCount);
        try
        {
            var (isKept, groups, entries, bias) = (IsKept(host.Format, type), 0, codec.Nothing, codec.Nothing);
            var rows = Keep(type, [host.RowCount, rowBytes / SizeOf(type)]);
            host.ForPieces((piece, first, end) => Fill(rows, isKept ? type : torch.ScalarType.Float32, first, end, (row, bytes) =>
            {
                if (isKept) new ReadOnlySpan<byte>(piece.Data + row * (long)rowBytes, bytes.Length).CopyTo(bytes);
                else Decode(piece, row, bytes);
            }));
            if (host.Format.CodeBits() > 0)
            {
                groups = host.ColumnCount / host.GroupSize;
                entries = Keep(torch.ScalarType.Int32, [host.RowCount, groups]);
                Fill(entries, torch.ScalarType.Int32, 0, host.RowCount, (row, bytes) =>
                {
                    var some = MemoryMarshal.Cast<byte, int>(bytes);
                    for (var i = 0; i < some.Length; i++) some[i] = TorchCodes.Entry(host.Groups[(long)row * groups + i]);
                });
            }
            if (host.Bias is { } values)
            {
                bias = Keep(torch.ScalarType.Float32, [values.Length]);
                using var source = torch.tensor(values);
                bias.copy_(source);
            }
            Vector = rows.view(-1);
            Parts = [rows, entries, bias, groups > 0 ? codec.Shifts(host.Format.CodeBits()) : codec.Nothing];
        }
        catch
        {
            Dispose();
            throw;
        }

        torch.Tensor Keep(torch.ScalarType element, long[] size)
        {
            _buffers.Add(new(ledger, MemoryCategory.Weights, torch.empty(size, dtype: element, device: codec.Device)));
            return _buffers[^1].Data;
        }
    }

    /// <summary>A vector's values [K] f32.</summary>
    public torch.Tensor? Vector { get; }

    /// <summary>As Scripts/elements.py takes it.</summary>
    public torch.Tensor[] Parts { get; } = [];

    /// <inheritdoc/>
    public override long ByteCount => _buffers.Sum(buffer => buffer.ByteCount);

    /// <summary>Bytes that a weight takes.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int group, bool hasBias, DType activations) =>
        rows * RowBytes(TypeOf(format, rows, activations), format, columns)
        + (format.CodeBits() > 0 ? (long)rows * (columns / group) * GroupMeta.ByteSize : 0)
        + (hasBias ? rows * sizeof(float) : 0);

    /// <inheritdoc/>
    public override void Dispose()
    {
        Vector?.Dispose();
        foreach (var buffer in _buffers) buffer.Dispose();
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
        var target = MemoryMarshal.Cast<byte, float>(rows);
        for (var at = 0; at < target.Length; at += host.ColumnCount) host.DecodeRow(first++, target.Slice(at, host.ColumnCount));
    }

    // Through host memory some rows at a time, of the type that they are written in.
    private static void Fill(torch.Tensor target, torch.ScalarType type, int from, int until, Action<int, Span<byte>> write)
    {
        var rows = (int)Math.Max(1, StagingBytes / (target.size(1) * SizeOf(type)));
        for (var first = from; first < until; first += rows)
        {
            using var part = target.narrow(0, first, Math.Min(rows, until - first));
            using var staging = torch.empty(part.shape, dtype: type);
            write(first, staging.bytes);
            part.copy_(staging);
        }
    }
}

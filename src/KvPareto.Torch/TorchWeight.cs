using System.Runtime.InteropServices;
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
        var (type, isKept) = Stored(host.Format, host.RowCount, activations);
        var rowBytes = (int)RowBytes(type, host.Format, host.ColumnCount);
        var (entries, bias, shifts) = (codec.Nothing, codec.Nothing, codec.Nothing);
        try
        {
            var rows = Keep(type, [host.RowCount, rowBytes / type.ElementSize()]);
            host.ForPieces((piece, first, end) => Fill(rows, isKept ? type : torch.ScalarType.Float32, first, end, (row, bytes) =>
            {
                if (isKept) new ReadOnlySpan<byte>(piece.Data + row * (long)rowBytes, bytes.Length).CopyTo(bytes);
                else piece.DecodeRows(row, MemoryMarshal.Cast<byte, float>(bytes));
            }));
            if (host.Format.CodeBits() is > 0 and var bits)
            {
                var groups = host.ColumnCount / host.GroupSize;
                entries = Keep(torch.ScalarType.Int32, [host.RowCount, groups]);
                Fill(entries, torch.ScalarType.Int32, 0, host.RowCount, (row, bytes) =>
                {
                    var some = MemoryMarshal.Cast<byte, int>(bytes);
                    for (var i = 0; i < some.Length; i++)
                    {
                        var (scale, zero) = host.Groups[(long)row * groups + i];
                        some[i] = scale << 16 | (ushort)zero;
                    }
                });
                shifts = codec.Shifts(bits);
            }
            if (host.Bias is { } values)
            {
                bias = Keep(torch.ScalarType.Float32, [values.Length]);
                using var source = torch.tensor(values);
                bias.copy_(source);
            }
            Parts = [rows, entries, bias, shifts];
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

    /// <summary>As Scripts/elements.py takes it.</summary>
    public torch.Tensor[] Parts { get; }

    public override long ByteCount => _buffers.Sum(buffer => buffer.ByteCount);

    /// <summary>Bytes that a weight takes.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int group, bool hasBias, DType activations) =>
        BytesOf(RowBytes(Stored(format, rows, activations).Type, format, columns), format, rows, columns, group, hasBias);

    public override void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
    }

    // The type that rows have here, and whether it is the one that they come in.
    private static (torch.ScalarType Type, bool IsKept) Stored(WeightFormat format, int rows, DType activations) => format switch
    {
        WeightFormat.W4 or WeightFormat.W8 => (torch.ScalarType.Byte, true),
        WeightFormat.F32 => (torch.ScalarType.Float32, true),
        _ when rows == 1 => (torch.ScalarType.Float32, false),
        WeightFormat.F16 => (torch.ScalarType.Float16, true),
        WeightFormat.BF16 => (torch.ScalarType.BFloat16, true),
        _ => (activations == DType.BF16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float16, false),
    };

    private static long RowBytes(torch.ScalarType type, WeightFormat format, int columns) =>
        (long)columns * (format.CodeBits() is > 0 and var bits ? bits : 8 * type.ElementSize()) / 8;

    // Through host memory some rows at a time, of the type that they are written in.
    private static void Fill(torch.Tensor target, torch.ScalarType type, int from, int until, Action<int, Span<byte>> write)
    {
        var rows = (int)Math.Max(1, StagingBytes / (target.size(1) * type.ElementSize()));
        for (var first = from; first < until; first += rows)
        {
            using var part = target.narrow(0, first, Math.Min(rows, until - first));
            using var staging = torch.empty(part.shape, dtype: type);
            write(first, staging.bytes);
            part.copy_(staging);
        }
    }
}

using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using TorchSharp;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Torch;

/// <summary>
/// A weight in PyTorch's memory: rows as they came, or codes with their groups' entries, both decoded a stripe of rows at a time. A vector
/// is f32. ggml's block formats are widened to 16 bits.
/// </summary>
internal sealed unsafe class TorchWeight : Weight
{
    private const int StagingBytes = 32 << 20;

    private readonly TorchCodes _codec;
    private readonly TorchBuffer _data;
    private readonly TorchBuffer? _entries;
    private readonly TorchBuffer? _bias;

    /// <summary>Uploads a weight.</summary>
    public TorchWeight(MemoryLedger ledger, TorchCodes codec, HostWeight host, DType activations)
        : base(host.Name, host.Format, host.RowCount, host.ColumnCount)
    {
        _codec = codec;
        var type = TypeOf(host.Format, host.RowCount, activations);
        var rowBytes = (int)RowBytes(type, host.Format, host.ColumnCount);
        _data = Buffer(type, host.RowCount == 1 ? [host.ColumnCount] : [host.RowCount, rowBytes / SizeOf(type)]);
        try
        {
            var isKept = IsKept(host.Format, type);
            host.ForPieces((piece, first, end) =>
            {
                if (isKept) Fill(
                    _data, rowBytes, first, end, (row, bytes) =>
                        new ReadOnlySpan<byte>(piece.Data + row * (long)rowBytes, bytes.Length).CopyTo(bytes));
                else FillWidened(piece, type, rowBytes, first, end);
            });
            if (host.Format.CodeBits() > 0)
            {
                var groups = host.ColumnCount / host.GroupSize;
                _entries = Buffer(torch.ScalarType.Int32, [host.RowCount, groups]);
                Fill(_entries, groups * sizeof(int), 0, host.RowCount, (row, bytes) =>
                    Entries(host.Groups + (long)row * groups, MemoryMarshal.Cast<byte, int>(bytes)));
            }
            if (host.Bias is { } bias)
            {
                _bias = Buffer(torch.ScalarType.Float32, [bias.Length]);
                Fill(_bias, sizeof(float), 0, bias.Length, (row, bytes) =>
                    MemoryMarshal.AsBytes(bias.AsSpan())[(row * sizeof(float))..][..bytes.Length].CopyTo(bytes));
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

    /// <inheritdoc/>
    public override long ByteCount => _data.ByteCount + (_entries?.ByteCount ?? 0) + (_bias?.ByteCount ?? 0);

    private int Bits => Format.CodeBits();

    /// <summary>Bytes that a weight takes.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int group, bool hasBias, DType activations) =>
        rows * RowBytes(TypeOf(format, rows, activations), format, columns)
        + (format.CodeBits() > 0 ? (long)rows * (columns / group) * GroupMeta.ByteSize : 0)
        + (hasBias ? rows * sizeof(float) : 0);

    /// <summary>y = x·wᵀ + b, so many elements of w decoded at once.</summary>
    public void Multiply(Tensor x, Tensor y, int stripeElements)
    {
        var (input, output, rows) = (TorchBuffer.View(x), TorchBuffer.View(y), Math.Max(1, stripeElements / ColumnCount));
        if (_entries is null) TorchScripts.Run("linear", input, _data.Data.view(RowCount, ColumnCount), _bias?.Data, output, rows);
        else TorchScripts.Run("linear_coded", input, _data.Data, _entries.Data, _bias?.Data, output, rows, Bits, _codec.Shifts(Bits));
    }

    /// <summary>x[t] = scale · row ids[t].</summary>
    public void Gather(torch.Tensor ids, Tensor x, float scale)
    {
        var output = TorchBuffer.View(x);
        if (_entries is null) TorchScripts.Run("embed", _data.Data.view(RowCount, ColumnCount), ids, output, (double)scale);
        else TorchScripts.Run("embed_coded", _data.Data, _entries.Data, ids, output, (double)scale, Bits, _codec.Shifts(Bits));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
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

    private static int SizeOf(torch.ScalarType type) => type switch { torch.ScalarType.Float32 => 4, torch.ScalarType.Byte => 1, _ => 2 };

    private static long RowBytes(torch.ScalarType type, WeightFormat format, int columns) =>
        format.CodeBits() is > 0 and var bits && type == torch.ScalarType.Byte ? (long)columns * bits / 8 : (long)columns * SizeOf(type);

    private static bool IsKept(WeightFormat format, torch.ScalarType type) => (format, type) is
        (WeightFormat.F32, torch.ScalarType.Float32) or (WeightFormat.F16, torch.ScalarType.Float16)
            or (WeightFormat.BF16, torch.ScalarType.BFloat16) or (_, torch.ScalarType.Byte);

    // GroupMeta has the scale's bits below the zero point.
    private static void Entries(GroupMeta* groups, Span<int> entries)
    {
        for (var i = 0; i < entries.Length; i++) entries[i] = groups[i].ScaleBits << 16 | (ushort)groups[i].Zero;
    }

    private void FillWidened(HostWeight host, torch.ScalarType type, int rowBytes, int from, int until)
    {
        var values = new float[host.ColumnCount];
        Fill(_data, rowBytes, from, until, (first, bytes) =>
        {
            for (var row = 0; row < bytes.Length / rowBytes; row++)
            {
                host.DecodeRow(first + row, values);
                var target = bytes.Slice(row * rowBytes, rowBytes);
                if (type == torch.ScalarType.Float32) values.CopyTo(MemoryMarshal.Cast<byte, float>(target));
                else if (type == torch.ScalarType.Float16) TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(target));
                else BFloat16Rows.Round(values, MemoryMarshal.Cast<byte, ushort>(target));
            }
        });
    }

    private delegate void WriteRows(int first, Span<byte> rows);

    // Through host memory some rows at a time; on the processor straight into place.
    private void Fill(TorchBuffer target, int rowBytes, int from, int until, WriteRows write)
    {
        var rows = Math.Max(1, StagingBytes / rowBytes);
        using var flat = target.Data.view(target.ByteCount / rowBytes, -1);
        for (var first = from; first < until; first += rows)
        {
            using var part = flat.narrow(0, first, Math.Min(rows, until - first));
            if (_codec.Device.type == DeviceType.CPU)
            {
                write(first, part.bytes);
                continue;
            }
            using var staging = torch.empty(part.shape, dtype: part.dtype);
            write(first, staging.bytes);
            part.copy_(staging);
        }
    }
}

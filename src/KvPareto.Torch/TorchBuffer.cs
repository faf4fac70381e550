using System.Runtime.InteropServices;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>Tensors that live as long as their owner and count in the backend's ledger.</summary>
internal sealed class TorchBuffer : DeviceBuffer
{
    private readonly MemoryLedger _ledger;
    private readonly MemoryCategory _category;

    /// <summary>Takes a tensor over.</summary>
    public TorchBuffer(MemoryLedger ledger, MemoryCategory category, torch.Tensor data)
    {
        (_ledger, _category, Data) = (ledger, category, data.DetachFromDisposeScope());
        ByteCount = data.numel() * data.ElementSize;
        ledger.Add(category, ByteCount);
    }

    /// <summary>The memory.</summary>
    public torch.Tensor Data { get; }

    /// <summary>A view of it that the caller disposes.</summary>
    public static torch.Tensor View(Tensor x) =>
        ((TorchBuffer)x.Buffer).Data.as_strided([x.RowCount, x.ColumnCount], [x.RowStride, 1], x.ByteOffset / x.Type.ByteSize());

    /// <summary>Copies rows to the host as f32, row after row.</summary>
    public static void ToHost(torch.Tensor rows, Span<float> destination)
    {
        using var host = TorchMemory.Scoped(() => rows.to(torch.ScalarType.Float32).contiguous().cpu());
        MemoryMarshal.Cast<byte, float>(host.bytes).CopyTo(destination);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Data.IsInvalid) return;
        Data.Dispose();
        _ledger.Remove(_category, ByteCount);
    }
}

using KvPareto.Engine.Seam;
using KvPareto.Torch.Interop;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>Tensors that live as long as their owner and count in the backend's ledger.</summary>
internal sealed class TorchBuffer : AddressedBuffer
{
    private readonly MemoryLedger _ledger;
    private readonly MemoryCategory _category;
    private readonly Dictionary<Tensor, torch.Tensor> _views = []; // as many as there are places and lengths of steps

    /// <summary>Takes a tensor over.</summary>
    public TorchBuffer(MemoryLedger ledger, MemoryCategory category, torch.Tensor data)
    {
        (_ledger, _category, Data) = (ledger, category, data);
        ByteCount = data.numel() * data.ElementSize;
        Address = TorchShim.THSTensor_data(data.Handle);
        ledger.Add(category, ByteCount);
    }

    /// <summary>The memory.</summary>
    public torch.Tensor Data { get; }

    /// <summary>A view of it, which lives as long.</summary>
    public static torch.Tensor View(Tensor x)
    {
        var buffer = (TorchBuffer)x.Buffer;
        if (buffer._views.TryGetValue(x, out var view)) return view;
        return buffer._views[x] =
            buffer.Data.as_strided([x.RowCount, x.ColumnCount], [x.RowStride, 1], x.ByteOffset / x.Type.ByteSize());
    }

    /// <summary>PyTorch's name of an element type of the seam.</summary>
    public static torch.ScalarType TypeOf(DType type) =>
        type switch { DType.F32 => torch.ScalarType.Float32, DType.F16 => torch.ScalarType.Float16, _ => torch.ScalarType.BFloat16 };

    public override void Dispose()
    {
        if (Data.IsInvalid) return;
        foreach (var view in _views.Values) view.Dispose();
        Data.Dispose();
        _ledger.Remove(_category, ByteCount);
    }
}

using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>A cache in device memory.</summary>
internal sealed unsafe class CudaKvCache : KvCache
{
    private readonly CudaContext _context;
    private readonly CudaBuffer _memory;

    public CudaKvCache(CudaContext context, MemoryLedger ledger, KvGeometry geometry, KvSpec spec, int capacity)
        : base(geometry, spec, capacity)
    {
        _context = context;
        Layout = new CudaKvLayout(geometry, spec, capacity);
        _memory = new CudaBuffer(context, ledger, MemoryCategory.KvCache, Layout.ByteCount);
        Layers = [.. Enumerable.Range(0, geometry.LayerCount).Select(layer => Layout.At(_memory.Address, layer, spec))];
        if (!spec.PreBiasKeys) return;
        try
        {
            UploadBias(geometry.KeyBias!);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where its parts lie.</summary>
    public CudaKvLayout Layout { get; }

    /// <summary>Its layers as kernels take them.</summary>
    public LayerCache[] Layers { get; }

    public override long ByteCount => _memory.ByteCount;

    public override void Dispose() => _memory.Dispose();

    protected override void TakeCore(KvCache other)
    {
        var from = (CudaKvCache)other;
        _context.MakeCurrent();
        foreach (var part in Layout.Taken(from.Layout, other.Length))
        {
            if (part.Bytes > 0) _context.Copy(_memory.Address + (nint)part.To, from._memory.Address + (nint)part.From, part.Bytes);
        }
    }

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        var image = new byte[_memory.ByteCount];
        fixed (byte* data = image)
        {
            _context.MakeCurrent();
            _context.Download(data, _memory.Address, image.Length);
            _context.Synchronize();
            var reader = new HostCacheReader(Geometry, Spec, Length);
            var ends = (Layout.Keys[layer].CodedEnd(Length), Layout.Values[layer].CodedEnd(Length));
            reader.Read(Layout.At((nint)data, layer, Spec), ends, keys, values);
        }
    }

    private void UploadBias(RotaryBias bias)
    {
        _context.MakeCurrent();
        for (var layer = 0; layer < bias.Layers.Length; layer++)
        {
            fixed (float* data = bias.Layers[layer]) _context.Upload(Layers[layer].Bias, data, bias.Layers[layer].Length * sizeof(float));
        }
        var turns = new float[(long)Capacity * Geometry.HeadDim];
        bias.Rope.Turns([.. Enumerable.Range(0, Capacity)], turns);
        fixed (float* data = turns)
            _context.Upload(_memory.Address + (nint)Layout.TurnsAt, data, MemoryMarshal.AsBytes<float>(turns).Length);
        _context.Synchronize();
    }
}

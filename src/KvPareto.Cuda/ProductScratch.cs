using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>The scratch of dense products: as large as the largest that a weight in memory asks for, and given back with it.</summary>
internal sealed class ProductScratch(CudaContext context, MemoryLedger ledger) : IDisposable
{
    private readonly SortedDictionary<long, int> _wanted = []; // bytes, and how many weights ask for so many
    private CudaBuffer? _buffer;

    /// <summary>Its address; what a product has there, the next one may overwrite.</summary>
    public nint Address => _buffer?.Address ?? 0;

    /// <summary>How many bytes it has.</summary>
    public long ByteCount => _buffer?.ByteCount ?? 0;

    /// <summary>A weight comes that asks for so many bytes.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not so many.</exception>
    public void Want(long bytes)
    {
        Fit(Math.Max(bytes, _buffer?.ByteCount ?? 0));
        _wanted[bytes] = _wanted.GetValueOrDefault(bytes) + 1;
    }

    /// <summary>One that has asked for so many is gone.</summary>
    public void Release(long bytes)
    {
        if (!_wanted.TryGetValue(bytes, out var count)) return; // the backend is gone already
        if (count == 1) _wanted.Remove(bytes);
        else _wanted[bytes] = count - 1;
        Fit(_wanted.Count == 0 ? 0 : _wanted.Keys.Last());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _buffer?.Dispose();
        _buffer = null;
        _wanted.Clear();
    }

    private void Fit(long bytes)
    {
        if (bytes == (_buffer?.ByteCount ?? 0)) return;
        context.MakeCurrent();
        context.Synchronize();
        _buffer?.Dispose();
        _buffer = null;
        if (bytes > 0) _buffer = new CudaBuffer(context, ledger, MemoryCategory.Workspace, bytes);
    }
}

using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>How the scratch of dense products with a weight is divided. From the weight's shape alone, so that memory can be predicted.</summary>
/// <param name="Workspace">cuBLASLt's.</param>
/// <param name="Strip">Rows of a weight that is not bf16, unpacked.</param>
/// <param name="Inputs">f32 inputs as bf16.</param>
internal readonly record struct ProductLayout(long Workspace, long Strip, long Inputs)
{
    /// <summary>Outputs of a strip are a multiple of this: whole tiles of the product, and outputs that stay aligned.</summary>
    public const int StripRows = 64;

    private const long MostWorkspaceBytes = 16 << 20;
    private const long MostStripBytes = 48 << 20;
    private const long MostInputBytes = 8 << 20;
    private const int InputRows = 256;
    private const int WorkspaceFactor = 4;
    private const int Alignment = 256;

    /// <summary>Of all.</summary>
    public long ByteCount => Workspace + Strip + Inputs;

    /// <summary>For products with a weight [N, K] that is stored so. A vector takes part in none.</summary>
    public static ProductLayout Of(CudaWeight.StoredKind stored, int outputs, int inputs)
    {
        if (outputs == 1) return default;
        var row = (long)inputs * sizeof(ushort);
        var strip = stored == CudaWeight.StoredKind.BF16 ? 0 : Math.Min(Math.Max(MostStripBytes / row / StripRows, 1), ((long)outputs + StripRows - 1) / StripRows) * StripRows * row;
        return new(Aligned(Math.Min(MostWorkspaceBytes, WorkspaceFactor * outputs * row)), Aligned(strip), Aligned(Math.Max(row, Math.Min(MostInputBytes, InputRows * row))));
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}

/// <summary>The scratch of dense products: as large as the largest that a weight in memory asks for, and given back with it.</summary>
internal sealed class ProductScratch(CudaContext context, MemoryLedger ledger) : IDisposable
{
    private readonly SortedDictionary<long, int> _wanted = []; // bytes, and how many weights ask for so many
    private CudaBuffer? _buffer;

    /// <summary>Its address; what a product has there, the next one may overwrite.</summary>
    public nint Address => _buffer?.Address ?? 0;

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

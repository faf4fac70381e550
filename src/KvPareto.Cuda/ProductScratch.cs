using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>The scratch of dense products: as large as the largest that a weight in memory asks for, and given back with it. What products
/// can do without is lent, together with what the borrower brings, as one piece.</summary>
internal sealed class ProductScratch(CudaContext context, MemoryLedger ledger) : IDisposable
{
    private const int Alignment = 256;

    private readonly Tally _wanted = new(); // bytes that weights ask for
    private readonly Tally _least = new();  // and that they cannot do without
    private CudaBuffer? _buffer;
    private Loan? _loan;

    /// <summary>Its address; what a product has there, the next one may overwrite.</summary>
    public nint Address => _buffer?.Address ?? 0;

    /// <summary>How many bytes it has, but for what is lent.</summary>
    public long ByteCount => _loan?.Offset ?? _buffer?.ByteCount ?? 0;

    /// <summary>A weight comes whose products divide it so.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not so many bytes.</exception>
    public void Want(in ProductLayout layout)
    {
        if (layout.ByteCount > ByteCount) Fit(Math.Max(layout.ByteCount, _wanted.Most));
        _wanted.Add(layout.ByteCount);
        _least.Add(layout.LeastByteCount);
    }

    /// <summary>It is gone.</summary>
    public void Release(in ProductLayout layout)
    {
        if (!_wanted.Remove(layout.ByteCount)) return; // the backend is gone already
        _least.Remove(layout.LeastByteCount);
        if (_loan is null) Fit(_wanted.Most);
    }

    /// <summary>Lends memory for as many pieces as there is room for; null for fewer than two, or while some is lent.</summary>
    /// <param name="bytes">That are added to it, and counted as activations.</param>
    /// <param name="pieceBytes">Of a piece.</param>
    /// <param name="most">Pieces.</param>
    /// <param name="kept">That products should keep, if they have them, unless without there is room for all pieces.</param>
    public AddressedBuffer? TryLend(long bytes, long pieceBytes, int most, long kept)
    {
        var whole = _wanted.Most + bytes;
        var count = Pieces(whole, _least.Most, Math.Min(_wanted.Most, kept), pieceBytes, most);
        if (_loan is not null || count < 2) return null;
        try
        {
            Fit(whole);
        }
        catch (InsufficientMemoryException)
        {
            Fit(_wanted.Most);
            return null;
        }
        Count(MemoryCategory.Workspace, MemoryCategory.Activations, bytes);
        return _loan = new(this, _buffer!, (whole - count * pieceBytes) / Alignment * Alignment, count * pieceBytes, bytes);
    }

    /// <summary>How many pieces there is room for.</summary>
    /// <param name="whole">Bytes of all.</param>
    /// <param name="least">That products cannot do without.</param>
    /// <param name="kept">That are left to them, unless without there is room for all pieces.</param>
    /// <param name="pieceBytes">Of a piece.</param>
    /// <param name="most">Pieces.</param>
    public static long Pieces(long whole, long least, long kept, long pieceBytes, int most)
    {
        long Beside(long left) => Math.Min(most, (whole - left - Alignment) / pieceBytes);
        return Beside(least) == most ? most : Beside(Math.Max(least, kept));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _buffer?.Dispose();
        (_buffer, _loan) = (null, null);
        _wanted.Clear();
    }

    private void Count(MemoryCategory from, MemoryCategory to, long bytes)
    {
        ledger.Remove(from, bytes);
        ledger.Add(to, bytes);
    }

    private void Fit(long bytes)
    {
        if (_loan is null && bytes == (_buffer?.ByteCount ?? 0)) return;
        context.MakeCurrent();
        context.Synchronize();
        if (_loan is null) _buffer?.Dispose();
        (_buffer, _loan) = (null, null); // what is lent stays where it is until it is given back
        if (bytes > 0) _buffer = new CudaBuffer(context, ledger, MemoryCategory.Workspace, bytes);
    }

    private void TakeBack(Loan loan, CudaBuffer buffer, long added)
    {
        Count(MemoryCategory.Activations, MemoryCategory.Workspace, added);
        if (loan == _loan)
        {
            _loan = null;
            Fit(_wanted.Most);
        }
        else buffer.Dispose();
    }

    /// <summary>What is lent: the end of a buffer.</summary>
    private sealed class Loan : AddressedBuffer
    {
        private readonly ProductScratch _owner;
        private readonly CudaBuffer _buffer;
        private readonly long _added;

        public Loan(ProductScratch owner, CudaBuffer buffer, long offset, long bytes, long added)
        {
            (_owner, _buffer, _added, Offset, ByteCount) = (owner, buffer, added, offset, bytes);
            Address = buffer.Address + (nint)offset;
        }

        /// <summary>Where it begins.</summary>
        public long Offset { get; }

        public override void Dispose()
        {
            if (Address == 0 || _buffer.Address == 0) return;
            Address = 0;
            _owner.TakeBack(this, _buffer, _added);
        }
    }

    /// <summary>Sizes that are asked for, and the largest of them.</summary>
    private sealed class Tally
    {
        private readonly SortedDictionary<long, int> _counts = [];

        public long Most => _counts.Count == 0 ? 0 : _counts.Keys.Last();

        public void Add(long bytes) => _counts[bytes] = _counts.GetValueOrDefault(bytes) + 1;

        public bool Remove(long bytes)
        {
            if (!_counts.TryGetValue(bytes, out var count)) return false;
            if (count == 1) _counts.Remove(bytes);
            else _counts[bytes] = count - 1;
            return true;
        }

        public void Clear() => _counts.Clear();
    }
}

namespace KvPareto.Engine.Seam;

/// <summary>The rows of a matrix that lies elsewhere, for example in a file: read when they are asked for, all at once or piece by
/// piece.</summary>
public abstract unsafe class HostRows
{
    /// <summary>Does something with the rows from one on up to another, which lie at an address that is valid until it returns.</summary>
    /// <param name="first">First row, a multiple of 32.</param>
    /// <param name="end">One past the last.</param>
    /// <param name="rows">Where row <paramref name="first"/> lies.</param>
    public delegate void PieceBody(int first, int end, byte* rows);

    /// <summary>First byte of all rows.</summary>
    public abstract byte* Data { get; }

    /// <summary>Goes over all rows, in pieces that begin at multiples of 32 rows.</summary>
    public abstract void ForPieces(PieceBody body);
}

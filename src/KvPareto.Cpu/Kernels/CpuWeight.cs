using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// A weight in CPU memory. A matrix lies in strips of 32 output rows (<see cref="Strip"/>), coded as it came: it is never unpacked
/// as a whole. A vector (one row, as a norm's gain) is plain f32.
/// </summary>
internal sealed unsafe class CpuWeight : Weight
{
    private readonly NativeBuffer _memory; // [strips, StripBytes], or [K] f32 for a vector; then the bias [N] f32, if there is one
    private readonly bool _hasBias;

    private CpuWeight(MemoryLedger ledger, HostWeight host) : base(host.Name, host.Format, host.RowCount, host.ColumnCount)
    {
        GroupSize = host.Format.CodeBits() > 0 ? host.GroupSize : 0;
        StripBytes = (nint)Strip.ByteSize(Format, ColumnCount, GroupSize);
        _hasBias = host.Bias is not null;
        _memory = new NativeBuffer(ledger, MemoryCategory.Weights, PredictByteCount(Format, RowCount, ColumnCount, GroupSize, _hasBias));
        host.Bias?.CopyTo(new Span<float>(Bias, RowCount));
    }

    /// <summary>True for a weight of one row.</summary>
    public bool IsVector => RowCount == 1;

    /// <summary>Input channels of a group of codes; 0 for the other formats.</summary>
    public int GroupSize { get; }

    /// <summary>Strips of a matrix.</summary>
    public int StripCount => Strip.Count(RowCount);

    /// <summary>Bytes from one strip to the next.</summary>
    public nint StripBytes { get; }

    /// <summary>What workers read first of a product that begins with this matrix.</summary>
    public ReadAhead Ahead { get; } = new();

    /// <summary>The elements of a vector [K].</summary>
    public float* Vector => _memory.As<float>();

    /// <summary>Bias [N], or null.</summary>
    public float* Bias => _hasBias ? (float*)(_memory.As<byte>() + _memory.ByteCount) - RowCount : null;

    /// <inheritdoc/>
    public override long ByteCount => _memory.ByteCount;

    /// <summary>Copies a weight into <paramref name="ledger"/>'s memory, repacked; <paramref name="host"/> may be disposed
    /// afterwards.</summary>
    /// <exception cref="ArgumentException">The shape, group or bias does not fit the format.</exception>
    public static CpuWeight Create(MemoryLedger ledger, HostWeight host)
    {
        Require(host, host.RowCount > 0 && host.ColumnCount > 0, "has no elements");
        Require(host, host.Bias is null || host.Bias.Length == host.RowCount, "has a bias of another length");
        var (group, groups) = (host.GroupSize, WeightFormats.StoredGroups);
        var hasGroups = groups.Contains(group) && host.ColumnCount % group == 0 && host.Groups is not null;
        Require(host, host.Format.CodeBits() == 0 || hasGroups,
            $"has groups of {group}; {string.Join(", ", groups)} dividing the columns are possible");
        Require(host, !BlockShape.IsBlocks(host.Format)
            || host.ColumnCount % BlockShape.Of(host.Format).Elements == 0, "has rows of no whole number of blocks");
        var weight = new CpuWeight(ledger, host);
        if (weight.IsVector) StripPacker.CopyVector(host, weight.Vector);
        else
        {
            try
            {
                host.ForPieces((piece, first, end) => Pack(piece, weight, first / Strip.Rows, Strip.Count(end)));
            }
            catch
            {
                weight.Dispose();
                throw;
            }
        }
        return weight;
    }

    private static void Pack(HostWeight host, CpuWeight weight, int first, int end)
    {
        if (BlockShape.IsBlocks(host.Format)) Parallel.For(first, end, strip => StripPacker.Pack(host, weight, strip));
        else for (var strip = first; strip < end; strip++) StripPacker.Pack(host, weight, strip);
    }

    /// <summary>Bytes that a weight of this shape takes in CPU memory.</summary>
    public static long PredictByteCount(WeightFormat format, int rows, int columns, int groupSize, bool hasBias) =>
        (rows == 1 ? columns * 4L : Strip.Count(rows) * Strip.ByteSize(format, columns, groupSize)) + (hasBias ? rows * 4L : 0);

    /// <summary>First byte of a strip.</summary>
    public byte* StripAt(int strip) => _memory.As<byte>() + strip * StripBytes;

    /// <summary>
    /// The lines of the block of 256 that begins at channel <paramref name="channel"/>: the first one's address, and bytes from one to
    /// the next; 0 where ggml's blocks follow each other.
    /// </summary>
    public (nint Address, nint Stride) BlockAt(int strip, int channel)
    {
        if (BlockShape.IsBlocks(Format)) return ((nint)StripAt(strip) + (nint)BlockShape.Of(Format).RowBytes(channel) * Strip.Rows, 0);
        nint line = Strip.LineBytes(Format);
        nint blockLines = Strip.Lines(Format, Strip.BlockChannels, GroupSize);
        var block = channel / Strip.BlockChannels;
        var hasPartner = (block | 1) < ColumnCount / Strip.BlockChannels;
        return hasPartner
            ? ((nint)StripAt(strip) + ((block & ~1) * blockLines + (block & 1)) * line, 2 * line)
            : ((nint)StripAt(strip) + block * blockLines * line, line);
    }

    /// <summary>Writes row <paramref name="row"/> as f32 [K]: the stored elements exactly, codes as
    /// <see cref="GroupCodec.Decode(int, GroupMeta)"/> has them.</summary>
    public void DecodeRow(int row, float* destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, RowCount);
        if (IsVector) new ReadOnlySpan<float>(Vector, ColumnCount).CopyTo(new Span<float>(destination, ColumnCount));
        else StripPacker.Unpack(this, row, destination);
    }

    /// <inheritdoc/>
    public override void Dispose() => _memory.Dispose();

    private static void Require(HostWeight host, bool condition, string what)
    {
        if (!condition) throw new ArgumentException($"weight {host.Name} [{host.RowCount}, {host.ColumnCount}] {host.Format} {what}");
    }
}

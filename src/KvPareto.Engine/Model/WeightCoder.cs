using System.Buffers;
using System.Runtime.Intrinsics;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>
/// Codes a matrix at 4 or 8 bits, round to nearest, in groups of g input channels of one output row: bit for bit what
/// <see cref="GroupCodec"/> gives, 32 channels at a time and on all cores.
/// </summary>
internal static unsafe class WeightCoder
{
    private const int Step = 32;
    private const int LargestGroup = 256;
    private const int ElementsPerTask = 1 << 16;
    private const float LargestMagnitude = 65504; // what an f16 scale is made for, and all that an f16 weight can hold

    /// <summary>Codes <paramref name="source"/>. The result's memory counts as workspace and is given back by disposing it.</summary>
    /// <param name="source">[N, K] in f32, f16, bf16 or blocks; its bias goes over unchanged.</param>
    /// <param name="file">Where it comes from, for messages.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="group">g, one of <see cref="WeightSpec.Groups"/>.</param>
    /// <param name="ledger">Where the memory counts.</param>
    /// <returns>Codes less qmin, without gaps, the lowest bits first: [N, K·bits/8] bytes, and metadata [N, K/s], s the group as it is
    /// stored.</returns>
    /// <exception cref="ConfigException">g does not divide K, or an element is not finite or beyond f16's range.</exception>
    public static HostWeight Encode(HostWeight source, string file, int bits, int group, MemoryLedger ledger)
    {
        var (rows, columns) = (source.RowCount, source.ColumnCount);
        RequireDividing(group, columns, source.Name, file);
        var metaOffset = MetaOffset(rows, columns, bits);
        var buffer = new NativeBuffer(ledger, MemoryCategory.Workspace, PredictByteCount(rows, columns, bits, group));
        var codes = buffer.As<byte>();
        var groups = (GroupMeta*)(codes + metaOffset);

        var rowsPerTask = Math.Max(1, ElementsPerTask / columns);
        var refused = 0;
        try
        {
            source.ForPieces((piece, first, end) => Parallel.For(0, (end - first + rowsPerTask - 1) / rowsPerTask, task =>
            {
                var last = Math.Min(end, first + (task + 1) * rowsPerTask);
                for (var row = first + task * rowsPerTask; row < last; row++)
                    if (!EncodeRow(piece, row, bits, group, codes, groups)) Interlocked.Exchange(ref refused, 1);
            }));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        if (refused != 0)
        {
            buffer.Dispose();
            throw new ConfigException(
                $"{file}: tensor '{source.Name}' holds a value that {bits} bits cannot carry; allowed: -65504 to 65504");
        }
        return new(source.Name, WeightFormats.OfCodes(bits), rows, columns, codes, buffer)
        {
            GroupSize = WeightFormats.StoredGroup(group),
            Groups = groups,
            Bias = source.Bias,
        };
    }

    /// <summary>Bytes that the codes and metadata of a matrix [N, K] take.</summary>
    public static long PredictByteCount(int rows, int columns, int bits, int group) =>
        MetaOffset(rows, columns, bits) + GroupMeta.BytesOf(rows, columns, WeightFormats.StoredGroup(group));

    private static long MetaOffset(int rows, int columns, int bits) => NativeBuffer.Aligned((long)rows * columns * bits / 8);

    private static bool EncodeRow(HostWeight source, int row, int bits, int group, byte* codes, GroupMeta* groups)
    {
        var (columns, stored) = (source.ColumnCount, WeightFormats.StoredGroup(group));
        var first = (long)row * columns;
        var rented = ArrayPool<float>.Shared.Rent(columns);
        try
        {
            source.DecodeRows(row, rented.AsSpan(0, columns));
            fixed (float* values = rented)
                for (var column = 0; column < columns; column += group)
                {
                    if (!TryFit(values + column, group, bits, out var meta)) return false;
                    new Span<GroupMeta>(groups + (first + column) / stored, group / stored).Fill(meta);
                    Pack(values + column, group, meta, bits, codes + (first + column) * bits / 8);
                }
            return true;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    private static bool TryFit(float* values, int count, int bits, out GroupMeta meta)
    {
        var (low, high) = (Vector256.Load(values), Vector256.Load(values));
        var finite = Vector256<int>.AllBitsSet;
        var limit = Vector256.Create(LargestMagnitude);
        for (var i = 0; i < count; i += Vector256<float>.Count)
        {
            var x = Vector256.Load(values + i);
            finite &= Vector256.LessThanOrEqual(Vector256.Abs(x), limit).AsInt32(); // false for a NaN
            (low, high) = (Vector256.MinNative(low, x), Vector256.MaxNative(high, x));
        }
        if (finite != Vector256<int>.AllBitsSet)
        {
            meta = default;
            return false;
        }
        var (min, max) = (low[0], high[0]);
        for (var lane = 1; lane < Vector256<float>.Count; lane++) (min, max) = (MathF.Min(min, low[lane]), MathF.Max(max, high[lane]));
        meta = GroupCodec.Fit(min, max, bits);
        return true;
    }

    private static void Pack(float* values, int count, GroupMeta meta, int bits, byte* packed)
    {
        if (meta.IsConstant)
        {
            var code = GroupCodec.Encode(values[0], meta, bits) - GroupCodec.MinCode(bits);
            new Span<byte>(packed, count * bits / 8).Fill((byte)(bits == 4 ? code | code << 4 : code));
            return;
        }
        var scale = Vector256.Create(meta.Scale);
        var zero = Vector256.Create((float)meta.Zero);
        for (var i = 0; i < count; i += Step)
        {
            var low = Vector256.Narrow(Codes(values + i, scale, zero, bits), Codes(values + i + 8, scale, zero, bits));
            var high = Vector256.Narrow(Codes(values + i + 16, scale, zero, bits), Codes(values + i + 24, scale, zero, bits));
            var codes = Vector256.Narrow(low, high);
            if (bits == 8)
            {
                Vector256.Store(codes, packed + i);
                continue;
            }
            var pairs = codes.AsUInt16(); // even channel | odd channel << 8
            var bytes = Vector256.Narrow((pairs | pairs >> 4) & Vector256.Create((ushort)0xff), Vector256<ushort>.Zero);
            Vector128.Store(bytes.GetLower(), packed + i / 2);
        }
    }

    // A division, not a product with the reciprocal: the codes must be those of the scalar definition to the last bit.
    private static Vector256<uint> Codes(float* values, Vector256<float> scale, Vector256<float> zero, int bits)
    {
        var code = Vector256.Round(Vector256.Load(values) / scale + zero, MidpointRounding.ToEven);
        var (min, max) = (GroupCodec.MinCode(bits), GroupCodec.MaxCode(bits));
        code = Vector256.MinNative(Vector256.MaxNative(code, Vector256.Create((float)min)), Vector256.Create((float)max));
        return (Vector256.ConvertToInt32Native(code) - Vector256.Create(min)).AsUInt32();
    }

    /// <summary>Refuses a group that does not divide a tensor's input channels.</summary>
    /// <exception cref="ConfigException">Names the tensor and the groups that do.</exception>
    public static void RequireDividing(int group, int columns, string tensor, string file)
    {
        if (columns % group == 0) return;
        var dividing = WeightSpec.Groups.Where(candidate => columns % candidate == 0).ToArray();
        var allowed = dividing.Length > 0 ? string.Join(", ", dividing) : "none, only 16-bit weights";
        throw new ConfigException(
            $"{file}: tensor '{tensor}' has {columns} input channels, which weight group {group} does not divide; allowed: {allowed}");
    }
}

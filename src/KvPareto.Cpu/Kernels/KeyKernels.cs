using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Products of queries with tiles of <see cref="KvTile.Tokens"/> packed keys. A tile holds the byte columns of its tokens side by
/// side, [bytes of a row, 16 tokens], so that a lane is a token and no sum runs across lanes.
/// </summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal static unsafe class KeyKernels<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>scores[r, t] = Σ_d q[r, d]·k[t, d] for coded keys: Σ_g s[t, g]·(Σ_d∈g q·code) + o[t, g]·Σ_d∈g q.</summary>
    /// <typeparam name="TBits">2, 4 or 8.</typeparam>
    /// <typeparam name="TRows">R.</typeparam>
    /// <param name="codes">[D·bits/8, 16] bytes.</param>
    /// <param name="scales">[G, 16] f16 bits.</param>
    /// <param name="zeros">[G, 16].</param>
    /// <param name="headDim">D.</param>
    /// <param name="group">D/G.</param>
    /// <param name="queries">[R, D].</param>
    /// <param name="sums">[R, G]: Σ_d∈g q[r, d].</param>
    /// <param name="scores">[R, …].</param>
    /// <param name="stride">From one row of scores to the next.</param>
    public static void DotCodes<TBits,
        TRows>(byte* codes, ushort* scales, short* zeros, int headDim, int group, float* queries, float* sums, float* scores, int stride)
        where TBits : struct, IConstant
        where TRows : struct, IConstant
    {
        var groups = headDim / group;
        var perByte = 8 / TBits.Value;
        for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
        {
            TFloat total0 = TLanes.Zero, total1 = TLanes.Zero, total2 = TLanes.Zero, total3 = TLanes.Zero;
            for (var g = 0; g < groups; g++)
            {
                TFloat a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
                TFloat b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
                var first = codes + (long)(g * group / perByte) * KvTile.Tokens + lane;
                SumCodes<TBits,
                    TRows>(first, queries + g * group, group, headDim, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                var (scale, offset) = TLanes.Groups(scales + g * KvTile.Tokens + lane, zeros + g * KvTile.Tokens + lane);
                total0 = Finish(total0, a0, b0, scale, offset, sums[g]);
                if (TRows.Value > 1) total1 = Finish(total1, a1, b1, scale, offset, sums[groups + g]);
                if (TRows.Value > 2) total2 = Finish(total2, a2, b2, scale, offset, sums[2 * groups + g]);
                if (TRows.Value > 3) total3 = Finish(total3, a3, b3, scale, offset, sums[3 * groups + g]);
            }
            StoreRows<TRows>(scores + lane, stride, total0, total1, total2, total3);
        }
    }

    /// <summary>scores[r, t] = constants[r] + Σ_d q[r, d]·code[t, d]: keys whose scales are in the queries.</summary>
    /// <typeparam name="TBits">2, 4 or 8.</typeparam>
    /// <typeparam name="TRows">R.</typeparam>
    /// <param name="codes">[D·bits/8, 16] bytes.</param>
    /// <param name="headDim">D.</param>
    /// <param name="queries">[R, D].</param>
    /// <param name="constants">[R].</param>
    /// <param name="scores">[R, …].</param>
    /// <param name="stride">From one row of scores to the next.</param>
    public static void DotScaledCodes<TBits, TRows>(byte* codes, int headDim, float* queries, float* constants, float* scores, int stride)
        where TBits : struct, IConstant
        where TRows : struct, IConstant
    {
        for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
        {
            TFloat a0 = TLanes.Broadcast(constants[0]), a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
            TFloat b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
            if (TRows.Value > 1) a1 = TLanes.Broadcast(constants[1]);
            if (TRows.Value > 2) a2 = TLanes.Broadcast(constants[2]);
            if (TRows.Value > 3) a3 = TLanes.Broadcast(constants[3]);
            SumCodes<TBits, TRows>(codes + lane, queries, headDim, headDim, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
            StoreRows<TRows>(scores + lane, stride, TLanes.Add(a0, b0), TLanes.Add(a1, b1), TLanes.Add(a2, b2), TLanes.Add(a3, b3));
        }
    }

    /// <summary>scores[r, t] = Σ_d q[r, d]·k[t, d] for uncoded keys.</summary>
    /// <typeparam name="TBits">16 (f16) or 32 (f32).</typeparam>
    /// <typeparam name="TRows">R.</typeparam>
    /// <param name="tile">[D, 16] elements.</param>
    /// <param name="headDim">D, even.</param>
    /// <param name="queries">[R, D].</param>
    /// <param name="scores">[R, …].</param>
    /// <param name="stride">From one row of scores to the next.</param>
    public static void DotPlain<TBits, TRows>(byte* tile, int headDim, float* queries, float* scores, int stride)
        where TBits : struct, IConstant
        where TRows : struct, IConstant
    {
        var elementBytes = TBits.Value / 8;
        for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
        {
            TFloat a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
            TFloat b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
            var row = tile + lane * elementBytes;
            for (var d = 0; d < headDim; d += 2, row += 2 * KvTile.Tokens * elementBytes)
            {
                Step<TRows>(LoadPlain<TBits>(row), queries + d, headDim, ref a0, ref a1, ref a2, ref a3);
                Step<TRows>(LoadPlain<TBits>(row + KvTile.Tokens * elementBytes), queries + d + 1, headDim, ref b0, ref b1, ref b2, ref b3);
            }
            StoreRows<TRows>(scores + lane, stride, TLanes.Add(a0, b0), TLanes.Add(a1, b1), TLanes.Add(a2, b2), TLanes.Add(a3, b3));
        }
    }

    /// <summary>The values of a tile of coded keys as 16 columns of a panel: panel[d, t] = code·s + o. Parameters are those of
    /// <see cref="DotCodes"/>, and the panel's [D, 16] with a row stride.</summary>
    public static void UnpackCodes<TBits>(byte* codes, ushort* scales, short* zeros, int headDim, int group, float* panel, int stride)
        where TBits : struct, IConstant
    {
        var perByte = 8 / TBits.Value;
        for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
        {
            for (var g = 0; g < headDim / group; g++)
            {
                var (scale, offset) = TLanes.Groups(scales + g * KvTile.Tokens + lane, zeros + g * KvTile.Tokens + lane);
                for (var d = g * group; d < (g + 1) * group; d += perByte)
                {
                    var raw = TLanes.LoadBytes(codes + (long)(d / perByte) * KvTile.Tokens + lane);
                    for (var j = 0; j < perByte; j++)
                        TLanes.Store(
                            TLanes.MultiplyAdd(TLanes.Code(TLanes.ShiftRight(raw, j * TBits.Value), TBits.Value), scale, offset),
                                panel + (d + j) * stride + lane);
                }
            }
        }
    }

    /// <summary>The same with scales [D] and offsets [D], one a channel: panel[d, t] = code·scales[d] + offsets[d].</summary>
    public static void UnpackScaledCodes<TBits>(byte* codes, int headDim, float* scales, float* offsets, float* panel, int stride)
        where TBits : struct, IConstant
    {
        var perByte = 8 / TBits.Value;
        for (var d = 0; d < headDim; d += perByte, codes += KvTile.Tokens)
        {
            for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
            {
                var raw = TLanes.LoadBytes(codes + lane);
                for (var j = 0; j < perByte; j++)
                {
                    var code = TLanes.Code(TLanes.ShiftRight(raw, j * TBits.Value), TBits.Value);
                    TLanes.Store(
                        TLanes.MultiplyAdd(code, TLanes.Broadcast(scales[d + j]), TLanes.Broadcast(offsets[d + j])),
                            panel + (long)(d + j) * stride + lane);
                }
            }
        }
    }

    /// <summary>The values of a tile of uncoded keys, [D, 16] elements of 16 or 32 bits, as 16 columns of a panel.</summary>
    public static void UnpackPlain<TBits>(byte* tile, int headDim, float* panel, int stride)
        where TBits : struct, IConstant
    {
        for (var d = 0; d < headDim; d++)
        {
            for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width)
                TLanes.Store(LoadPlain<TBits>(tile + (d * KvTile.Tokens + lane) * (TBits.Value / 8)), panel + d * stride + lane);
        }
    }

    // Two sums a row, so that one does not wait for the other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SumCodes<TBits, TRows>(
        byte* row, float* q, int channels, int stride,
        ref TFloat a0, ref TFloat a1, ref TFloat a2, ref TFloat a3, ref TFloat b0, ref TFloat b1, ref TFloat b2, ref TFloat b3)
        where TBits : struct, IConstant
        where TRows : struct, IConstant
    {
        var end = q + channels;
        if (TBits.Value == 8)
        {
            for (; q < end; q += 2, row += 2 * KvTile.Tokens)
            {
                Step<TRows>(TLanes.Code(TLanes.LoadBytes(row), 8), q, stride, ref a0, ref a1, ref a2, ref a3);
                Step<TRows>(TLanes.Code(TLanes.LoadBytes(row + KvTile.Tokens), 8), q + 1, stride, ref b0, ref b1, ref b2, ref b3);
            }
        }
        else if (TBits.Value == 4)
        {
            for (; q < end; q += 2, row += KvTile.Tokens)
            {
                var raw = TLanes.LoadBytes(row);
                Step<TRows>(TLanes.Code(raw, 4), q, stride, ref a0, ref a1, ref a2, ref a3);
                Step<TRows>(TLanes.Code(TLanes.ShiftRight(raw, 4), 4), q + 1, stride, ref b0, ref b1, ref b2, ref b3);
            }
        }
        else
        {
            for (; q < end; q += 4, row += KvTile.Tokens)
            {
                var raw = TLanes.LoadBytes(row);
                Step<TRows>(TLanes.Code(raw, 2), q, stride, ref a0, ref a1, ref a2, ref a3);
                Step<TRows>(TLanes.Code(TLanes.ShiftRight(raw, 2), 2), q + 1, stride, ref b0, ref b1, ref b2, ref b3);
                Step<TRows>(TLanes.Code(TLanes.ShiftRight(raw, 4), 2), q + 2, stride, ref a0, ref a1, ref a2, ref a3);
                Step<TRows>(TLanes.Code(TLanes.ShiftRight(raw, 6), 2), q + 3, stride, ref b0, ref b1, ref b2, ref b3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat LoadPlain<TBits>(byte* source) where TBits : struct, IConstant =>
        TBits.Value == 16 ? TLanes.LoadHalf((ushort*)source) : TLanes.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TRows>(TFloat value, float* query, int stride, ref TFloat s0, ref TFloat s1, ref TFloat s2, ref TFloat s3)
        where TRows : struct, IConstant
    {
        s0 = TLanes.MultiplyAdd(value, TLanes.Broadcast(query[0]), s0);
        if (TRows.Value > 1) s1 = TLanes.MultiplyAdd(value, TLanes.Broadcast(query[stride]), s1);
        if (TRows.Value > 2) s2 = TLanes.MultiplyAdd(value, TLanes.Broadcast(query[2 * stride]), s2);
        if (TRows.Value > 3) s3 = TLanes.MultiplyAdd(value, TLanes.Broadcast(query[3 * stride]), s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Finish(TFloat total, TFloat a, TFloat b, TFloat scale, TFloat offset, float sum) =>
        TLanes.MultiplyAdd(offset, TLanes.Broadcast(sum), TLanes.MultiplyAdd(TLanes.Add(a, b), scale, total));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRows<TRows>(float* scores, int stride, TFloat s0, TFloat s1, TFloat s2, TFloat s3)
        where TRows : struct, IConstant
    {
        TLanes.Store(s0, scores);
        if (TRows.Value > 1) TLanes.Store(s1, scores + stride);
        if (TRows.Value > 2) TLanes.Store(s2, scores + 2 * stride);
        if (TRows.Value > 3) TLanes.Store(s3, scores + 3 * stride);
    }
}

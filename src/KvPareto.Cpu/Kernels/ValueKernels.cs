using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Weighted sums of packed values. A tile holds the packed rows of 16 tokens one after the other; a lane is a byte of a row, so
/// at fewer than 8 bits one load gives several vectors of interleaved channels, which are put in order once at the end.
/// Each call treats a block of four vectors: 4·<c>Width</c> channels.
/// </summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal static unsafe class ValueKernels<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>
    /// What coded values' scales and zero points do to the weights: scaled[r, t] = weights[r, t]·s[t] and
    /// constants[r] += Σ_t weights[r, t]·o[t], for one group of channels over a run of tiles.
    /// </summary>
    /// <typeparam name="TRows">R.</typeparam>
    /// <param name="scales">f16 bits of the first tile's 16 tokens.</param>
    /// <param name="zeros">Their zero points, as far from the scales in every tile.</param>
    /// <param name="tileStride">Elements from one tile's to the next's; 0 where all tiles share them.</param>
    /// <param name="tileCount">Tiles.</param>
    /// <param name="weights">[R, 16·tiles] with a row stride.</param>
    /// <param name="weightStride">From one row of weights to the next.</param>
    /// <param name="scaled">[R, 16·tiles] with a row stride.</param>
    /// <param name="scaledStride">From one row to the next.</param>
    /// <param name="constants">[R] with a stride.</param>
    /// <param name="constantStride">From one row's to the next's.</param>
    public static void ScaleWeights<TRows>(
        ushort* scales, short* zeros, long tileStride, int tileCount, float* weights, int weightStride, float* scaled, int scaledStride,
            float* constants, int constantStride)
        where TRows : struct, IConstant
    {
        TFloat sum0 = TLanes.Zero, sum1 = TLanes.Zero, sum2 = TLanes.Zero, sum3 = TLanes.Zero;
        for (var tile = 0; tile < tileCount; tile++, scales += tileStride, zeros += tileStride)
        {
            for (var lane = 0; lane < KvTile.Tokens; lane += TLanes.Width, weights += TLanes.Width, scaled += TLanes.Width)
            {
                var (scale, offset) = TLanes.Groups(scales + lane, zeros + lane);
                sum0 = ScaleRow(weights, scaled, scale, offset, sum0);
                if (TRows.Value > 1) sum1 = ScaleRow(weights + weightStride, scaled + scaledStride, scale, offset, sum1);
                if (TRows.Value > 2) sum2 = ScaleRow(weights + 2 * weightStride, scaled + 2 * scaledStride, scale, offset, sum2);
                if (TRows.Value > 3) sum3 = ScaleRow(weights + 3 * weightStride, scaled + 3 * scaledStride, scale, offset, sum3);
            }
        }
        constants[0] += TLanes.Sum(sum0);
        if (TRows.Value > 1) constants[constantStride] += TLanes.Sum(sum1);
        if (TRows.Value > 2) constants[2 * constantStride] += TLanes.Sum(sum2);
        if (TRows.Value > 3) constants[3 * constantStride] += TLanes.Sum(sum3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat ScaleRow(float* weights, float* scaled, TFloat scale, TFloat offset, TFloat sum)
    {
        var weight = TLanes.Load(weights);
        TLanes.Store(TLanes.Multiply(weight, scale), scaled);
        return TLanes.MultiplyAdd(weight, offset, sum);
    }

    // Of a block.
    private static int Channels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4 * TLanes.Width;
    }

    /// <summary>output[r, c] += Σ_t weights[r, g(c), t]·v[t, c] over a run of tiles, for one block of channels.</summary>
    /// <typeparam name="TBits">2, 4 or 8 (codes, without their offsets), 16 or 32 (values).</typeparam>
    /// <typeparam name="TRows">R.</typeparam>
    /// <param name="tiles">First byte of the block in the first row of the first tile.</param>
    /// <param name="tileCount">Tiles.</param>
    /// <param name="tileBytes">From one tile to the next.</param>
    /// <param name="rowBytes">From one token to the next.</param>
    /// <param name="weights">Weights of the first row and the block's first group; the scale is multiplied in.</param>
    /// <param name="groupStride">From one group's weights to the next's; 0 where all channels share them.</param>
    /// <param name="rowStride">From one row's weights to the next's.</param>
    /// <param name="group">Channels of a group.</param>
    /// <param name="output">The block's first channel of the first row.</param>
    /// <param name="outputStride">From one row of the output to the next.</param>
    public static void Accumulate<TBits, TRows>(
        byte* tiles, int tileCount, long tileBytes, int rowBytes, float* weights, int groupStride, int rowStride, int group, float* output,
            int outputStride)
        where TBits : struct, IConstant
        where TRows : struct, IConstant
    {
        TFloat a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        TFloat b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
        TFloat c0 = TLanes.Zero, c1 = TLanes.Zero, c2 = TLanes.Zero, c3 = TLanes.Zero;
        TFloat d0 = TLanes.Zero, d1 = TLanes.Zero, d2 = TLanes.Zero, d3 = TLanes.Zero;
        var w0 = weights;
        var w1 = weights + Channel<TBits>(1) / group * groupStride;
        var w2 = weights + Channel<TBits>(2) / group * groupStride;
        var w3 = weights + Channel<TBits>(3) / group * groupStride;
        var halves = weights + SecondHalf / group * groupStride;
        for (var tile = 0; tile < tileCount; tile++, tiles += tileBytes)
        {
            var row = tiles;
            for (var token = 0; token < KvTile.Tokens; token++, row += rowBytes, w0++, w1++, w2++, w3++, halves++)
            {
                Prefetch.Lines(row + KvTile.PrefetchBytes, Channels * TBits.Value / 8);
                Load<TBits>(row, out var v0, out var v1, out var v2, out var v3);
                if (TBits.Value == 2)
                {
                    Step(TLanes.Halves(w0[0], halves[0]), v0, v1, v2, v3, ref a0, ref a1, ref a2, ref a3);
                    if (TRows.Value > 1)
                        Step(TLanes.Halves(w0[rowStride], halves[rowStride]), v0, v1, v2, v3, ref b0, ref b1, ref b2, ref b3);
                    if (TRows.Value > 2)
                        Step(TLanes.Halves(w0[2 * rowStride], halves[2 * rowStride]), v0, v1, v2, v3, ref c0, ref c1, ref c2, ref c3);
                    if (TRows.Value > 3)
                        Step(TLanes.Halves(w0[3 * rowStride], halves[3 * rowStride]), v0, v1, v2, v3, ref d0, ref d1, ref d2, ref d3);
                    continue;
                }
                Step<TRows>(v0, w0, rowStride, ref a0, ref b0, ref c0, ref d0);
                Step<TRows>(v1, w1, rowStride, ref a1, ref b1, ref c1, ref d1);
                Step<TRows>(v2, w2, rowStride, ref a2, ref b2, ref c2, ref d2);
                Step<TRows>(v3, w3, rowStride, ref a3, ref b3, ref c3, ref d3);
            }
        }
        AddInOrder<TBits>(output, a0, a1, a2, a3);
        if (TRows.Value > 1) AddInOrder<TBits>(output + outputStride, b0, b1, b2, b3);
        if (TRows.Value > 2) AddInOrder<TBits>(output + 2 * outputStride, c0, c1, c2, c3);
        if (TRows.Value > 3) AddInOrder<TBits>(output + 3 * outputStride, d0, d1, d2, d3);
    }

    /// <summary>One block of one coded token's values: code·scale + offset, scales and offsets one a group of the block.</summary>
    /// <typeparam name="TBits">2, 4 or 8.</typeparam>
    /// <param name="row">First byte of the block in the token's row.</param>
    /// <param name="group">Channels of a group.</param>
    /// <param name="scales">Of the block's first group and those after it.</param>
    /// <param name="offsets">The same.</param>
    /// <param name="output">The block's first channel.</param>
    public static void UnpackCodes<TBits>(byte* row, int group, float* scales, float* offsets, float* output)
        where TBits : struct, IConstant
    {
        Load<TBits>(row, out var v0, out var v1, out var v2, out var v3);
        if (TBits.Value == 2)
        {
            var (scale, offset) =
                (TLanes.Halves(scales[0], scales[SecondHalf / group]), TLanes.Halves(offsets[0], offsets[SecondHalf / group]));
            StoreInOrder<TBits>(
                output,
                TLanes.MultiplyAdd(v0, scale, offset),
                TLanes.MultiplyAdd(v1, scale, offset),
                TLanes.MultiplyAdd(v2, scale, offset),
                TLanes.MultiplyAdd(v3, scale, offset));
            return;
        }
        StoreInOrder<TBits>(
            output,
            Scale(v0, scales, offsets, 0),
            Scale(v1, scales, offsets, Channel<TBits>(1) / group),
            Scale(v2, scales, offsets, Channel<TBits>(2) / group),
            Scale(v3, scales, offsets, Channel<TBits>(3) / group));
    }

    /// <summary>One block of one token's values (16 or 32 bits), or of its codes as numbers (2, 4 or 8).</summary>
    public static void UnpackPlain<TBits>(byte* row, float* output)
        where TBits : struct, IConstant
    {
        Load<TBits>(row, out var v0, out var v1, out var v2, out var v3);
        StoreInOrder<TBits>(output, v0, v1, v2, v3);
    }

    // At 2 bits every vector has channels of the whole block, the second half of its lanes those from here on.
    private static int SecondHalf
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Width == 1 ? 0 : 2 * TLanes.Width;
    }

    // The lowest channel of a block's vector, at 4 bits or more: which group it belongs to. A group never ends inside a vector.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Channel<TBits>(int vector) where TBits : struct, IConstant => TBits.Value switch
    {
        2 => 0,
        4 => vector / 2 * 2 * TLanes.Width,
        _ => vector * TLanes.Width,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Scale(TFloat value, float* scales, float* offsets, int group) =>
        TLanes.MultiplyAdd(value, TLanes.Broadcast(scales[group]), TLanes.Broadcast(offsets[group]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TBits>(byte* row, out TFloat v0, out TFloat v1, out TFloat v2, out TFloat v3)
        where TBits : struct, IConstant
    {
        if (TBits.Value == 2)
        {
            var raw = TLanes.LoadBytes(row);
            v0 = TLanes.Code(raw, 2);
            v1 = TLanes.Code(TLanes.ShiftRight(raw, 2), 2);
            v2 = TLanes.Code(TLanes.ShiftRight(raw, 4), 2);
            v3 = TLanes.Code(TLanes.ShiftRight(raw, 6), 2);
        }
        else if (TBits.Value == 4)
        {
            var low = TLanes.LoadBytes(row);
            var high = TLanes.LoadBytes(row + TLanes.Width);
            v0 = TLanes.Code(low, 4);
            v1 = TLanes.Code(TLanes.ShiftRight(low, 4), 4);
            v2 = TLanes.Code(high, 4);
            v3 = TLanes.Code(TLanes.ShiftRight(high, 4), 4);
        }
        else
        {
            v0 = LoadOne<TBits>(row, 0);
            v1 = LoadOne<TBits>(row, 1);
            v2 = LoadOne<TBits>(row, 2);
            v3 = LoadOne<TBits>(row, 3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat LoadOne<TBits>(byte* row, int vector) where TBits : struct, IConstant
    {
        var source = row + vector * TLanes.Width * (TBits.Value / 8);
        return TBits.Value switch
        {
            8 => TLanes.Code(TLanes.LoadBytes(source), 8),
            16 => TLanes.LoadHalf((ushort*)source),
            _ => TLanes.Load((float*)source),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TRows>(TFloat value, float* weight, int stride, ref TFloat s0, ref TFloat s1, ref TFloat s2, ref TFloat s3)
        where TRows : struct, IConstant
    {
        s0 = TLanes.MultiplyAdd(value, TLanes.Broadcast(weight[0]), s0);
        if (TRows.Value > 1) s1 = TLanes.MultiplyAdd(value, TLanes.Broadcast(weight[stride]), s1);
        if (TRows.Value > 2) s2 = TLanes.MultiplyAdd(value, TLanes.Broadcast(weight[2 * stride]), s2);
        if (TRows.Value > 3) s3 = TLanes.MultiplyAdd(value, TLanes.Broadcast(weight[3 * stride]), s3);
    }

    // One row's weights on four vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(
        TFloat weight, TFloat v0, TFloat v1, TFloat v2, TFloat v3, ref TFloat s0, ref TFloat s1, ref TFloat s2, ref TFloat s3)
    {
        s0 = TLanes.MultiplyAdd(v0, weight, s0);
        s1 = TLanes.MultiplyAdd(v1, weight, s1);
        s2 = TLanes.MultiplyAdd(v2, weight, s2);
        s3 = TLanes.MultiplyAdd(v3, weight, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Order<TBits>(ref TFloat v0, ref TFloat v1, ref TFloat v2, ref TFloat v3)
        where TBits : struct, IConstant
    {
        if (TBits.Value == 4)
        {
            (v0, v1) = TLanes.Interleave(v0, v1);
            (v2, v3) = TLanes.Interleave(v2, v3);
        }
        else if (TBits.Value == 2)
        {
            var (even0, even1) = TLanes.Interleave(v0, v2);
            var (odd0, odd1) = TLanes.Interleave(v1, v3);
            (v0, v1) = TLanes.Interleave(even0, odd0);
            (v2, v3) = TLanes.Interleave(even1, odd1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreInOrder<TBits>(float* output, TFloat v0, TFloat v1, TFloat v2, TFloat v3)
        where TBits : struct, IConstant
    {
        Order<TBits>(ref v0, ref v1, ref v2, ref v3);
        TLanes.Store(v0, output);
        TLanes.Store(v1, output + TLanes.Width);
        TLanes.Store(v2, output + 2 * TLanes.Width);
        TLanes.Store(v3, output + 3 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddInOrder<TBits>(float* output, TFloat v0, TFloat v1, TFloat v2, TFloat v3)
        where TBits : struct, IConstant
    {
        Order<TBits>(ref v0, ref v1, ref v2, ref v3);
        TLanes.Store(TLanes.Add(v0, TLanes.Load(output)), output);
        TLanes.Store(TLanes.Add(v1, TLanes.Load(output + TLanes.Width)), output + TLanes.Width);
        TLanes.Store(TLanes.Add(v2, TLanes.Load(output + 2 * TLanes.Width)), output + 2 * TLanes.Width);
        TLanes.Store(TLanes.Add(v3, TLanes.Load(output + 3 * TLanes.Width)), output + 3 * TLanes.Width);
    }
}

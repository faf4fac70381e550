// Few rows times codes of 4 or 8 bits by the tensor cores' products of 8-bit integers. Within a unit, whose columns share a group, the
// inputs are whole numbers of up to 22 bits and a sign times a power of two: three signed bytes each, which are three columns of a product.
// So codes need no more than their bits apart, bf16 inputs stay exact but for those 2^14 times smaller than the unit's largest, and sums of
// a unit are exact.

template <int BITS, int UNIT, int TILES, int STAGES> struct Codes
{
    static const int Tiles = TILES, Columns = 8 * TILES, Words = UNIT * BITS / 128, Bytes = 3, Squares = MOST_TEAMS * WARPS;
    static const bool ArePrepared = TILES > 1, IsChunked = ArePrepared; // inputs, by a launch before
    typedef Stream<BITS, UNIT, STAGES, false, IsChunked> Weights;

    u8* rows;     // [T · Bytes, K] bytes in the order in which lanes take them
    uint2* spans; // [units, Columns]: the power of two, and the sum of the bytes
    int stride;
    u32 inputs[TILES]; // this lane's place
    u32 sums;
    int share; // units of a warp in a chunk
    int units;

    __device__ __forceinline__ Codes(u8* memory, const LinearArguments& a)
    {
        int columns = a.parts[0].weight.columns, lane = threadIdx.x % 32;
        spans = (uint2*)memory;
        if (IsChunked)
        {
            units = columns / UNIT;
            share = units_of_chunk(units, a.chunks);
            columns = WARPS * share * UNIT;
        }
        rows = memory + columns / UNIT * (Columns * 8);
        stride = stride_of(columns);
        #pragma unroll
        for (int i = 0; i < TILES; i++)
            inputs[i] = shared_address(rows) + min(8 * i + lane / 4, a.rows * Bytes - 1) * stride + lane % 4 * (UNIT / 4);
        sums = shared_address(spans) + lane % 4 * 16;
    }

    // Brings all rows of x in.
    __device__ __forceinline__ void prepare(const LinearArguments& a, float (*squares)[MOST_ROWS])
    {
        if constexpr (ArePrepared) take_prepared(a, squares);
        else prepare_rows(a, 0, 0, a.rows, squares);
    }

    // What a launch before has made of these rows: sums of squares, then chunks as they lie from `spans` on.
    __device__ __forceinline__ void take_prepared(const LinearArguments& a, float (*squares)[MOST_ROWS])
    {
        for (int i = threadIdx.x; a.gain && i < Squares * MOST_ROWS; i += blockDim.x) squares[0][i] = ((const float*)a.prepared)[i];
        take_chunk(a, 0);
    }

    __device__ __forceinline__ void take_chunk(const LinearArguments& a, int chunk)
    {
        int bytes = chunk_bytes(a.rows);
        const u8* source = a.prepared + SquareBytes + (i64)chunk * chunk_bytes(MOST_ROWS) + 16 * threadIdx.x;
        u32 target = shared_address(spans) + 16 * threadIdx.x;
        for (int at = 16 * threadIdx.x; at < bytes; at += 16 * blockDim.x, target += 16 * blockDim.x, source += 16 * blockDim.x)
            copy_ahead<16>(target, source);
        wait_for_copies();
    }

    static const int SquareBytes = Squares * MOST_ROWS * 4;

    // Neighbours among rows fall on different banks.
    static __device__ __forceinline__ int stride_of(int columns)
    {
        return (columns + 127) / 128 * 128 + (Words == 4 && BITS == 4 ? 16 : 64);
    }

    // To where a pass has its chunks; returns the place before, of its sums of squares.
    __device__ __forceinline__ u8* move_to_pass(const LinearArguments& a, int pass)
    {
        u8* squares = a.prepared + pass * (SquareBytes + a.chunks * chunk_bytes(MOST_ROWS));
        rows += squares + SquareBytes - (u8*)spans;
        spans = (uint2*)(squares + SquareBytes);
        return squares;
    }

    // From a unit of a warp to its place among those of a chunk.
    __device__ __forceinline__ int shift(int warp, int begin) const { return IsChunked ? warp * share - begin : 0; }

    // Of a chunk of so many rows.
    __device__ __forceinline__ int chunk_bytes(int rows) const { return WARPS * share * (Columns * 8) + rows * Bytes * stride; }

    // A unit's number among those of its chunk, from which on those of later chunks follow at a distance.
    __device__ __forceinline__ int place_of(int unit, int& chunk) const
    {
        int warp = ((unit + 1) * WARPS - 1) / units, own = unit - warp * units / WARPS;
        chunk = own / share;
        return warp * share + own % share;
    }

    // Some of its rows, of which the first is row `first` of x.
    __device__ __forceinline__ void prepare_rows(const LinearArguments& a, int first, int begin, int end, float (*squares)[MOST_ROWS])
    {
        // As many loads before the first use as registers allow.
        if (a.gain) prepare_ahead<2, true>(a, first, begin, end, squares);
        else prepare_ahead<4, false>(a, first, begin, end, squares);
    }

    template <int AHEAD, bool NORMED> __device__ __forceinline__ void prepare_ahead(
        const LinearArguments& a, int firstRow, int begin, int end, float (*squares)[MOST_ROWS])
    {
        int eights = a.parts[0].weight.columns / 8, lane = threadIdx.x % 32;
        for (int row = begin; row < end; row++)
        {
            float square = 0;
            for (int first = threadIdx.x - lane; first < eights; first += AHEAD * blockDim.x)
            {
                Eight raw[AHEAD];
                float gains[AHEAD][8];
                #pragma unroll
                for (int i = 0; i < AHEAD; i++)
                {
                    int eight = first + i * blockDim.x + lane;
                    raw[i].clear();
                    if (eight >= eights) continue;
                    raw[i].load(a.x, firstRow + row, 8 * eight);
                    if (NORMED) load_gains(a, eight, gains[i]);
                }
                #pragma unroll
                for (int i = 0; i < AHEAD; i++)
                {
                    int eight = first + i * blockDim.x + lane;
                    if (eight - lane >= eights) continue;
                    float v[8];
                    raw[i].values(a.x.type, v);
                    if (NORMED && eight < eights) square += scale_inputs(gains[i], v);
                    convert(v, row, eight, eight < eights);
                }
            }
            if (!NORMED) continue;
            square = warp_sum(square);
            if (lane == 0) squares[threadIdx.x / 32][row] = square;
        }
    }

    // Eight columns of a row as signed bytes, by all lanes.
    __device__ __forceinline__ void convert(const float (&v)[8], int row, int eight, bool isThere)
    {
        u32 most = 0; // bits of the unit's largest magnitude; of what is no number, larger than any
        #pragma unroll
        for (int i = 0; i < 8; i++) most = max(most, __float_as_uint(v[i]) & 0x7fffffff);
        #pragma unroll
        for (int step = 1; step < UNIT / 8; step <<= 1) most = max(most, __shfl_xor_sync(0xffffffff, most, step));
        int exponent = max((int)(most >> 23), 30);
        // 2^(21 − e), 2^(e − 21)
        float up = __uint_as_float((u32)(275 - exponent) << 23), down = __uint_as_float((u32)(exponent - 21) << 23);
        if (most >= 0x7f800000) down = __uint_as_float(0x7fffffff);
        u32 n[8], planes[Bytes][2];
        #pragma unroll
        for (int i = 0; i < 8; i++)
        {
            // 3·2^22 is added for its last bit to be a one; then each byte has 128 too much. 4-bit codes of even columns come first.
            int place = BITS == 4 ? i / 2 + i % 2 * 4 : i;
            n[place] = __float_as_uint(fmaf(v[i], up, 12582912.0f)) - 0x4b400000 + 0x00808080;
        }
        #pragma unroll
        for (int i = 0; i < 2; i++)
        {
            u32 low = __byte_perm(n[4 * i], n[4 * i + 1], 0x5140), high = __byte_perm(n[4 * i + 2], n[4 * i + 3], 0x5140);
            planes[0][i] = __byte_perm(low, high, 0x5410) ^ 0x80808080;
            planes[1][i] = __byte_perm(low, high, 0x7632) ^ 0x80808080;
            planes[2][i] = __byte_perm(__byte_perm(n[4 * i], n[4 * i + 1], 0x0062), __byte_perm(n[4 * i + 2], n[4 * i + 3], 0x6200),
                0x7610) ^ 0x80808080;
        }
        // Two sums of up to 2^14 in one number.
        int sums[Bytes], pair;
        #pragma unroll
        for (int b = 0; b < Bytes; b++) sums[b] = sum_bytes(planes[b][0], sum_bytes(planes[b][1], 0));
        pair = sums[0] + sums[1] * 65536;
        #pragma unroll
        for (int step = 1; step < UNIT / 8; step <<= 1)
        {
            pair += __shfl_xor_sync(0xffffffff, pair, step);
            sums[2] += __shfl_xor_sync(0xffffffff, sums[2], step);
        }
        sums[0] = (short)pair;
        sums[1] = (pair - sums[0]) >> 16;
        if (!isThere) return;
        i64 chunkAt = 0;
        if (IsChunked)
        {
            int chunk, place = place_of(eight / (UNIT / 8), chunk);
            chunkAt = (i64)chunk * chunk_bytes(MOST_ROWS);
            eight = place * (UNIT / 8) + eight % (UNIT / 8);
        }
        #pragma unroll
        for (int b = 0; b < Bytes; b++)
        {
            *(uint2*)(rows + chunkAt + (row * Bytes + b) * stride + eight * 8) = make_uint2(planes[b][0], planes[b][1]);
            if (eight % (UNIT / 8) == 0)
                *(uint2*)((u8*)(spans + eight / (UNIT / 8) * Columns + row * Bytes + b) + chunkAt) =
                    make_uint2(__float_as_uint(down), sums[b]);
        }
    }

    // total [16, Columns] += a unit's part: scale·(code − zero), where the code has its least value in it, gives scale·(Σ x·code − zero·Σ
    // x).
    __device__ __forceinline__ void add(float (&total)[TILES][4], const Weights& w, int unit) const
    {
        const u32 Mask = 0x0f0f0f0f;
        const int Least = BITS == 4 ? 8 : 128;
        u32 upper[Words], lower[Words];
        load_shared(upper, w.source);
        load_shared(lower, w.source + Words * 4 * THREADS);
        uint2 entries = load_shared_two(w.entries());
        int products[TILES][4] = {};
        #pragma unroll
        for (int t = 0; t < TILES; t++)
        {
            u32 x[UNIT / 16];
            load_shared(x, inputs[t] + unit * UNIT);
            #pragma unroll
            for (int i = 0; i < UNIT / 32; i++)
            {
                if constexpr (BITS == 4)
                    multiply_bytes(products[t], upper[i] & Mask, lower[i] & Mask, upper[i] >> 4 & Mask, lower[i] >> 4 & Mask, x[2 * i],
                        x[2 * i + 1]);
                else multiply_bytes(products[t], upper[2 * i], lower[2 * i], upper[2 * i + 1], lower[2 * i + 1], x[2 * i], x[2 * i + 1]);
            }
        }
        float scales[2];
        int zeros[2];
        read_affine(entries.x, scales[0], zeros[0]);
        read_affine(entries.y, scales[1], zeros[1]);
        if (__any_sync(0xffffffff, (entries.x | entries.y) & 0x8000))
        {
            read_constant(entries.x, scales[0], zeros[0]);
            read_constant(entries.y, scales[1], zeros[1]);
        }
        #pragma unroll
        for (int t = 0; t < TILES; t++)
        {
            uint4 span = load_shared_four(sums + (unit * Columns + 8 * t) * 8);
            float powers[2] = { __uint_as_float(span.x), __uint_as_float(span.z) };
            int bytes[2] = { (int)span.y, (int)span.w };
            #pragma unroll
            for (int j = 0; j < 4; j++)
            {
                int product = products[t][j] - (zeros[j / 2] + Least) * bytes[j % 2]; // 2^24 and more is rounded as its sum would be
                total[t][j] = fmaf(scales[j / 2] * powers[j % 2], (float)product, total[t][j]);
            }
        }
    }

    static __device__ __forceinline__ float sum(const float* sums, int columns, int token, int output)
    {
        float parts[Bytes] = {};
        #pragma unroll
        for (int w = 0; w < WARPS; w++)
            for (int b = 0; b < Bytes; b++) parts[b] += sums[(w * columns + token * Bytes + b) * OUTPUTS + output];
        return fmaf(65536, parts[2], fmaf(256, parts[1], parts[0]));
    }

    static __device__ __forceinline__ int columns(int rows) { return rows * Bytes; }
};

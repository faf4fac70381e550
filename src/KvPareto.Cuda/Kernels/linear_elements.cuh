// Few rows times bf16 weights by the tensor cores: the inputs as bf16 too, and where LOW what f32 has beyond that as a second number.

// FAR: bf16 inputs are not brought in ahead, but with the weights.
template <bool LOW, bool FAR, int STAGES> struct Elements
{
    static const int Unit = 32, Tiles = 1, Squares = WARPS;
    static const bool ArePrepared = FAR, IsChunked = false;
    typedef Stream<16, Unit, STAGES, FAR> Weights;

    u8* rows;   // [T, K] high parts, then low ones
    int stride; // bytes of a row: two tokens' rows fall on different banks
    u32 inputs; // this lane's place
    int lowBytes;

    __device__ __forceinline__ Elements(u8* memory, const LinearArguments& a)
    {
        int columns = a.parts[0].weight.columns, lane = threadIdx.x % 32;
        rows = memory;
        stride = columns * 2 + (columns % 64 == 0 ? 64 : 0);
        lowBytes = a.rows * stride;
        inputs = shared_address(rows) + min(lane / 4, a.rows - 1) * stride + lane % 4 * 16;
    }

    __device__ __forceinline__ void take_chunk(const LinearArguments& a, int chunk) {}

    static __device__ __forceinline__ int shift(int warp, int begin) { return 0; }

    // Brings all rows of x in; returns this lane's part of a row's sum of squares by `squares`.
    __device__ __forceinline__ void prepare(const LinearArguments& a, float (*squares)[MOST_ROWS])
    {
        if constexpr (FAR) return;
        // As many loads before the first use as registers allow.
        if (a.gain) prepare_ahead<2, true>(a, squares);
        else prepare_ahead<4, false>(a, squares);
    }

    template <int AHEAD, bool NORMED> __device__ __forceinline__ void prepare_ahead(const LinearArguments& a, float (*squares)[MOST_ROWS])
    {
        int eights = a.parts[0].weight.columns / 8;
        for (int row = 0; row < a.rows; row++)
        {
            float square = 0;
            for (int first = threadIdx.x; first < eights; first += AHEAD * THREADS)
            {
                Eight raw[AHEAD];
                float gains[AHEAD][8];
                #pragma unroll
                for (int i = 0; i < AHEAD; i++)
                {
                    int eight = first + i * THREADS;
                    if (eight >= eights) continue;
                    raw[i].load(a.x, row, 8 * eight);
                    if (NORMED) load_gains(a, eight, gains[i]);
                }
                #pragma unroll
                for (int i = 0; i < AHEAD; i++)
                {
                    int eight = first + i * THREADS;
                    if (eight >= eights) continue;
                    float v[8];
                    raw[i].values(a.x.type, v);
                    if (NORMED) square += scale_inputs(gains[i], v);
                    keep(v, row, eight);
                }
            }
            if (!NORMED) continue;
            square = warp_sum(square);
            if (threadIdx.x % 32 == 0) squares[threadIdx.x / 32][row] = square;
        }
    }

    // Eight columns of a row.
    __device__ __forceinline__ void keep(const float (&v)[8], int row, int eight)
    {
        u32 high[4], low[4];
        #pragma unroll
        for (int i = 0; i < 4; i++)
        {
            high[i] = pack_bfloats(v[2 * i], v[2 * i + 1]);
            if (LOW) low[i] = pack_bfloats(v[2 * i] - low_bfloat(high[i]), v[2 * i + 1] - high_bfloat(high[i]));
        }
        *(uint4*)(rows + row * stride + eight * 16) = make_uint4(high[0], high[1], high[2], high[3]);
        if (LOW) *(uint4*)(rows + lowBytes + row * stride + eight * 16) = make_uint4(low[0], low[1], low[2], low[3]);
    }

    // total [16, 8] += a unit's part of the product: a lane's eight columns are the inner ones of two products. Which inner index a column
    // takes does not matter, as long as weights and inputs agree on it.
    __device__ __forceinline__ void add(float (&total)[Tiles][4], const Weights& w, int unit) const
    {
        uint4 upper = load_shared_four(w.source), lower = load_shared_four(w.source + 16 * THREADS);
        #pragma unroll
        for (int part = 0; part < (LOW ? 2 : 1); part++)
        {
            uint4 x = load_shared_four(FAR ? w.source + Weights::EntriesAt : inputs + part * lowBytes + unit * (Unit * 2));
            multiply_bfloats(total[0], upper.x, lower.x, upper.y, lower.y, x.x, x.y);
            multiply_bfloats(total[0], upper.z, lower.z, upper.w, lower.w, x.z, x.w);
        }
    }

    // The sum of the warps' parts [columns, OUTPUTS] for a token, which is a column.
    static __device__ __forceinline__ float sum(const float* sums, int columns, int token, int output)
    {
        float sum = 0;
        #pragma unroll
        for (int w = 0; w < WARPS; w++) sum += sums[(w * columns + token) * OUTPUTS + output];
        return sum;
    }

    static __device__ __forceinline__ int columns(int rows) { return rows; }
};

// What appending needs, be it a launch of its own (cache.cu) or part of a token's attention (decode.cu): arguments, codes, turns. Written
// without contraction, so that codes are those of the scalar definition (GroupCodec) wherever their inputs are.

#define NOT_A_NUMBER (0x8000u | 0x7fc0u) // an entry of a constant group that is none

// GroupFit of the host.
struct GroupFit
{
    float clip;
};

struct AppendArguments
{
    Matrix keys;   // [T, Nkv·D]
    Matrix values;
    const LayerCache* caches; // [S, layers]
    const int* starts;               // [S]
    float2* ranges;                  // [2·S, rangeBlocks]
    int layer;
    int rows;      // T
    int sequences; // S: 1, or T with a row each
    int width;     // D
    int heads;     // Nkv
    int rotation;  // 0 none, 1 keys, 2 both
    GroupFit fit;
    int rangeBlocks;
    int layers;
    int byToken; // sides whose rows a warp codes by itself: bit 0 keys, bit 1 values
};

static_assert(sizeof(AppendArguments) == 96, "structures differ from the host's");

static __device__ __forceinline__ int rows_of(const AppendArguments& a) { return a.sequences > 1 ? 1 : a.rows; }

// What a block treats, from its place in the grid's last dimension.
struct Target
{
    const LayerCache& cache;
    const Side& side;
    bool isKeys;
    int sequence;
    int start; // tokens before the append
    int end;
};

static __device__ __forceinline__ Target target_of(const AppendArguments& a, int place)
{
    int sequence = place / 2, start = a.starts[sequence];
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    return { cache, place % 2 == 0 ? cache.keys : cache.values, place % 2 == 0, sequence, start, start + rows_of(a) };
}

// A range that a NaN spoils for good.
static __device__ __forceinline__ void widen(float2& range, float low, float high)
{
    if (low < range.x || low != low) range.x = low;
    if (high > range.y || high != high) range.y = high;
}

static __device__ __forceinline__ float2 warp_range(float2 range)
{
    for (int step = 16; step > 0; step >>= 1)
        widen(range, __shfl_xor_sync(0xffffffff, range.x, step), __shfl_xor_sync(0xffffffff, range.y, step));
    return range;
}

// GroupCodec.Narrow.
static __device__ float2 narrow(float2 range, GroupFit fit)
{
    float clip = fit.clip;
    if (clip == 1 || range.x == range.y) return range;
    float cut = __fmul_rn(1 - clip, range.y - range.x);
    if (range.x >= 0) return make_float2(range.x, range.y - cut);
    if (range.y <= 0) return make_float2(range.x + cut, range.y);
    return make_float2(__fmul_rn(range.x, clip), __fmul_rn(range.y, clip));
}

// GroupCodec.Fit.
static __device__ u32 fit(float2 range, GroupFit fit, int bits)
{
    range = narrow(range, fit);
    float low = range.x, high = range.y;
    if (!(fabsf(low) < INFINITE) || !(fabsf(high) < INFINITE)) return NOT_A_NUMBER;
    if (low == high)
    {
        u32 magnitude = (u32)__float_as_int(fabsf(low));
        return 0x8000 | magnitude >> 16 | magnitude << 16;
    }
    float levels = (float)((1 << bits) - 1);
    float narrowest = fminf(65504, fmaxf(5.9604645e-8f, fmaxf(fabsf(low), fabsf(high)) / LARGEST_ZERO));
    float step = high / levels - low / levels;
    u16 scale = float_to_half(fminf(step, 65504));
    if (half_to_float(scale) < narrowest)
    {
        scale = float_to_half(narrowest);
        if (half_to_float(scale) < narrowest) scale++; // the next larger one
    }
    float zero = rintf((float)-(1 << (bits - 1)) - low / half_to_float(scale));
    return scale | (u32)(int)fminf(fmaxf(zero, -32768), 32767) << 16;
}

// GroupCodec.Encode, less the smallest code.
static __device__ __forceinline__ u32 encode(float x, u32 entry, int bits)
{
    int least = 1 << (bits - 1);
    if (entry & 0x8000) return (x < 0 ? -1 : 1) + least;
    float code = rintf(x / half_to_float((u16)entry) + (float)((int)entry >> 16));
    return (u32)((int)fminf(fmaxf(code, (float)-least), (float)(least - 1)) + least);
}

// A lane's channels of HEADS heads of a row, of which `count` are there: all on their way at a time.
template <int HEADS, int COUNT> static __device__ __forceinline__ void load_channels(
    float (&x)[HEADS][COUNT], const Matrix& m, int row, int firstHead, int count, int lane)
{
    const int Width = 32 * COUNT;
    int first = firstHead * Width + lane * COUNT;
    if (m.type == BF16 && ((u64)m.data & 3) == 0 && (m.stride & 1) == 0)
    {
        u32 pairs[HEADS][COUNT / 2];
        const u32* place = (const u32*)((const u16*)m.data + (i64)row * m.stride + first);
        #pragma unroll
        for (int h = 0; h < HEADS; h++)
        {
            #pragma unroll
            for (int i = 0; i < COUNT / 2; i++) pairs[h][i] = h < count ? place[h * (Width / 2) + i] : 0;
        }
        #pragma unroll
        for (int h = 0; h < HEADS; h++)
        {
            #pragma unroll
            for (int i = 0; i < COUNT / 2; i++)
            {
                x[h][2 * i] = low_bfloat(pairs[h][i]);
                x[h][2 * i + 1] = high_bfloat(pairs[h][i]);
            }
        }
        return;
    }
    #pragma unroll
    for (int h = 0; h < HEADS; h++)
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i++) x[h][i] = h < count ? at(m, row, first + h * Width + i) : 0;
    }
}

// Where the last of `end` tokens or an earlier one stays at 16 bits: null if it is coded by then.
static __device__ __forceinline__ u16* kept_row(const Side& side, int head, int token, int end, int width)
{
    if (token < side.sinkTokens) return side.sinks + ((i64)head * side.sinkTokens + token) * width;
    if (token < coded_end(side, end)) return nullptr;
    return side.ring + ((i64)head * side.ringTokens + token % side.ringTokens) * width;
}

// Two neighbours at 16 bits, which the numbers then are.
static __device__ __forceinline__ void keep_pair(u16* place, float& x, float& y)
{
    u16 low = float_to_half(x), high = float_to_half(y);
    *(u32*)place = low | (u32)high << 16;
    x = half_to_float(low);
    y = half_to_float(high);
}

// Entries of each channel of a granule of rows, of which `number(t, c)` tells; `fitted` keeps them too. By all threads of the block.
template <class Number> static __device__ __forceinline__ void fit_channels(
    const Side& side, int width, GroupFit how, u32* groups, u32* fitted, Number number)
{
    for (int c = threadIdx.x; c < width; c += blockDim.x)
    {
        float2 range = make_float2(INFINITE, -INFINITE);
        for (int t = 0; t < side.granule; t++) widen(range, number(t, c), number(t, c));
        groups[c] = fitted[c] = fit(range, how, side.bits);
    }
}

// The codes of a granule of rows.
template <class Number> static __device__ __forceinline__ void code_granule(
    const Side& side, int width, u8* codes, const u32* entries, Number number)
{
    for (int i = threadIdx.x; i < side.granule * width / 8; i += blockDim.x)
    {
        int t = i / (width / 8), c = i % (width / 8) * 8;
        u64 packed = 0;
        #pragma unroll
        for (int j = 0; j < 8; j++)
        {
            u32 entry = entries[side.groupChannels == 1 ? c + j : c / side.groupChannels];
            packed |= (u64)encode(number(t, c + j), entry, side.bits) << j * side.bits;
        }
        u8* place = codes + (i64)t * side.rowBytes + (c * side.bits >> 3);
        if (side.bits == 8) *(u64*)place = packed;
        else if (side.bits == 4) *(u32*)place = (u32)packed;
        else *(u16*)place = (u16)packed;
    }
}

// A new row as codes, by a warp, a lane some of its channels: of one coded token by token, in groups of 32 channels or more, or at 16 bits.
// Leaves what the codes stand for.
template <int COUNT> static __device__ __forceinline__ void code_row(
    const AppendArguments& a, const Side& side, int head, int token, float (&x)[COUNT], int lane)
{
    int c = lane * COUNT;
    int row = token - side.sinkTokens;
    u8* codes = side.codes + head * side.headCodes + (i64)row * side.rowBytes + (c * side.bits >> 3);
    if (side.axis == PLAIN)
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i += 2) keep_pair((u16*)codes + i, x[i], x[i + 1]);
        return;
    }
    float2 range = make_float2(INFINITE, -INFINITE);
    #pragma unroll
    for (int i = 0; i < COUNT; i++) widen(range, x[i], x[i]);
    for (int step = 1; step < side.groupChannels / COUNT; step <<= 1)
        widen(range, __shfl_xor_sync(0xffffffff, range.x, step), __shfl_xor_sync(0xffffffff, range.y, step));
    u32 entry = fit(range, a.fit, side.bits), packed = 0;
    if (c % side.groupChannels == 0)
        side.groups[head * side.headGroups + (i64)row * side.groupsPerTokenBlock + c / side.groupChannels] = entry;
    float scale, offset, least = (float)(1 << (side.bits - 1));
    read_group(entry, scale, offset);
    #pragma unroll
    for (int i = 0; i < COUNT; i++)
    {
        u32 code = encode(x[i], entry, side.bits);
        packed |= code << i * side.bits;
        x[i] = __fadd_rn(__fmul_rn((float)code - least, scale), offset);
    }
    if (COUNT * side.bits == 32) *(u32*)codes = packed;
    else if (COUNT * side.bits == 16) *(u16*)codes = (u16)packed;
    else *codes = (u8)packed;
}

// What elements.cu's `rope` does to the heads of a row, here of D channels.
struct TurnArguments
{
    AppendArguments append;
    Matrix q;
    const int* positions;
    int queryHeads;
    float scale;
    float frequencies[64];
};

static_assert(sizeof(TurnArguments) == 384, "structures differ from the host's");

// A channel's half of a turned pair, rounded to bf16 as rows in memory are.
static __device__ __forceinline__ float turned(float x, float other, float cosine, float sine)
{
    return bfloat_to_float(float_to_bfloat(__fadd_rn(__fmul_rn(x, cosine), __fmul_rn(other, sine))));
}

// Cosine and sine of a row's pair.
static __device__ __forceinline__ float2 turn_of(const TurnArguments& t, int row, int pair)
{
    float sine, cosine;
    sincosf(t.positions[row] * t.frequencies[pair], &sine, &cosine);
    return make_float2(cosine * t.scale, sine * t.scale);
}

// A lane's turns: of the lanes, the first sixteen hold the first half of a row.
template <int COUNT> struct Turn
{
    float2 turns[COUNT];

    __device__ __forceinline__ Turn() { }

    __device__ __forceinline__ void find(const TurnArguments& t, int row, int lane)
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i++) turns[i] = turn_of(t, row, lane % 16 * COUNT + i);
    }

    // From those of all pairs.
    __device__ __forceinline__ Turn(const float2* all, int lane)
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i++) turns[i] = all[lane % 16 * COUNT + i];
    }

    __device__ __forceinline__ void apply(float (&x)[COUNT], int lane) const
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i++)
        {
            float other = __shfl_xor_sync(0xffffffff, x[i], 16);
            x[i] = turned(x[i], other, turns[i].x, lane < 16 ? -turns[i].y : turns[i].y);
        }
    }
};

// Appending keys and values: what is done to them before coding, their groups, their codes. Compiled without contraction, so that codes
// are those of the scalar definition (GroupCodec) wherever their inputs are. A launch treats keys and values of all sequences: the last
// dimension of its grid counts sides, the keys of a sequence before its values.

#include "common.cuh"
#include "append.cuh"

static __device__ __forceinline__ float key_without_bias(
    const AppendArguments& a, const LayerCache& cache, int row, int head, int token, int c)
{
    float x = at(a.keys, row, head * a.width + c);
    if (cache.bias == nullptr) return x;
    int half = a.width / 2, i = c % half;
    const float* turn = cache.turns + (i64)token * a.width;
    float low = cache.bias[head * a.width + i], high = cache.bias[head * a.width + half + i];
    return x - (c < half ? low * turn[i] - high * turn[half + i] : high * turn[i] + low * turn[half + i]);
}

// New rows first … first + count − 1 of one head as they will be coded, in shared memory [count, D]. All threads of the block.
static __device__ void load_rows(float* rows, const AppendArguments& a, const Target& t, int head, int firstToken, int count)
{
    // As many loads on their way as they are, where nothing comes between.
    const Matrix& m = t.isKeys ? a.keys : a.values;
    bool isPlain = m.type == BF16 && ((u64)m.data & 15) == 0 && m.stride % 8 == 0 && a.width % 8 == 0;
    if (t.isKeys && (t.cache.bias != nullptr || t.cache.means != nullptr)) isPlain = false;
    int pieces = a.width / 8;
    #pragma unroll 8
    for (int i = threadIdx.x; isPlain && i < count * pieces; i += blockDim.x)
    {
        int token = firstToken + i / pieces, row = a.sequences > 1 ? t.sequence : token - t.start;
        uint4 x = *(const uint4*)((const u16*)m.data + (i64)row * m.stride + head * a.width + i % pieces * 8);
        float4* target = (float4*)(rows + i * 8);
        target[0] = make_float4(low_bfloat(x.x), high_bfloat(x.x), low_bfloat(x.y), high_bfloat(x.y));
        target[1] = make_float4(low_bfloat(x.z), high_bfloat(x.z), low_bfloat(x.w), high_bfloat(x.w));
    }
    for (int i = threadIdx.x; !isPlain && i < count * a.width; i += blockDim.x)
    {
        int token = firstToken + i / a.width, c = i % a.width, row = a.sequences > 1 ? t.sequence : token - t.start;
        float x = t.isKeys ? key_without_bias(a, t.cache, row, head, token, c) : at(a.values, row, head * a.width + c);
        if (t.isKeys && t.cache.means != nullptr) x -= half_to_float(t.cache.means[head * a.width + c]);
        rows[i] = x;
    }
    if (a.rotation == 2 || (a.rotation == 1 && t.isKeys)) hadamard(rows, count, a.width, a.width);
    __syncthreads();
}

// The block's range, in every thread; `parts` holds one entry a warp.
static __device__ float2 block_range(float2 range, float2* parts)
{
    range = warp_range(range);
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = range;
    __syncthreads();
    range = parts[0];
    for (int i = 1; i < blockDim.x / 32; i++) widen(range, parts[i].x, parts[i].y);
    return range;
}

// The mean of each key channel over a cache's first append. Grid [heads, sequences]; threads are channels × slices of rows.
extern "C" __global__ void freeze_means(AppendArguments a)
{
    extern __shared__ double sums[];
    let_next_start_of_many(a.rows);
    wait_for_previous();
    int sequence = blockIdx.y, head = blockIdx.x;
    if (a.starts[sequence] != 0) return;
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    int slices = blockDim.x / a.width, c = threadIdx.x % a.width, slice = threadIdx.x / a.width;
    double sum = 0;
    for (int t = slice; t < rows_of(a) && slice < slices; t += slices)
        sum += key_without_bias(a, cache, a.sequences > 1 ? sequence : t, head, t, c);
    sums[threadIdx.x] = sum;
    __syncthreads();
    if (slice > 0) return;
    for (int i = 1; i < slices; i++) sum += sums[i * a.width + c];
    cache.means[head * a.width + c] = float_to_half((float)(sum / rows_of(a)));
}

// Axis tensor: ranges of parts of an append. A block is some (token, head) rows: grid [rangeBlocks, sides].
extern "C" __global__ void tensor_ranges(AppendArguments a)
{
    extern __shared__ float rows[];
    __shared__ float2 parts[32];
    let_next_start_of_many(a.rows);
    wait_for_previous();
    Target t = target_of(a, blockIdx.y);
    if (t.side.axis != TENSOR) return;
    float2 range = make_float2(INFINITE, -INFINITE);
    for (int i = blockIdx.x; i < rows_of(a) * a.heads; i += gridDim.x)
    {
        int token = t.start + i / a.heads;
        if (token < t.side.sinkTokens) continue;
        __syncthreads();
        load_rows(rows, a, t, i % a.heads, token, 1);
        for (int c = threadIdx.x; c < a.width; c += blockDim.x) widen(range, rows[c], rows[c]);
    }
    range = block_range(range, parts);
    if (threadIdx.x == 0) a.ranges[blockIdx.y * a.rangeBlocks + blockIdx.x] = range;
}

// Axis pow2: the entries of every channel, from the first append that has some to be coded. Grid [heads, sides], at least D threads.
extern "C" __global__ void fit_powers(AppendArguments a)
{
    extern __shared__ float rows[];
    let_next_start_of_many(a.rows);
    wait_for_previous();
    Target t = target_of(a, blockIdx.y);
    const Side& side = t.side;
    int head = blockIdx.x, c = threadIdx.x;
    if (side.axis != POWER_OF_TWO || t.start > side.sinkTokens || t.end <= side.sinkTokens) return;
    float2 range = make_float2(INFINITE, -INFINITE);
    for (int token = max(t.start, side.sinkTokens); token < t.end; token++)
    {
        load_rows(rows, a, t, head, token, 1);
        if (c < a.width) widen(range, rows[c], rows[c]);
        __syncthreads();
    }
    if (c >= a.width) return;
    range = narrow(range, a.fit);
    float low = range.x, high = range.y;
    u32 entry = NOT_A_NUMBER;
    if (fabsf(low) < INFINITE && fabsf(high) < INFINITE)
    {
        float narrowest = fmaxf(fabsf(low), fabsf(high)) / 32767;
        float step = fmaxf((high - low) / (float)((1 << side.bits) - 1), narrowest);
        // The power of two that is at least the step, by its bits: a logarithm may miss one that it is itself.
        int exponent = ((__float_as_int(step) + 0x7fffff) >> 23) - 127;
        float scale = __int_as_float((min(max(exponent, -24), 15) + 127) << 23);
        float zero = rintf((float)-(1 << (side.bits - 1)) - low / scale);
        entry = float_to_half(scale) | (u32)(int)fminf(fmaxf(zero, -32768), 32767) << 16;
    }
    side.groups[head * side.headGroups + c] = entry;
}

static __device__ __forceinline__ bool is_by_token(const AppendArguments& a, const Target& t)
{
    return a.byToken >> (t.isKeys ? 0 : 1) & 1;
}

// Codes the tokens whose time has come. A block is a granule of tokens of one head: grid [granules, heads, sides].
extern "C" __global__ void encode_rows(AppendArguments a)
{
    extern __shared__ float rows[]; // [granule, D]
    __shared__ float2 parts[32];
    __shared__ u32 fitted[256]; // entries that are found here
    let_next_start_of_many(a.rows);
    wait_for_previous();
    Target target = target_of(a, blockIdx.z);
    const Side& side = target.side;
    if (is_by_token(a, target)) return;
    int head = blockIdx.y, first = coded_end(side, target.start) + blockIdx.x * side.granule;
    if (first + side.granule > coded_end(side, target.end)) return;

    // Rows that waited in the ring, then new ones.
    int waiting = min(max(target.start - first, 0), side.granule);
    if (waiting < side.granule) load_rows(rows + waiting * a.width, a, target, head, first + waiting, side.granule - waiting);
    for (int i = threadIdx.x; i < waiting * a.width; i += blockDim.x)
        rows[i] = half_to_float(side.ring[((i64)head * side.ringTokens + (first + i / a.width) % side.ringTokens) * a.width + i % a.width]);
    __syncthreads();

    int row = first - side.sinkTokens;
    u8* codes = side.codes + head * side.headCodes + (i64)row * side.rowBytes;
    if (side.axis == PLAIN)
    {
        for (int c = threadIdx.x; c < a.width; c += blockDim.x)
        {
            if (side.bits == 16) ((u16*)codes)[c] = float_to_half(rows[c]);
            else ((float*)codes)[c] = rows[c];
        }
        return;
    }

    u32* groups = side.groups + head * side.headGroups + (i64)(row / side.groupTokens) * side.groupsPerTokenBlock;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    auto number = [&](int t, int c) { return rows[t * a.width + c]; };
    if (side.axis == TOKEN)
    {
        for (int g = warp; g < side.groupsPerTokenBlock; g += blockDim.x / 32)
        {
            float2 range = make_float2(INFINITE, -INFINITE);
            for (int c = lane; c < side.groupChannels; c += 32)
                widen(range, rows[g * side.groupChannels + c], rows[g * side.groupChannels + c]);
            range = warp_range(range);
            if (lane == 0) groups[g] = fitted[g] = fit(range, a.fit, side.bits);
        }
    }
    else if (side.axis == CHANNEL)
    {
        fit_channels(side, a.width, a.fit, groups, fitted, number);
    }
    else if (side.axis == BLOCK)
    {
        float2 range = make_float2(INFINITE, -INFINITE);
        for (int i = threadIdx.x; i < side.granule * a.width; i += blockDim.x) widen(range, rows[i], rows[i]);
        range = block_range(range, parts);
        if (threadIdx.x == 0) groups[0] = fitted[0] = fit(range, a.fit, side.bits);
    }
    else if (side.axis == POWER_OF_TWO)
    {
        for (int c = threadIdx.x; c < a.width; c += blockDim.x)
            if (!(fabsf(rows[c]) < INFINITE)) groups[c] = NOT_A_NUMBER; // spoils the scale that is for good
    }
    __syncthreads();

    code_granule(side, a.width, codes, side.axis == TENSOR || side.axis == POWER_OF_TWO ? groups : fitted, number);
}

#define TOKEN_WARPS 4

// The same of sides that are coded token by token, in groups of 32 channels or more or at 16 bits, where D is 64 or 128: a warp is a new
// row of one head, a lane some of its channels. Grid [tokens / TOKEN_WARPS, heads, sides].
template <int COUNT, class Turning> static __device__ __forceinline__ void encode_token(const AppendArguments& a, Turning turning)
{
    int lane = threadIdx.x % 32, head = blockIdx.y, c = lane * COUNT;
    Target target = target_of(a, blockIdx.z);
    const Side& side = target.side;
    if (!is_by_token(a, target)) return;
    int token = coded_end(side, target.start) + blockIdx.x * TOKEN_WARPS + threadIdx.x / 32;
    if (token >= coded_end(side, target.end)) return;
    float rows[1][COUNT], (&x)[COUNT] = rows[0];
    load_channels(rows, target.isKeys ? a.keys : a.values, a.sequences > 1 ? target.sequence : max(token - target.start, 0), head, 1, lane);
    if (target.isKeys) turning(x, a.sequences > 1 ? target.sequence : token - target.start, lane);
    if (token < target.start)
    {
        // It has waited in the ring.
        #pragma unroll
        for (int i = 0; i < COUNT; i++)
            x[i] = half_to_float(side.ring[((i64)head * side.ringTokens + token % side.ringTokens) * a.width + c + i]);
    }
    else
    {
        if (target.isKeys && target.cache.bias != nullptr)
        {
            #pragma unroll
            for (int i = 0; i < COUNT; i++)
                x[i] = key_without_bias(a, target.cache, a.sequences > 1 ? target.sequence : token - target.start, head, token, c + i);
        }
        if (target.isKeys && target.cache.means != nullptr)
        {
            #pragma unroll
            for (int i = 0; i < COUNT; i++) x[i] -= half_to_float(target.cache.means[head * a.width + c + i]);
        }
        if (a.rotation == 2 || (a.rotation == 1 && target.isKeys)) hadamard_of_warp(x, lane);
    }

    code_row(a, side, head, token, x, lane);
}

struct AsTheyAre
{
    template <int COUNT> __device__ __forceinline__ void operator()(float (&)[COUNT], int, int) const { }
};

extern "C" __global__ void encode_tokens(AppendArguments a)
{
    let_next_start_of_many(a.rows);
    wait_for_previous();
    if (a.width == 128) encode_token<4>(a, AsTheyAre());
    else encode_token<2>(a, AsTheyAre());
}

#define TURNED_HEADS 4 // of queries, by a warp

// Turns do not depend on what ran before.
template <int COUNT> static __device__ __forceinline__ void turn_and_encode(const TurnArguments& t)
{
    const AppendArguments& a = t.append;
    int lane = threadIdx.x % 32, row = blockIdx.x * TOKEN_WARPS + threadIdx.x / 32, part = (int)blockIdx.z - 2 * a.sequences;
    int group = t.queryHeads / a.heads, shares = (group + TURNED_HEADS - 1) / TURNED_HEADS,
        sequence = part < 0 ? blockIdx.z / 2 : part / shares;
    if (row >= rows_of(a)) return;
    if (a.sequences > 1) row = sequence;
    Turn<COUNT> turn;
    bool isValues = part < 0 && blockIdx.z % 2 == 1;
    if (!isValues) turn.find(t, row, lane);
    wait_for_previous();
    if (part < 0 && blockIdx.z % 2 == 0 && !(a.byToken & 1))
    {
        // Keys that are coded together, by the launch that follows.
        float x[1][COUNT];
        load_channels(x, a.keys, row, blockIdx.y, 1, lane);
        turn.apply(x[0], lane);
        #pragma unroll
        for (int i = 0; i < COUNT; i += 2)
            put_pair(a.keys, row, blockIdx.y * a.width + lane * COUNT + i, make_float2(x[0][i], x[0][i + 1]));
        return;
    }
    if (part < 0)
    {
        encode_token<COUNT>(a, [&](float (&x)[COUNT], int, int lane) { turn.apply(x, lane); });
        return;
    }
    int first = part % shares * TURNED_HEADS, count = min(group - first, TURNED_HEADS);
    first += blockIdx.y * group;
    float x[TURNED_HEADS][COUNT];
    load_channels(x, t.q, row, first, count, lane);
    #pragma unroll
    for (int h = 0; h < TURNED_HEADS; h++)
    {
        if (h >= count) break;
        turn.apply(x[h], lane);
        #pragma unroll
        for (int i = 0; i < COUNT; i += 2) put_pair(t.q, row, (first + h) * a.width + lane * COUNT + i, make_float2(x[h][i], x[h][i + 1]));
    }
}

// Queries too: grid [tokens / TOKEN_WARPS, heads, sides, and for each sequence its shares of a key head's queries]. Of sides that are coded
// token by token and keep no rows beside the codes, and no means; of other keys the rows are turned where they are.
extern "C" __global__ void turn_and_encode_tokens(const __grid_constant__ TurnArguments t)
{
    touch(t);
    let_next_start_of_many(t.append.rows);
    if (t.append.width == 128) turn_and_encode<4>(t);
    else turn_and_encode<2>(t);
}

// Axis tensor: writes the append's entry for each of its tokens, before encode_rows. Grid [tokens / threads, sides].
extern "C" __global__ void fit_tensor(AppendArguments a)
{
    let_next_start_of_many(a.rows);
    wait_for_previous();
    Target t = target_of(a, blockIdx.y);
    if (t.side.axis != TENSOR) return;
    float2 range = make_float2(INFINITE, -INFINITE);
    for (int i = 0; i < a.rangeBlocks; i++)
    {
        float2 part = a.ranges[blockIdx.y * a.rangeBlocks + i];
        widen(range, part.x, part.y);
    }
    int token = t.start + blockIdx.x * blockDim.x + threadIdx.x, row = token - t.side.sinkTokens;
    if (token < t.end && row >= 0 && row < t.side.codedTokens) t.side.groups[row] = fit(range, a.fit, t.side.bits);
}

// Rows that stay at 16 bits: sinks, and those that wait in the ring. After encode_rows, since the ring's places are used again.
// A block is a new token of one head: grid [tokens, heads, sides].
extern "C" __global__ void keep_rows(AppendArguments a)
{
    extern __shared__ float rows[];
    let_next_start_of_many(a.rows);
    wait_for_previous();
    Target t = target_of(a, blockIdx.z);
    const Side& side = t.side;
    int head = blockIdx.y, token = t.start + blockIdx.x;
    if (token >= t.end || side.sinkTokens + side.ringTokens == 0) return;
    if (token >= side.sinkTokens && token < t.end - side.ringTokens) return;
    u16* place = kept_row(side, head, token, t.end, a.width);
    if (place == nullptr) return;
    load_rows(rows, a, t, head, token, 1);
    for (int c = threadIdx.x; c < a.width; c += blockDim.x) place[c] = float_to_half(rows[c]);
}

// Appending keys and values: what is done to them before coding, their groups, their codes. Compiled without contraction, so that codes
// are those of the scalar definition (GroupCodec) wherever their inputs are.

#include "common.cuh"

struct AppendArguments
{
    Matrix keys;   // [T, Nkv·D]
    Matrix values;
    const LayerCache* caches; // [S, layers]
    const int* starts;               // [S]
    float2* ranges;                  // [2, blocks of tensor_ranges]
    int layer;
    int rows;      // T
    int sequences; // S: 1, or T with a row each
    int width;     // D
    int heads;     // Nkv
    int rotation;  // 0 none, 1 keys, 2 both
    float clip;
    int isKeys;    // which side this launch treats
    int rangeBlocks;
    int layers;
};

static_assert(sizeof(AppendArguments) == 96, "structures differ from the host's");

static __device__ __forceinline__ const Side& side_of(const AppendArguments& a, const LayerCache& cache) { return a.isKeys ? cache.keys : cache.values; }

static __device__ __forceinline__ int rows_of(const AppendArguments& a) { return a.sequences > 1 ? 1 : a.rows; }

static __device__ __forceinline__ float key_without_bias(const AppendArguments& a, const LayerCache& cache, int row, int head, int token, int c)
{
    float x = at(a.keys, row, head * a.width + c);
    if (cache.bias == nullptr) return x;
    int half = a.width / 2, i = c % half;
    const float* turn = cache.turns + (i64)token * a.width;
    float low = cache.bias[head * a.width + i], high = cache.bias[head * a.width + half + i];
    return x - (c < half ? low * turn[i] - high * turn[half + i] : high * turn[i] + low * turn[half + i]);
}

// New rows first … first + count − 1 of one head as they will be coded, in shared memory [count, D]. All threads of the block.
static __device__ void load_rows(float* target, const AppendArguments& a, const LayerCache& cache, int sequence, int head, int firstToken, int count)
{
    int start = a.starts[sequence];
    for (int i = threadIdx.x; i < count * a.width; i += blockDim.x)
    {
        int token = firstToken + i / a.width, c = i % a.width, row = a.sequences > 1 ? sequence : token - start;
        float x = a.isKeys ? key_without_bias(a, cache, row, head, token, c) : at(a.values, row, head * a.width + c);
        if (a.isKeys && cache.means != nullptr) x -= half_to_float(cache.means[head * a.width + c]);
        target[i] = x;
    }
    if (a.rotation == 2 || (a.rotation == 1 && a.isKeys)) hadamard(target, count, a.width, a.width);
    __syncthreads();
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

// GroupCodec.Narrow.
static __device__ float2 narrow(float2 range, float clip)
{
    if (clip == 1 || range.x == range.y) return range;
    float cut = (1 - clip) * (range.y - range.x);
    if (range.x >= 0) return make_float2(range.x, range.y - cut);
    if (range.y <= 0) return make_float2(range.x + cut, range.y);
    return make_float2(range.x * clip, range.y * clip);
}

// GroupCodec.Fit.
static __device__ u32 fit(float2 range, float clip, int bits)
{
    const u32 NotANumber = 0x8000 | 0x7fc0;
    range = narrow(range, clip);
    float low = range.x, high = range.y;
    if (!(fabsf(low) < INFINITE) || !(fabsf(high) < INFINITE)) return NotANumber;
    if (low == high)
    {
        u32 magnitude = (u32)__float_as_int(fabsf(low));
        return 0x8000 | magnitude >> 16 | magnitude << 16;
    }
    float levels = (float)((1 << bits) - 1);
    float narrowest = fminf(65504, fmaxf(5.9604645e-8f, fmaxf(fabsf(low), fabsf(high)) / 32000));
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

// The mean of each key channel over a cache's first append. Grid [heads, sequences]; threads are channels × slices of rows.
extern "C" __global__ void freeze_means(AppendArguments a)
{
    extern __shared__ double sums[];
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

// Axis tensor: ranges of parts of an append. A block is some (token, head) rows: grid [rangeBlocks]. Sequences of one row each have
// their own range: grid [1, sequences].
extern "C" __global__ void tensor_ranges(AppendArguments a)
{
    extern __shared__ float rows[];
    __shared__ float2 parts[32];
    int sequence = blockIdx.y, start = a.starts[sequence];
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    float2 range = make_float2(INFINITE, -INFINITE);
    for (int i = blockIdx.x; i < rows_of(a) * a.heads; i += gridDim.x)
    {
        int token = start + i / a.heads;
        if (token < side_of(a, cache).sinkTokens) continue;
        __syncthreads();
        load_rows(rows, a, cache, sequence, i % a.heads, token, 1);
        for (int c = threadIdx.x; c < a.width; c += blockDim.x) widen(range, rows[c], rows[c]);
    }
    range = block_range(range, parts);
    if (threadIdx.x == 0) a.ranges[sequence * a.rangeBlocks + blockIdx.x] = range;
}

// Axis pow2: the entries of every channel, from the first append that has some to be coded. Grid [heads, sequences], at least D threads.
extern "C" __global__ void fit_powers(AppendArguments a)
{
    extern __shared__ float rows[];
    int sequence = blockIdx.y, head = blockIdx.x, c = threadIdx.x, start = a.starts[sequence], end = start + rows_of(a);
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    const Side& side = side_of(a, cache);
    if (start > side.sinkTokens || end <= side.sinkTokens) return;
    float2 range = make_float2(INFINITE, -INFINITE);
    for (int token = max(start, side.sinkTokens); token < end; token++)
    {
        load_rows(rows, a, cache, sequence, head, token, 1);
        if (c < a.width) widen(range, rows[c], rows[c]);
        __syncthreads();
    }
    if (c >= a.width) return;
    range = narrow(range, a.clip);
    float low = range.x, high = range.y;
    u32 entry = 0x8000 | 0x7fc0;
    if (fabsf(low) < INFINITE && fabsf(high) < INFINITE)
    {
        float narrowest = fmaxf(fabsf(low), fabsf(high)) / 32767;
        float step = fmaxf(fmaxf((high - low) / (float)((1 << side.bits) - 1), narrowest), 1.401298464e-45f);
        int exponent = (int)ceil(log2((double)step));
        float scale = exp2f((float)(exponent < -24 ? -24 : exponent > 15 ? 15 : exponent));
        float zero = rintf((float)-(1 << (side.bits - 1)) - low / scale);
        entry = float_to_half(scale) | (u32)(int)fminf(fmaxf(zero, -32768), 32767) << 16;
    }
    side.groups[head * side.headGroups + c] = entry;
}

// Codes the tokens whose time has come. A block is a granule of tokens of one head: grid [granules, heads, sequences].
extern "C" __global__ void encode_rows(AppendArguments a)
{
    extern __shared__ float rows[]; // [granule, D]
    __shared__ float2 parts[32];
    int sequence = blockIdx.z, head = blockIdx.y, start = a.starts[sequence], end = start + rows_of(a);
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    const Side& side = side_of(a, cache);
    int first = max(coded_end(side, start), side.sinkTokens) + blockIdx.x * side.granule;
    if (first + side.granule > max(coded_end(side, end), side.sinkTokens)) return;

    // Rows that waited in the ring, then new ones.
    int waiting = min(max(start - first, 0), side.granule);
    if (waiting < side.granule) load_rows(rows + waiting * a.width, a, cache, sequence, head, first + waiting, side.granule - waiting);
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

    u32* groups = side.groups + head * side.headGroups + (i64)(row / side.groupTokens) * side.groupsPerRun;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (side.axis == TOKEN)
    {
        for (int g = warp; g < side.groupsPerRun; g += blockDim.x / 32)
        {
            float2 range = make_float2(INFINITE, -INFINITE);
            for (int c = lane; c < side.groupChannels; c += 32) widen(range, rows[g * side.groupChannels + c], rows[g * side.groupChannels + c]);
            range = warp_range(range);
            if (lane == 0) groups[g] = fit(range, a.clip, side.bits);
        }
    }
    else if (side.axis == CHANNEL)
    {
        for (int c = threadIdx.x; c < a.width; c += blockDim.x)
        {
            float2 range = make_float2(INFINITE, -INFINITE);
            for (int t = 0; t < side.granule; t++) widen(range, rows[t * a.width + c], rows[t * a.width + c]);
            groups[c] = fit(range, a.clip, side.bits);
        }
    }
    else if (side.axis == BLOCK)
    {
        float2 range = make_float2(INFINITE, -INFINITE);
        for (int i = threadIdx.x; i < side.granule * a.width; i += blockDim.x) widen(range, rows[i], rows[i]);
        range = block_range(range, parts);
        if (threadIdx.x == 0) groups[0] = fit(range, a.clip, side.bits);
    }
    __syncthreads();

    for (int i = threadIdx.x; i < side.granule * a.width / 8; i += blockDim.x)
    {
        int t = i / (a.width / 8), c = i % (a.width / 8) * 8;
        u64 packed = 0;
        for (int j = 0; j < 8; j++)
        {
            u32 entry = groups[side.groupChannels == 1 ? c + j : c / side.groupChannels];
            packed |= (u64)encode(rows[t * a.width + c + j], entry, side.bits) << j * side.bits;
        }
        u8* target = codes + (i64)t * side.rowBytes + (c * side.bits >> 3);
        if (side.bits == 8) *(u64*)target = packed;
        else if (side.bits == 4) *(u32*)target = (u32)packed;
        else *(u16*)target = (u16)packed;
    }
}

// Axis tensor: writes the append's entry for each of its tokens, before encode_rows. Grid [tokens / threads, sequences].
extern "C" __global__ void fit_tensor(AppendArguments a)
{
    int sequence = blockIdx.y, start = a.starts[sequence];
    const Side& side = side_of(a, a.caches[sequence * a.layers + a.layer]);
    float2 range = make_float2(INFINITE, -INFINITE);
    for (int i = 0; i < a.rangeBlocks; i++) widen(range, a.ranges[sequence * a.rangeBlocks + i].x, a.ranges[sequence * a.rangeBlocks + i].y);
    int token = start + blockIdx.x * blockDim.x + threadIdx.x, row = token - side.sinkTokens;
    if (token < start + rows_of(a) && row >= 0 && row < side.codedTokens) side.groups[row] = fit(range, a.clip, side.bits);
}

// Rows that stay at 16 bits: sinks, and those that wait in the ring. After encode_rows, since the ring's places are used again.
// A block is a new token of one head: grid [tokens, heads, sequences].
extern "C" __global__ void keep_rows(AppendArguments a)
{
    extern __shared__ float rows[];
    int sequence = blockIdx.z, head = blockIdx.y, start = a.starts[sequence], end = start + rows_of(a), token = start + blockIdx.x;
    if (token >= end) return;
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    const Side& side = side_of(a, cache);
    bool isSink = token < side.sinkTokens;
    if (!isSink && (token < coded_end(side, end) || token < end - side.ringTokens)) return;
    load_rows(rows, a, cache, sequence, head, token, 1);
    u16* target = isSink
        ? side.sinks + ((i64)head * side.sinkTokens + token) * a.width
        : side.ring + ((i64)head * side.ringTokens + token % side.ringTokens) * a.width;
    for (int c = threadIdx.x; c < a.width; c += blockDim.x) target[c] = float_to_half(rows[c]);
}

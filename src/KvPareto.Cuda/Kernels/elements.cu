// Row-wise ops: embedding rows, norms, rotary embedding, gated activation, sums, conversions. Rows are the first dimension of a grid, which
// alone may exceed 65,535.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"

struct EmbedArguments
{
    WeightRows table;
    const int* ids;
    Matrix x;
    float scale;
};

static_assert(sizeof(EmbedArguments) == 64, "structures differ from the host's");

// A block is a token.
extern "C" __global__ void embed(EmbedArguments a)
{
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int row = a.ids[blockIdx.x];
    for (int c = threadIdx.x; c < a.table.columns; c += blockDim.x) put(a.x, blockIdx.x, c, a.scale * weight_at(a.table, row, c));
}

struct NormArguments
{
    Matrix x;
    Matrix y;
    const float* gain;
    int width;
    float epsilon;
};

static_assert(sizeof(NormArguments) == 48, "structures differ from the host's");

// y = x / rms(x) · gain. A block is one group of `width` columns of a row: grid [rows, groups]. A thread keeps what it has
// read, as far as that is HELD numbers.
extern "C" __global__ void rms_norm(NormArguments a)
{
    const int HELD = 8;
    __shared__ float parts[32];
    int row = blockIdx.x, first = blockIdx.y * a.width, threads = blockDim.x;
    float held[HELD], gains[HELD], sum = 0;
    #pragma unroll
    for (int i = 0; i < HELD; i++)
    {
        int c = threadIdx.x + i * threads;
        gains[i] = c < a.width ? __ldg(a.gain + c) : 0;
    }
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    #pragma unroll
    for (int i = 0; i < HELD; i++)
    {
        int c = threadIdx.x + i * threads;
        held[i] = c < a.width ? at(a.x, row, first + c) : 0;
        sum = fmaf(held[i], held[i], sum);
    }
    for (int c = threadIdx.x + HELD * threads; c < a.width; c += threads)
    {
        float x = at(a.x, row, first + c);
        sum = fmaf(x, x, sum);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = warp_sum(threadIdx.x % 32 < threads / 32 ? parts[threadIdx.x % 32] : 0);
    float factor = 1 / sqrtf(sum / a.width + a.epsilon);
    #pragma unroll
    for (int i = 0; i < HELD; i++)
    {
        int c = threadIdx.x + i * threads;
        if (c < a.width) put(a.y, row, first + c, held[i] * factor * gains[i]);
    }
    for (int c = threadIdx.x + HELD * threads; c < a.width; c += threads)
        put(a.y, row, first + c, at(a.x, row, first + c) * factor * a.gain[c]);
}

// The same of f32 rows that begin at multiples of 16 bytes, four columns at a time.
extern "C" __global__ void rms_norm_four(NormArguments a)
{
    const int HELD = 2;
    __shared__ float parts[32];
    int row = blockIdx.x, threads = blockDim.x, fours = a.width / 4;
    float4 held[HELD], gains[HELD];
    #pragma unroll
    for (int i = 0; i < HELD; i++) gains[i] = __ldg((const float4*)a.gain + min(threadIdx.x + i * threads, fours - 1));
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    const float4* x = (const float4*)((const float*)a.x.data + (i64)row * a.x.stride + blockIdx.y * a.width);
    float sum = 0;
    #pragma unroll
    for (int i = 0; i < HELD; i++) held[i] = x[min(threadIdx.x + i * threads, fours - 1)];
    #pragma unroll
    for (int i = 0; i < HELD; i++)
        if (threadIdx.x + i * threads < fours)
            sum += held[i].x * held[i].x + held[i].y * held[i].y + held[i].z * held[i].z + held[i].w * held[i].w;
    for (int c = threadIdx.x + HELD * threads; c < fours; c += threads)
        sum += x[c].x * x[c].x + x[c].y * x[c].y + x[c].z * x[c].z + x[c].w * x[c].w;
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = warp_sum(threadIdx.x % 32 < threads / 32 ? parts[threadIdx.x % 32] : 0);
    float factor = 1 / sqrtf(sum / a.width + a.epsilon);
    int first = blockIdx.y * a.width;
    for (int c = threadIdx.x, i = 0; c < fours; c += threads, i++)
    {
        float4 v = i == 0 ? held[0] : i == 1 ? held[1] : x[c], g = i == 0 ? gains[0] : i == 1 ? gains[1] : __ldg((const float4*)a.gain + c);
        put_pair(a.y, row, first + 4 * c, make_float2(v.x * factor * g.x, v.y * factor * g.y));
        put_pair(a.y, row, first + 4 * c + 2, make_float2(v.z * factor * g.z, v.w * factor * g.w));
    }
}

struct RopeArguments
{
    Matrix q;
    Matrix k;
    const int* positions;
    int queryHeads;
    int keyHeads;
    int half;
    int width; // channels of a head, of which the first 2·half turn
    float scale;
    float frequencies[128];
};

static_assert(sizeof(RopeArguments) == 576, "structures differ from the host's");

// Half-split pairs in place. A block is some heads of a row, those of k behind those of q, a thread a pair of each: grid [rows, heads /
// HEADS].
extern "C" __global__ void rope(RopeArguments a)
{
    const int HEADS = 8;
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int i = threadIdx.x, row = blockIdx.x;
    if (i >= a.half) return;
    float s, c;
    sincosf(a.positions[row] * a.frequencies[i], &s, &c);
    s *= a.scale;
    c *= a.scale;
    #pragma unroll
    for (int j = 0; j < HEADS; j++)
    {
        int head = blockIdx.y * HEADS + j;
        if (head >= a.queryHeads + a.keyHeads) break;
        const Matrix& x = head < a.queryHeads ? a.q : a.k;
        int first = (head < a.queryHeads ? head : head - a.queryHeads) * a.width;
        float low = at(x, row, first + i), high = at(x, row, first + a.half + i);
        put(x, row, first + i, low * c - high * s);
        put(x, row, first + a.half + i, high * c + low * s);
    }
}

// The same of bf16 whose pairs of neighbours are whole words, a thread two pairs of HEADS heads: grid [rows, heads / (SLOTS · HEADS)].
extern "C" __global__ void rope_two(RopeArguments a)
{
    const int HEADS = 2, SLOTS = 4;
    int twos = a.half / 2, i = threadIdx.x % twos * 2, row = blockIdx.x, first = (blockIdx.y * SLOTS + threadIdx.x / twos) * HEADS;
    float frequencies[2] = { a.frequencies[i], a.frequencies[i + 1] };
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    u32 low[HEADS], high[HEADS];
    u32* places[HEADS];
    #pragma unroll
    for (int j = 0; j < HEADS; j++)
    {
        int head = min(first + j, a.queryHeads + a.keyHeads - 1);
        const Matrix& x = head < a.queryHeads ? a.q : a.k;
        places[j] = (u32*)((u16*)x.data + (i64)row * x.stride + (head < a.queryHeads ? head : head - a.queryHeads) * a.width + i);
        low[j] = *places[j];
        high[j] = places[j][twos];
    }
    float s[2], c[2], position = a.positions[row];
    #pragma unroll
    for (int k = 0; k < 2; k++)
    {
        sincosf(position * frequencies[k], &s[k], &c[k]);
        s[k] *= a.scale;
        c[k] *= a.scale;
    }
    #pragma unroll
    for (int j = 0; j < HEADS; j++)
    {
        if (first + j >= a.queryHeads + a.keyHeads || threadIdx.x / twos >= SLOTS) break;
        float l0 = low_bfloat(low[j]), l1 = high_bfloat(low[j]), h0 = low_bfloat(high[j]), h1 = high_bfloat(high[j]);
        places[j][0] = pack_bfloats(l0 * c[0] - h0 * s[0], l1 * c[1] - h1 * s[1]);
        places[j][twos] = pack_bfloats(h0 * c[0] + l0 * s[0], h1 * c[1] + l1 * s[1]);
    }
}

struct PairArguments
{
    Matrix x;
    Matrix y;
    int columns;
};

static_assert(sizeof(PairArguments) == 40, "structures differ from the host's");

// x = silu(x)·y. Grid [rows, columns / threads].
extern "C" __global__ void silu_mul(PairArguments a)
{
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.x, blockIdx.x, c, silu_times(at(a.x, blockIdx.x, c), at(a.y, blockIdx.x, c)));
}

// The same for bf16 whose rows begin at multiples of 16 bytes, eight columns a thread: grid [rows, columns / 8 / threads].
extern "C" __global__ void silu_mul_eight(PairArguments a)
{
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * 8;
    if (c >= a.columns) return;
    uint4* place = (uint4*)((u16*)a.x.data + (i64)blockIdx.x * a.x.stride + c);
    uint4 gates = *place, ups = *(const uint4*)((const u16*)a.y.data + (i64)blockIdx.x * a.y.stride + c);
    u32 g[4] = { gates.x, gates.y, gates.z, gates.w }, u[4] = { ups.x, ups.y, ups.z, ups.w };
    #pragma unroll
    for (int i = 0; i < 4; i++)
        g[i] = pack_bfloats(silu_times(low_bfloat(g[i]), low_bfloat(u[i])), silu_times(high_bfloat(g[i]), high_bfloat(u[i])));
    *place = make_uint4(g[0], g[1], g[2], g[3]);
}

// x += y.
extern "C" __global__ void add(PairArguments a)
{
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.x, blockIdx.x, c, at(a.x, blockIdx.x, c) + at(a.y, blockIdx.x, c));
}

// y = x in y's element type.
extern "C" __global__ void convert(PairArguments a)
{
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.y, blockIdx.x, c, at(a.x, blockIdx.x, c));
}

struct BiasArguments
{
    Matrix x;
    const float* bias;
    int columns;
};

static_assert(sizeof(BiasArguments) == 32, "structures differ from the host's");

// x += bias in every row.
extern "C" __global__ void add_bias(BiasArguments a)
{
    let_next_start_of_many(gridDim.x);
    wait_for_previous();
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.x, blockIdx.x, c, at(a.x, blockIdx.x, c) + a.bias[c]);
}

struct BestArguments
{
    Matrix x;
    int columns;
    int rows;
};

static_assert(sizeof(BestArguments) == 24, "structures differ from the host's");

// Greater for a greater value, of equal ones for an earlier column; what is not a number is the greatest of all.
static __device__ __forceinline__ u64 rank_of(float value, int column)
{
    const u32 SIGN = 0x80000000;
    u32 bits = __float_as_uint(value);
    u32 order = value != value ? 0xffffffff : bits & SIGN ? ~bits : bits | SIGN;
    return (u64)order << 32 | (u32)~column;
}

static __device__ __forceinline__ u64 warp_most(u64 value)
{
    for (int step = 16; step > 0; step >>= 1)
    {
        u64 other = __shfl_xor_sync(0xffffffff, value, step);
        value = other > value ? other : value;
    }
    return value;
}

// The column of each row's highest value, in the bits of the row's first number; -1 where that is not finite. A block is a row of f32.
extern "C" __global__ void best_columns(BestArguments a)
{
    const u32 FIRST = 0x00800000, END = 0xff800000; // ranks of finite numbers
    __shared__ u64 bests[32];
    wait_for_previous();
    float* row = (float*)a.x.data + (i64)blockIdx.x * a.x.stride;
    u64 best = 0;
    #pragma unroll 8
    for (int c = threadIdx.x; c < a.columns; c += blockDim.x)
    {
        u64 rank = rank_of(row[c], c);
        best = rank > best ? rank : best;
    }
    best = warp_most(best);
    if (threadIdx.x % 32 == 0) bests[threadIdx.x / 32] = best;
    __syncthreads();
    best = warp_most(threadIdx.x % 32 < blockDim.x / 32 ? bests[threadIdx.x % 32] : 0);
    u32 order = (u32)(best >> 32);
    if (threadIdx.x == 0) *(int*)row = order >= FIRST && order < END ? (int)~(u32)best : -1;
}

// The first numbers of up to a warp's number of rows, side by side in the first row.
extern "C" __global__ void gather_best(BestArguments a)
{
    wait_for_previous();
    int row = threadIdx.x;
    float first = row < a.rows ? at(a.x, row, 0) : 0;
    __syncwarp();
    if (row < a.rows) put(a.x, 0, row, first);
}

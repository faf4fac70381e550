// Attention of one new token of each sequence over its packed cache: every code goes from memory into the registers that the tensor cores
// read, without a stop in shared memory. Compiled for one head width D = HEAD_DIM (64 or 128), the bits of a key and of a value (2, 4, 8,
// 16), the channels that share a scale (KEY_GROUP, VALUE_GROUP; 0 where keys have one for each channel) and the tokens (KEY_BLOCK_TOKENS,
// VALUE_BLOCK_TOKENS: 1 or a multiple of 16).

#include "common.cuh"

#define D HEAD_DIM

#include "tensor_cores.cuh"
#include "attention.cuh"
#include "tiles.cuh"

#define UNIT 16
#define UNITS (KEY_BITS + VALUE_BITS <= 12 ? 2 : 1) // at a time
#define HEADS 8  // columns of a product
#define BLOCKS 3 // at a time on a multiprocessor, as far as registers go

#include "pieces.cuh"
#include "direct.cuh"

// What a token sees of its cache: coded tokens of both sides, which are cut into parts, and those around them.
struct View
{
    int first, end;         // seen
    int codedFrom, codedTo; // both sides' are coded
    int part;               // tokens of a part
    int parts;
    bool hasEdge;
};

static __device__ __forceinline__ View view_of(const AttentionArguments& a, int sequence, const LayerCache& cache)
{
    View v;
    v.end = a.starts[sequence] + 1;
    v.first = a.window > 0 ? max(0, v.end - a.window) : 0;
    // At least a tile, none of whose units lies in two token blocks.
    int from = max(v.first, max(cache.keys.sinkTokens, cache.values.sinkTokens)), aligned = from - max(cache.keys.sinkTokens, cache.values.sinkTokens);
    v.codedFrom = from + (KEY_BLOCK_TOKENS == 1 && VALUE_BLOCK_TOKENS == 1 ? 0 : (aligned + UNIT - 1) / UNIT * UNIT - aligned);
    int count = min(coded_end(cache.keys, v.end), coded_end(cache.values, v.end)) - v.codedFrom;
    if (count < UNITS * UNIT) v.codedFrom = v.codedTo = v.end;
    else v.codedTo = v.codedFrom + count;
    v.part = part_tokens(v.codedTo - v.codedFrom, a.parts);
    v.parts = (v.codedTo - v.codedFrom + v.part - 1) / v.part;
    v.hasEdge = v.codedFrom > v.first || v.codedTo < v.end;
    return v;
}

// Grid [splits, key heads, sequences]: the last of the splits is for the tokens around the coded ones.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) attend_token(AttentionArguments a)
{
    __shared__ __align__(16) float queries[HEADS * QUERY_STRIDE];
    __shared__ __align__(16) float results[WARPS][HEADS * D];
    __shared__ float2 states[WARPS][HEADS];
    __shared__ __align__(16) ChannelScales scales[KEY_GROUP == 0 ? WARPS : 1];
    wait_for_previous();
    int sequence = blockIdx.z, head = blockIdx.y, split = blockIdx.x, group = a.queryHeads / a.keyHeads, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    View view = view_of(a, sequence, cache);
    bool isEdge = split == a.splits - 1;
    if (isEdge ? !view.hasEdge : split >= view.parts) return;

    // Rotated side by side where the results will be.
    float scale = 1.44269504f * a.scoreScale;
    float* rows = results[0];
    for (int i = threadIdx.x; i < group * D; i += THREADS) rows[i] = at(a.q, sequence, head * group * D + i) * scale;
    if (a.rotation > 0) hadamard(rows, group, D, D);
    for (int i = threadIdx.x; i < HEADS * D; i += THREADS) queries[query_place(i / D, i % D)] = i / D < group ? rows[i] : 0;
    __syncthreads();

    State state;
    if (isEdge)
    {
        int before = view.codedFrom - view.first, after = view.end - view.codedTo;
        Span span = { before + after, view.first, before, view.codedTo - view.codedFrom, view.end };
        int share = (span.count + WARPS * UNIT - 1) / (WARPS * UNIT) * UNIT;
        typedef Attend<16, D, 16, D, 1, true> Edge;
        Edge attend(cache.keys, cache.values, span, queries, KEY_GROUP == 0 ? scales + warp : nullptr, head, lane);
        attend.run(state, warp * share, min((warp + 1) * share, span.count));
        Edge::store(results[warp], state, lane);
    }
    else
    {
        Span span = { view.codedTo - view.codedFrom, view.codedFrom, 0, 0, view.end };
        int share = view.part / WARPS, from = split * view.part + warp * share;
        typedef Attend<KEY_BITS, KEY_GROUP, VALUE_BITS, VALUE_GROUP, UNITS, false> Coded;
        Coded attend(cache.keys, cache.values, span, queries, KEY_GROUP == 0 ? scales + warp : nullptr, head, lane);
        attend.run(state, from, min(from + share, span.count));
        Coded::store(results[warp], state, lane);
    }
    if (lane < 4)
    {
        states[warp][2 * lane] = make_float2(state.maxima[0], state.totals[0]);
        states[warp][2 * lane + 1] = make_float2(state.maxima[1], state.totals[1]);
    }
    __syncthreads();

    for (int i = threadIdx.x; i < group * (D / 2); i += THREADS)
    {
        int h = i / (D / 2), c = i % (D / 2) * 2;
        float most = -INFINITE, total = 0;
        float2 sum = make_float2(0, 0);
        #pragma unroll
        for (int w = 0; w < WARPS; w++) most = fmaxf(most, states[w][h].x);
        #pragma unroll
        for (int w = 0; w < WARPS; w++)
        {
            float factor = states[w][h].x == most ? 1 : power_of_two(states[w][h].x - most);
            float2 x = *(const float2*)(results[w] + h * D + c);
            total += factor * states[w][h].y;
            sum.x += factor * x.x;
            sum.y += factor * x.y;
        }
        float* partial = partial_of(a, sequence, head * group + h, split);
        *(float2*)(partial + c) = sum;
        if (c == 0) *(float2*)(partial + D) = make_float2(most, total);
    }
}

#define MERGE_THREADS 512

// The factor on what was summed beside a maximum when that becomes `most`.
static __device__ __forceinline__ float factor_of(float maximum, float most) { return maximum == most ? 1 : power_of_two(maximum - most); }

// Puts the parts together: grid [sequences, query heads]. A thread goes through some of the parts for two channels.
extern "C" __global__ void __launch_bounds__(MERGE_THREADS) merge_parts(AttentionArguments a)
{
    const int Pairs = D / 2, Slices = MERGE_THREADS / Pairs;
    __shared__ float2 sums[Slices][Pairs];
    __shared__ float2 states[Slices]; // maximum and total
    wait_for_previous();
    int sequence = blockIdx.x, head = blockIdx.y, slice = threadIdx.x / Pairs, pair = threadIdx.x % Pairs;
    View view = view_of(a, sequence, a.caches[sequence * a.layers + a.layer]);
    const float* partials = partial_of(a, sequence, head, 0);
    int count = view.parts + (view.hasEdge ? 1 : 0);
    float2 state = make_float2(-INFINITE, 0), sum = make_float2(0, 0);
    #pragma unroll 8
    for (int i = slice; i < count; i += Slices)
    {
        const float* partial = partials + (i < view.parts ? i : a.splits - 1) * (D + 2);
        float2 its = *(const float2*)(partial + D), x = *(const float2*)(partial + 2 * pair);
        float most = fmaxf(state.x, its.x), before = factor_of(state.x, most), factor = factor_of(its.x, most);
        state = make_float2(most, before * state.y + factor * its.y);
        sum = make_float2(before * sum.x + factor * x.x, before * sum.y + factor * x.y);
    }
    sums[slice][pair] = sum;
    if (pair == 0) states[slice] = state;
    __syncthreads();
    if (slice == 0)
    {
        float most = states[0].x, total = 0;
        sum = make_float2(0, 0);
        #pragma unroll
        for (int i = 1; i < Slices; i++) most = fmaxf(most, states[i].x);
        #pragma unroll
        for (int i = 0; i < Slices; i++)
        {
            float factor = factor_of(states[i].x, most);
            total += factor * states[i].y;
            sum.x += factor * sums[i][pair].x;
            sum.y += factor * sums[i][pair].y;
        }
        sum = make_float2(sum.x * (1 / total), sum.y * (1 / total));
    }
    if (a.rotation == 2)
    {
        float* row = (float*)sums[0];
        __syncthreads();
        if (slice == 0) sums[0][pair] = sum;
        hadamard(row, 1, D, D);
        if (slice == 0) sum = sums[0][pair];
    }
    if (slice == 0) put_pair(a.y, sequence, head * D + 2 * pair, sum);
}

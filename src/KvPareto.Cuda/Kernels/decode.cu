// Attention of one new token of each sequence over its packed cache: every code goes from memory into the registers that the tensor cores
// read, without a stop in shared memory. Compiled for one head width D = HEAD_DIM (64 or 128), the bits of a key and of a value (2, 4, 8,
// 16), the channels that share a scale (KEY_GROUP, VALUE_GROUP; 0 where keys have one for each channel) and the tokens (KEY_BLOCK_TOKENS,
// VALUE_BLOCK_TOKENS: 1 or a multiple of 16).

#include "common.cuh"

#define D HEAD_DIM

// What the compiler cannot tell: that no address in shared memory comes here.
template <class T> static __device__ __forceinline__ T load_global(const T* address)
{
    __builtin_assume(__isGlobal(address));
    return *address;
}

#define LOAD_CACHE(address) load_global(address) // not as what does not change: the new token's row is written here

#include "tensor_cores.cuh"
#include "attention.cuh"
#include "append.cuh"
#include "tiles.cuh"

#define UNIT 16
#define UNITS (KEY_BITS + VALUE_BITS <= 12 ? 2 : 1) // at a time
#define HEADS 8  // columns of a product
#define BLOCKS 3 // at a time on a multiprocessor, as far as registers go
#define MOST_BLOCKS (3 * 132) // of a sequence, all of which are at work at a time (AttentionPlan.SingleBlocks)

#include "pieces.cuh"
#include "rows.cuh"
#include "channels.cuh"
#include "keys.cuh"
#include "direct.cuh"

// What a token sees of its cache: coded tokens of both sides, which are cut into parts, and those around them.
struct View
{
    int length;             // tokens, the new one included
    int first, end;         // seen in the cache
    int codedFrom, codedTo; // both sides' are coded
    int part;               // tokens of a part
    int parts;
    bool isApart;  // the new token is not in the cache yet, and is treated by itself
    bool hasEdge;
    bool newIsBlock; // the new token has a block of its own in each key head
    bool isKept;   // tokens behind the coded ones have values that are coded and keys that are not
};

// Whether a token that comes brings older ones to be coded.
template <int BLOCK_TOKENS> static __device__ __forceinline__ bool moves(const Side& s, int length)
{
    return s.ringTokens > 0 && coded_end_of<BLOCK_TOKENS>(s, length) > coded_end_of<BLOCK_TOKENS>(s, length - 1);
}

static __device__ __forceinline__ View view_of(const AttentionArguments& a, int sequence, const LayerCache& cache, bool turns)
{
    View v;
    const Side& keys = cache.keys;
    const Side& values = cache.values;
    v.length = a.starts[sequence] + 1;
    v.isApart = turns && !moves<KEY_BLOCK_TOKENS>(keys, v.length) && !moves<VALUE_BLOCK_TOKENS>(values, v.length);
    v.end = v.isApart ? v.length - 1 : v.length;
    v.first = a.window > 0 ? max(0, v.length - a.window) : 0;
    // What the new token makes coded is left to the block for the tokens around, which is the one that codes it.
    int known = turns ? v.length - 1 : v.length;
    int keysTo = coded_end_of<KEY_BLOCK_TOKENS>(keys, known), valuesTo = coded_end_of<VALUE_BLOCK_TOKENS>(values, known);
    // At least a tile, none of whose units lies in two token blocks.
    int sinks = max(keys.sinkTokens, values.sinkTokens), from = max(v.first, sinks), aligned = from - sinks;
    v.codedFrom = from + (KEY_BLOCK_TOKENS == 1 && VALUE_BLOCK_TOKENS == 1 ? 0 : (aligned + UNIT - 1) / UNIT * UNIT - aligned);
    int count = min(keysTo, valuesTo) - v.codedFrom;
    if (count < UNITS * UNIT) v.codedFrom = v.codedTo = v.end;
    else v.codedTo = v.codedFrom + count;
    int coded = v.codedTo - v.codedFrom;
    v.part = part_tokens(coded, a.parts);
    v.parts = v.part == PART_STEP ? (coded + PART_STEP - 1) / PART_STEP : (coded + v.part - 1) / v.part;
    v.hasEdge = v.codedFrom > v.first || v.codedTo < v.end || v.parts == 0;
    v.newIsBlock = v.isApart && v.parts > 0 && (v.parts + 1 + v.hasEdge) * a.keyHeads <= MOST_BLOCKS;
    v.isKept = KEY_GROUP == 0 && v.isApart && v.parts > 0 && v.codedFrom == v.first && valuesTo >= v.end
        && v.end - v.codedTo <= WARPS * UNIT;
    return v;
}

// A token's attention, and what comes before and after where a launch does that too.
struct TokenArguments
{
    AttentionArguments attention;
    TurnArguments turn; // of new rows that are turned and appended here
    int turns;          // whether there are any: caches then have no means
    int merges;         // whether parts are put together here: a key head's blocks are then all at work at a time
    const u32* serial;  // of the step
};

// No other launch on the same partials has this one.
static __device__ __forceinline__ u32 tag_of(const TokenArguments& t) { return *t.serial * t.attention.layers + t.attention.layer; }

static_assert(sizeof(TokenArguments) == 536, "structures differ from the host's");

#define COUNT (D / 32) // channels of a lane

// The new key or value of a head, by a warp: coded, or kept in place of the one that is coded now; `fresh` is what it then stands for.
// Where channels have entries of their own and others are coded with it, `append_to_granule` goes on from `fresh`.
static __device__ __forceinline__ void append(
    const TurnArguments& t, const LayerCache& cache, const float2* turns, int sequence, int head, int token, bool isKey, bool isApart,
        float* fresh, int lane)
{
    const AppendArguments& a = t.append;
    const Side& side = isKey ? cache.keys : cache.values;
    float rows[1][COUNT], (&x)[COUNT] = rows[0];
    load_channels(rows, isKey ? a.keys : a.values, sequence, head, 1, lane);
    if (isKey) Turn<COUNT>(turns, lane).apply(x, lane);
    if (a.rotation == 2 || (a.rotation == 1 && isKey)) hadamard_of_warp(x, lane);
    bool goesOn = KEY_GROUP == 0 && isKey && !isApart;
    u16* place = goesOn ? nullptr : kept_row(side, head, token, token + 1, D);
    int leaves = coded_end(side, token + 1) - 1;
    if (!goesOn && leaves >= coded_end(side, token))
    {
        float y[COUNT];
        const u16* waited = side.ring + ((i64)head * side.ringTokens + leaves % max(1, side.ringTokens)) * D + lane * COUNT;
        #pragma unroll
        for (int i = 0; i < COUNT; i++) y[i] = leaves == token ? x[i] : half_to_float(waited[i]);
        code_row(a, side, head, leaves, y, lane);
        #pragma unroll
        for (int i = 0; i < COUNT; i++) x[i] = leaves == token ? y[i] : x[i];
    }
    #pragma unroll
    for (int i = 0; i < COUNT; i += 2)
    {
        if (place != nullptr) keep_pair(place + lane * COUNT + i, x[i], x[i + 1]);
        *(float2*)(fresh + lane * COUNT + i) = make_float2(x[i], x[i + 1]);
    }
}

// The new key where channels have entries of their own: the codes of its granule, if that is whole now, and its place in the ring. By all
// threads; `entries` has room for D.
static __device__ __noinline__ void append_to_granule(const Side& side, GroupFit fit, int head, int token, const float* fresh, u32* entries)
{
    int first = coded_end(side, token), row = first - side.sinkTokens;
    if (coded_end(side, token + 1) > first)
    {
        auto number = [&](int t, int c)
        {
            return first + t == token ? fresh[c]
                : half_to_float(side.ring[((i64)head * side.ringTokens + (first + t) % side.ringTokens) * D + c]);
        };
        fit_channels(side, D, fit, side.groups + head * side.headGroups + (i64)(row / side.groupTokens) * side.groupsPerTokenBlock,
            entries, number);
        __syncthreads();
        code_granule(side, D, side.codes + head * side.headCodes + (i64)row * side.rowBytes, entries, number);
        __syncthreads();
    }
    u16* place = kept_row(side, head, token, token + 1, D);
    int c = 2 * threadIdx.x;
    if (place != nullptr && c < D) *(u32*)(place + c) = float_to_half(fresh[c]) | (u32)float_to_half(fresh[c + 1]) << 16;
}

#include "parts.cuh"

// Grid [splits, key heads, sequences]. The last of the splits is for the new token, where all blocks are at work at a time even so, the one
// before it for the tokens around the coded ones; these two begin first, for their code is the longest. Where there are more blocks, one
// appends the new row beside its own tokens. Tokens before that are in the cache already, and are asked for before the wait for queries.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) attend_token(const __grid_constant__ TokenArguments t)
{
    __shared__ __align__(16) float queries[HEADS * QUERY_STRIDE];
    __shared__ PackedQuery packed[THREADS];
    __shared__ __align__(16) float results[WARPS][HEADS * D];
    __shared__ float2 states[WARPS][HEADS];
    __shared__ __align__(16) ChannelScales scales[KEY_GROUP == 0 ? WARPS : 1];
    __shared__ __align__(16) float turnedRows[KEY_GROUP == 0 ? HEADS * D : 1]; // else where the results will be
    __shared__ float largestQueries[KEY_GROUP == 0 ? WARPS : 1];
    __shared__ float2 turns[D / 2];
    __shared__ __align__(8) float fresh[2][D]; // the new key and value
    __shared__ float freshScores[HEADS];
    const AttentionArguments& a = t.attention;
    if (!t.turns) wait_for_previous();
    int sequence = blockIdx.z, head = blockIdx.y, split = blockIdx.x < 2 ? a.splits - 1 - blockIdx.x : blockIdx.x - 2,
        group = a.queryHeads / a.keyHeads, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    View view = view_of(a, sequence, cache, t.turns);
    u32 tag = tag_of(t);
    bool isNew = split == a.splits - 1, isEdge = split == a.splits - 2, isKept = isEdge && view.isKept,
        hasNew = view.newIsBlock ? isNew : t.turns && (view.isApart && view.parts > 0 ? split == view.parts - 1 : isEdge);
    if (isNew ? !view.newIsBlock : isEdge ? !view.hasEdge : split >= view.parts) return;
    Span span = { (isKept ? view.end : view.codedTo) - view.codedFrom, view.codedFrom, 0, 0, view.end };
    int share = isKept ? UNIT : view.part / WARPS, from = (isKept ? view.codedTo - view.codedFrom : split * view.part) + warp * share;
    int to = isNew || (isEdge && !isKept) ? from : min(from + share, span.count);
    typedef Attend<KEY_BITS, KEY_GROUP, VALUE_BITS, VALUE_GROUP, UNITS, false> Coded;
    Coded coded(cache.keys, cache.values, span, queries, packed, KEY_GROUP == 0 ? scales + warp : nullptr, (u16*)results[warp], head, lane);
    coded.begin(from, to, isKept);

    const int Pairs = D / 2;
    float scale = 1.44269504f * a.scoreScale;
    // Queries come to their places, where they are rotated by way of rows side by side.
    float* rows = KEY_GROUP == 0 ? turnedRows : results[0];
    float largest = 0; // of this thread's
    bool isRotated = a.rotation > 0;
    auto put_query = [&](int h, int c, float x)
    {
        queries[query_place(h, c)] = x;
        largest = fmaxf(largest, fabsf(x));
    };
    auto put = [&](int h, int c, float x)
    {
        if (isRotated) rows[h * D + c] = x;
        else put_query(h, c, x);
    };
    if (t.turns)
    {
        const int Step = THREADS / Pairs;
        int c = threadIdx.x % Pairs;
        if (threadIdx.x < Pairs) turns[c] = turn_of(t.turn, sequence, c);
        __syncthreads();
        wait_for_previous();
        u16 low[HEADS / Step], high[HEADS / Step]; // bf16
        const u16* source = (const u16*)a.q.data + (i64)sequence * a.q.stride + head * group * D + c;
        #pragma unroll
        for (int i = 0; i < HEADS / Step; i++)
        {
            int h = threadIdx.x / Pairs + i * Step;
            low[i] = h < group ? source[h * D] : 0;
            high[i] = h < group ? source[h * D + Pairs] : 0;
        }
        if (hasNew && warp < 2) append(t.turn, cache, turns, sequence, head, view.length - 1, warp == 0, view.isApart, fresh[warp], lane);
        #pragma unroll
        for (int i = 0; i < HEADS / Step; i++)
        {
            int h = threadIdx.x / Pairs + i * Step;
            float x = bfloat_to_float(low[i]), y = bfloat_to_float(high[i]); // 0 behind the last head
            put(h, c, turned(x, y, turns[c].x, -turns[c].y) * scale);
            put(h, Pairs + c, turned(y, x, turns[c].x, turns[c].y) * scale);
        }
    }
    else
        for (int i = threadIdx.x; i < HEADS * D; i += THREADS)
            put(i / D, i % D, i < group * D ? at(a.q, sequence, head * group * D + i) * scale : 0);
    bool goesOn = KEY_GROUP == 0 && hasNew && !view.isApart;
    if (goesOn || isRotated)
    {
        __syncthreads();
        if (goesOn) append_to_granule(cache.keys, t.turn.append.fit, head, view.length - 1, fresh[0], (u32*)results[1]);
        #pragma unroll 1
        for (int h = warp; isRotated && h < HEADS; h += WARPS)
        {
            float x[COUNT];
            #pragma unroll
            for (int i = 0; i < COUNT; i++) x[i] = rows[h * D + lane * COUNT + i];
            hadamard_of_warp(x, lane);
            #pragma unroll
            for (int i = 0; i < COUNT; i++) put_query(h, lane * COUNT + i, x[i]);
        }
    }
    if (KEY_GROUP == 0)
    {
        largest = warp_max(largest);
        if (lane == 0) largestQueries[warp] = largest;
    }
    __syncthreads();
    bool isFresh = hasNew && view.isApart;
    for (int h = warp; isFresh && h < group; h += WARPS)
    {
        float sum = 0;
        #pragma unroll
        for (int i = 0; i < COUNT; i++) sum += queries[query_place(h, i * 32 + lane)] * fresh[0][i * 32 + lane];
        sum = warp_sum(sum);
        if (lane == 0) freshScores[h] = sum;
    }

    State state;
    if (isEdge && !isKept)
    {
        int before = view.codedFrom - view.first, after = view.end - view.codedTo;
        Span around = { before + after, view.first, before, view.codedTo - view.codedFrom, view.end };
        int share = (around.count + WARPS * UNIT - 1) / (WARPS * UNIT) * UNIT, first = warp * share,
            end = min((warp + 1) * share, around.count);
        typedef Attend<16, D, 16, D, 1, true> Edge;
        Edge edge(cache.keys, cache.values, around, queries, packed, nullptr, (u16*)results[warp], head, lane);
        edge.pack_query(warp, largestQueries);
        edge.run(state, first, end, false);
        __syncwarp();
        Edge::store(results[warp], state, lane);
    }
    else if (!isNew)
    {
        if (KEY_GROUP == 0 && isKept) coded.pack_plain_query();
        else coded.pack_query(warp, largestQueries);
        coded.run(state, from, to, isKept);
        if (KEY_GROUP == 0) __syncwarp(); // rows of this warp are read
        Coded::store(results[warp], state, lane);
    }
    if (!isNew && lane < 4)
    {
        states[warp][2 * lane] = make_float2(state.maxima[0], state.totals[0]);
        states[warp][2 * lane + 1] = make_float2(state.maxima[1], state.totals[1]);
    }
    __syncthreads();

    // The warps' results together, by a warp those of some heads; turned back here, since sums of rotated values are rotated sums.
    #pragma unroll 1
    for (int h = warp; h < group; h += WARPS)
    {
        float2 state = isFresh ? make_float2(freshScores[h], 1) : make_float2(-INFINITE, 0);
        float x[COUNT];
        #pragma unroll
        for (int i = 0; i < COUNT; i++) x[i] = isFresh ? fresh[1][lane * COUNT + i] : 0;
        if (!isNew)
        {
            float most = state.x;
            #pragma unroll
            for (int w = 0; w < WARPS; w++) most = fmaxf(most, states[w][h].x);
            float factor = factor_of(state.x, most);
            state = make_float2(most, factor * state.y);
            #pragma unroll
            for (int i = 0; i < COUNT; i++) x[i] *= factor;
            #pragma unroll
            for (int w = 0; w < WARPS; w++)
            {
                factor = factor_of(states[w][h].x, most);
                state.y += factor * states[w][h].y;
                #pragma unroll
                for (int i = 0; i < COUNT; i++) x[i] += factor * results[w][h * D + lane * COUNT + i];
            }
        }
        if (a.rotation == 2) hadamard_of_warp(x, lane);
        TaggedPair* partial = tagged_partial_of(a, sequence, head * group + h, split);
        #pragma unroll
        for (int i = 0; i < COUNT; i += 2) put_tagged(partial + (lane * COUNT + i) / 2, make_float2(x[i], x[i + 1]), tag);
        if (lane == 0) put_tagged(partial + Pairs, state, tag);
    }
    if (!t.merges) return;
    let_next_start(); // its blocks come in evenly as these leave, and memory is free for its weights
    int result = isNew ? parts_of(view) - 1 : isEdge ? view.parts : split;
    merge_share(a, view, sequence, head, group, result, tag, (PartState*)results[0]);
}

// Puts the parts together where `attend_token` does not: grid [splits, key heads, sequences].
extern "C" __global__ void __launch_bounds__(THREADS) merge_parts(const __grid_constant__ TokenArguments t)
{
    const AttentionArguments& a = t.attention;
    __shared__ PartState states[THREADS];
    wait_for_previous();
    int sequence = blockIdx.z;
    View view = view_of(a, sequence, a.caches[sequence * a.layers + a.layer], t.turns);
    if (blockIdx.x < parts_of(view)) merge_share(a, view, sequence, blockIdx.y, a.queryHeads / a.keyHeads, blockIdx.x, tag_of(t), states);
}

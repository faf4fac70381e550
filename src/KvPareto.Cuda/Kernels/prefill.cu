// Causal grouped attention of many query rows over packed caches for compute capability 9.0: products of four warps from shared memory.
// Compiled like attention.cu, for heads of 64 or 128 channels. A block has 128 query rows (a row is a query token and one of the heads that
// share a key head): two warps fill tiles of 128 keys in shared memory, unpacked to f16, two more those of values; two groups of four warps
// multiply 64 rows each and keep their maxima, sums and weighted values (online softmax, base 2). The next tile's scores are multiplied
// while this one's values are. Blocks of the parts of a context may be a cluster: then they put its results together.

#include "common.cuh"

#define D HEAD_DIM

#include "tensor_cores.cuh"
#include "attention.cuh"
#include "tiles.cuh"
#include "warpgroups.cuh"
#include "clusters.cuh"

#define QUAD 128 // threads of four warps
#define ROWS 128
#define TILE 128
#define FILLERS 64 // threads that fill one side
#define STAGES 2
#define FILL_REGISTERS 104 // of a thread, and of those that multiply: 128·104 + 256·200 is what there is
#define MULTIPLY_REGISTERS 200
#define SLAB (TILE * 128)            // bytes of 64 channels of a tile
#define TILE_BYTES (D / 64 * SLAB)
#define STAGING (D + 4)              // floats of a row of results
#define CONSUMER_BARRIER 1
#define ARE_ALIKE (KEY_BITS == VALUE_BITS && KEY_GROUP == VALUE_GROUP && KEY_BLOCK_TOKENS == VALUE_BLOCK_TOKENS)

static_assert(ROWS == TILE, "queries are swizzled as a tile is");

struct Barriers
{
    u64 keysFull[STAGES];
    u64 keysEmpty[STAGES];
    u64 valuesFull[STAGES];
    u64 valuesEmpty[STAGES];
};

#include "fill.cuh"
#include "block_rows.cuh"

static __device__ __forceinline__ void wait_for_consumers()
{
    asm volatile("bar.sync %0, %1;" :: "n"(CONSUMER_BARRIER), "n"(2 * QUAD) : "memory");
}

// scores [64, TILE] = queries · keysᵀ, on its way afterwards. Both are descriptors of a tile's first 16 channels.
static __device__ __forceinline__ void multiply_keys(float (&scores)[TILE / 2], u64 queries, u64 keys)
{
    #pragma unroll
    for (int k = 0; k < D / 16; k++)
    {
        int step = (k / 4 * SLAB + k % 4 * 32) >> 4;
        multiply_half_rows(scores, queries + step, keys + step, k > 0);
    }
    commit_products();
}

// sums [64, D] += weights [64, TILE] · values, on its way afterwards.
static __device__ __forceinline__ void add_values(float (&sums)[D / 2], const u32 (&weights)[TILE / 16][4], u64 values)
{
    #pragma unroll
    for (int k = 0; k < TILE / 16; k++) multiply_columns(sums, weights[k], values + (k * 2048 >> 4));
    commit_products();
}

// What a thread has of its two rows: number 4·j + 2·half + i of scores is that of row `half` and column 8·j + 2·(lane % 4) + i.
struct Softmax
{
    float maxima[2] = { -INFINITE, -INFINITE };
    float totals[2] = { 0, 0 };
    float factors[2];

    // Scores become weights; sums so far are to be multiplied by `factors`.
    __device__ __forceinline__ void apply(float (&scores)[TILE / 2], const Sight (&sights)[2], int tile, bool isClear, int lane)
    {
        if (!isClear)
        {
            #pragma unroll
            for (int i = 0; i < TILE / 2; i++)
            {
                int key = tile + i / 4 * 8 + lane % 4 * 2 + i % 2;
                if (key < sights[i / 2 % 2].first || key >= sights[i / 2 % 2].end) scores[i] = -INFINITE;
            }
        }
        #pragma unroll
        for (int half = 0; half < 2; half++)
        {
            float most = maxima[half];
            #pragma unroll
            for (int j = 0; j < TILE / 8; j++) most = fmaxf(most, fmaxf(scores[4 * j + 2 * half], scores[4 * j + 2 * half + 1]));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
            float shift = most == -INFINITE ? 0 : most, total = 0;
            factors[half] = power_of_two(maxima[half] - shift);
            maxima[half] = most;
            #pragma unroll
            for (int j = 0; j < TILE / 8; j++)
            {
                #pragma unroll
                for (int i = 4 * j + 2 * half; i < 4 * j + 2 * half + 2; i++)
                {
                    scores[i] = power_of_two(scores[i] - shift);
                    total += scores[i];
                }
            }
            totals[half] = totals[half] * factors[half] + total;
        }
    }
};

static __device__ __forceinline__ void scale_sums(float (&sums)[D / 2], const Softmax& softmax)
{
    #pragma unroll
    for (int i = 0; i < D / 2; i++) sums[i] *= softmax.factors[i / 2 % 2];
}

// What an earlier stretch of the context has left of a thread's two rows.
static __device__ __forceinline__ void carry_in(
    Softmax& softmax, float (&sums)[D / 2], const AttentionArguments& a, const BlockRows& rows, int head, int split, int row, int lane)
{
    #pragma unroll
    for (int half = 0; half < 2; half++)
    {
        int at = row + lane / 4 + 8 * half;
        if (!rows.has(at)) continue;
        const float* partial = partial_of(a, rows.token_of(at), head * rows.group + rows.head_of(at), split);
        #pragma unroll
        for (int j = 0; j < D / 8; j++)
        {
            float2 pair = *(const float2*)(partial + 8 * j + lane % 4 * 2);
            sums[4 * j + 2 * half] = pair.x;
            sums[4 * j + 2 * half + 1] = pair.y;
        }
        softmax.maxima[half] = partial[D];
        softmax.totals[half] = lane % 4 == 0 ? partial[D + 1] : 0;
    }
}

static __device__ __forceinline__ void pack_weights(u32 (&weights)[TILE / 16][4], const float (&scores)[TILE / 2])
{
    #pragma unroll
    for (int k = 0; k < TILE / 16; k++)
    {
        #pragma unroll
        for (int i = 0; i < 4; i++) weights[k][i] = pack_halves(scores[8 * k + 2 * i], scores[8 * k + 2 * i + 1]);
    }
}

// What a group of four warps makes of a part: staged in the end, a row's sums, then its maximum and total.
static __device__ __forceinline__ void attend(
    const AttentionArguments& a, Barriers& barriers, u8* queries, int head, int split, int start, int from, int to, int row, int lane)
{
    BlockRows rows(a);
    u8* keys = queries + TILE_BYTES;
    u8* values = keys + STAGES * TILE_BYTES;
    load_queries({ (u16*)queries, SLAB }, a, rows, head, row, lane);
    publish();
    wait_for_consumers();

    Sight sights[2] = { rows.sight(a, start, row + lane / 4), rows.sight(a, start, row + lane / 4 + 8) };
    int clearFrom = rows.sight(a, start, row + 15).first, clearTo = rows.has(row + 15) ? rows.sight(a, start, row).end : 0;
    u64 queriesAt = descriptor(shared_address(queries) + row / 64 * 64 * 128, SLAB);
    u64 keysAt = descriptor(shared_address(keys), SLAB), valuesAt = descriptor(shared_address(values), SLAB);
    float scores[TILE / 2], sums[D / 2];
    u32 weights[TILE / 16][4];
    Softmax softmax;
    #pragma unroll
    for (int i = 0; i < D / 2; i++) sums[i] = 0;
    if (a.carries & CARRIES_IN) carry_in(softmax, sums, a, rows, head, split, row, lane);

    int tiles = (to - from + TILE - 1) / TILE;
    wait_for(&barriers.keysFull[0], 0);
    begin_products();
    multiply_keys(scores, queriesAt, keysAt);
    wait_for_products<0>();
    hold(scores);
    if (lane == 0) arrive(&barriers.keysEmpty[0]);
    softmax.apply(scores, sights, from, from >= clearFrom && from + TILE <= clearTo, lane);
    if (a.carries & CARRIES_IN) scale_sums(sums, softmax);
    pack_weights(weights, scores);
    #pragma unroll 1
    for (int j = 1; j < tiles; j++)
    {
        int tile = from + j * TILE, stage = j % STAGES, earlier = (j - 1) % STAGES;
        wait_for(&barriers.keysFull[stage], j / STAGES % 2);
        hold(scores);
        hold(sums);
        begin_products();
        multiply_keys(scores, queriesAt, keysAt + stage * (TILE_BYTES >> 4));
        wait_for(&barriers.valuesFull[earlier], (j - 1) / STAGES % 2);
        add_values(sums, weights, valuesAt + earlier * (TILE_BYTES >> 4));
        wait_for_products<1>();
        hold(scores);
        if (lane == 0) arrive(&barriers.keysEmpty[stage]);
        softmax.apply(scores, sights, tile, tile >= clearFrom && tile + TILE <= clearTo, lane);
        wait_for_products<0>();
        hold(sums);
        if (lane == 0) arrive(&barriers.valuesEmpty[earlier]);
        if (__any_sync(0xffffffff, softmax.factors[0] != 1 || softmax.factors[1] != 1))
            scale_sums(sums, softmax);
        pack_weights(weights, scores);
    }
    int last = tiles - 1;
    wait_for(&barriers.valuesFull[last % STAGES], last / STAGES % 2);
    hold(sums);
    begin_products();
    add_values(sums, weights, valuesAt + last % STAGES * (TILE_BYTES >> 4));
    wait_for_products<0>();
    hold(sums);
    wait_for_consumers();

    #pragma unroll
    for (int half = 0; half < 2; half++)
    {
        float total = softmax.totals[half];
        total += __shfl_xor_sync(0xffffffff, total, 1);
        total += __shfl_xor_sync(0xffffffff, total, 2);
        float* target = (float*)keys + (row + lane / 4 + 8 * half) * STAGING;
        #pragma unroll
        for (int j = 0; j < D / 8; j++)
            *(float2*)(target + 8 * j + lane % 4 * 2) = make_float2(sums[4 * j + 2 * half], sums[4 * j + 2 * half + 1]);
        if (lane % 4 == 0) *(float2*)(target + D) = make_float2(softmax.maxima[half], total);
    }
}

// Grid [row blocks · splits, key heads]; one sequence. Where parts are merged, a cluster is those of a block of rows.
extern "C" __global__ void __launch_bounds__(3 * QUAD, 1) attention_128(const __grid_constant__ AttentionArguments a)
{
    extern __shared__ u8 memory[];
    __shared__ Barriers barriers;
    touch(a);
    let_next_start();
    u8* queries = memory + (1024 - shared_address(memory) % 1024) % 1024; // [ROWS, D] f16
    u8* keys = queries + TILE_BYTES;                                      // [STAGES, TILE, D] f16
    u8* values = keys + STAGES * TILE_BYTES;
    float* staging = (float*)keys;                                        // [ROWS, STAGING] f32, at last
    int head = blockIdx.y, split = blockIdx.x % a.splits, start = a.starts[0], length = start + a.rows;
    int thread = threadIdx.x % QUAD, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    BlockRows rows(a);
    if (a.isUnpacked) wait_for_previous();
    const LayerCache& cache = a.caches[a.layer];

    int from = rows.sight(a, start, 0).first, to = rows.sight(a, start, min(ROWS, rows.count - rows.first) - 1).end;
    from = max(from, a.from + split * a.splitTokens) / TILE * TILE;
    to = min(to, a.to);
    if (a.splits > 1) to = min(to, a.from + (split + 1) * a.splitTokens);
    if (from >= to && !(a.carries & MERGES)) return;

    if (threadIdx.x < STAGES)
    {
        make_barrier(&barriers.keysFull[threadIdx.x], FILLERS);
        make_barrier(&barriers.valuesFull[threadIdx.x], FILLERS);
        make_barrier(&barriers.keysEmpty[threadIdx.x], 2 * QUAD / 32);
        make_barrier(&barriers.valuesEmpty[threadIdx.x], 2 * QUAD / 32);
    }
    __syncthreads();

    if (warp < QUAD / 32)
    {
        give_registers<FILL_REGISTERS>();
        bool isKeys = thread < FILLERS;
        Filling filling = { isKeys ? keys : values, isKeys ? barriers.keysFull : barriers.valuesFull,
            isKeys ? barriers.keysEmpty : barriers.valuesEmpty, isKeys ? cache.keys : cache.values, head, from, to, length,
            a.isUnpacked ? 0 : start, thread % FILLERS };
        // One piece of code where both sides are coded alike: what runs for the first time has to come from memory.
        if (ARE_ALIKE || isKeys) fill<KEY_BITS, KEY_GROUP, KEY_BLOCK_TOKENS>(filling);
        else fill<VALUE_BITS, VALUE_GROUP, VALUE_BLOCK_TOKENS>(filling);
    }
    else
    {
        take_registers<MULTIPLY_REGISTERS>();
        wait_for_previous();
        int row = (warp - QUAD / 32) * 16; // the warp's first in the block
        if (from < to) attend(a, barriers, queries, head, split, start, from, to, row, lane);
        else stage_nothing(staging, row, lane);
        if (a.carries & MERGES)
        {
            wait_for_cluster();
            merge_rows(a, staging, head, warp - QUAD / 32, lane);
            arrive_in_cluster();
            wait_in_cluster(); // nobody leaves while others read here
        }
        else
        {
            __syncwarp();
            put_rows(a, staging, head, split, row, lane);
        }
    }
}

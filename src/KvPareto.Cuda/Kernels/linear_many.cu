// Linear layers of many rows for compute capability 9.0, straight from the weights as they are stored: yᵀ [N, T] = w [N, K] · xᵀ [K, T].
// Compiled for the BITS of a weight (4, 8, 16), of codes for the columns that share a scale in a stage (GROUP: 32, 64, 128), for the TOKENS
// of a tile (128, 256) and the STAGES that shared memory has room for. Two blocks of a cluster multiply 128 rows of weights each with the
// same tokens, which each brings in for both by half. A thread fetches weights and another one inputs; two groups of four warps multiply 64
// rows each: bf16 weights from shared memory, codes unpacked to bf16 in registers while the product of the columns before is at work. Few
// tiles are cut along K into parts, one a cluster, and each of a tile's clusters puts all parts of some of its tokens together; of many
// tiles the steps along K are shared out evenly, and who has the end of a tile puts it together. Always in one order. A norm between two
// such products is no launch of its own: the first one leaves its sums times the gains and their squares, the second divides results.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"
#include "warpgroups.cuh"
#include "clusters.cuh"
#include "many.cuh"
#include "many_codes.cuh"
#include "many_kinds.cuh"
#include "many_results.cuh"

struct Barriers
{
    u64 full[STAGES];
    u64 empty[STAGES];
};

// The place of what is fetched or multiplied in the ring of stages.
struct Ring
{
    int stage = 0, turn = 0;

    __device__ __forceinline__ void step()
    {
        bool isLast = stage == STAGES - 1;
        stage = isLast ? 0 : stage + 1;
        turn += isLast;
    }

    // Until all that was in the stage at hand has been read.
    __device__ __forceinline__ void wait_until_empty(Barriers& barriers) const
    {
        if (turn > 0) wait_for(&barriers.empty[stage], turn - 1 & 1);
    }
};

// A block's rows of a tile's weights.
struct WeightSource
{
    const TensorMap* map;
    const u32* entries[2]; // of both halves, of the first group
    int counts[2];         // bytes of these
    int row, outputs;
    u32 bytes; // of a stage

    __device__ __forceinline__ WeightSource(const ManyArguments& a, const Place& place)
    {
        const ManyPart& part = a.parts[place.part];
        map = &part.weight;
        bytes = INPUT_BYTES + WEIGHT_BYTES;
        row = place.output / (a.mode == GATED ? 8 : 16);
        outputs = part.outputs;
        #pragma unroll
        for (int half = 0; half < 2 * CODED; half++)
        {
            int first = place.output + (a.mode == GATED ? 0 : half * (ROWS / 2));
            counts[half] = min(max(outputs - first, 0), ROWS / 2) * 4;
            entries[half] = part.groups[half] + first;
            bytes += ENTRIES * counts[half];
        }
    }

    __device__ __forceinline__ void fetch(const ManyArguments& a, int step, u32 target, u64* full, u64 policy) const
    {
        copy_box(target + INPUT_BYTES, *map, step * (CODED ? INNER * BITS / 8 : INNER), 0, 0, row, full, policy);
        #pragma unroll
        for (int i = 0; i < ENTRIES; i++)
        {
            // Behind the last column stands any entry: inputs are zero there.
            int unit = step * ENTRIES + i, group = min(a.groupUnits == 1 ? unit : unit / a.groupUnits, a.lastGroup);
            #pragma unroll
            for (int half = 0; half < 2; half++)
                if (counts[half] > 0)
                    copy_bytes(target + INPUT_BYTES + WEIGHT_BYTES + (2 * i + half) * (ROWS / 2) * 4,
                        entries[half] + (i64)group * outputs, counts[half], full, policy);
        }
        expect(full, bytes);
    }
};

// By one thread: weights do not depend on what ran before.
static __device__ __forceinline__ void fetch_weights(const ManyArguments& a, Way way, u32 rank, u32 base, Barriers& barriers)
{
    u64 policy = leave_first();
    Ring ring;
    for (; !way.isOver(); way.next())
    {
        WeightSource source(a, Place(a, way.tile, rank));
        #pragma unroll 1
        for (int step = way.from; step < way.to; step++, ring.step())
        {
            ring.wait_until_empty(barriers);
            source.fetch(a, step, base + ring.stage * STAGE_BYTES, &barriers.full[ring.stage], policy);
        }
    }
    // Nobody leaves while the other block may still tell of a stage here.
    #pragma unroll 1
    for (int i = 0; i < STAGES; i++, ring.step()) ring.wait_until_empty(barriers);
}

// By another: half of a tile's inputs, for both blocks.
static __device__ __forceinline__ void fetch_inputs(const ManyArguments& a, Way way, u32 rank, u32 base, Barriers& barriers)
{
    Ring ring;
    base += rank * (SLAB_BYTES / CLUSTER);
    int token = Place(a, way.tile, rank).token;
    wait_for_previous();
    for (; !way.isOver(); way.next(), token = Place(a, way.tile, rank).token)
    {
        #pragma unroll 1
        for (int step = way.from; step < way.to; step++, ring.step())
        {
            ring.wait_until_empty(barriers);
            #pragma unroll
            for (int slab = 0; slab < INNER / SLAB_INNER; slab++)
                copy_box_to_all(
                    base + ring.stage * STAGE_BYTES + slab * SLAB_BYTES, a.inputs, step * INNER + slab * SLAB_INNER,
                    token + rank * (TOKENS / CLUSTER), &barriers.full[ring.stage]);
        }
    }
}

// A group of four warps' way through the stages.
struct Multiplier
{
    Barriers& barriers;
    u32 base;
    u64 inputs; // descriptors of the first stage's inputs and of this group's weights
    u64 weights;
    LanePlace lane;
    int laneId;
    int stage = 0, parity = 0;

    // A stage is free for those who fill it, in both blocks.
    __device__ __forceinline__ void release(int which, bool isUsed)
    {
        if (isUsed & (laneId < CLUSTER)) arrive_at(&barriers.empty[which], laneId);
    }

    __device__ __forceinline__ void step()
    {
        bool isLast = stage == STAGES - 1;
        stage = isLast ? 0 : stage + 1;
        parity ^= isLast;
    }

    // sums = the product over so many stages. The compiler lets products overlap only where no branch lies between them.
    __device__ __forceinline__ void run(float (&sums)[TOKENS / 2], int count)
    {
        #pragma unroll
        for (int i = 0; i < TOKENS / 2; i++) sums[i] = 0;
        hold(sums);
        if constexpr (CODED) run_codes(sums, count);
        else run_elements(sums, count);
        wait_for_products<0>();
        hold(sums);
        release(stage == 0 ? STAGES - 1 : stage - 1, true);
    }

    __device__ __forceinline__ void run_elements(float (&sums)[TOKENS / 2], int count)
    {
        int before = 0;
        #pragma unroll 1
        for (int i = 0; i < count; i++)
        {
            wait_for(&barriers.full[stage], parity);
            u64 x = inputs + stage * (STAGE_BYTES >> 4), w = weights + stage * (STAGE_BYTES >> 4);
            begin_products();
            #pragma unroll
            for (int k = 0; k < INNER / 16; k++) multiply_rows(sums, w + k * 2, x + k * 2, true);
            commit_products();
            wait_for_products<1>();
            release(before, i > 0);
            before = stage;
            step();
        }
    }

    // Three products are at work while the operand of the next one is unpacked, whose codes have been loaded before.
    __device__ __forceinline__ void run_codes(float (&sums)[TOKENS / 2], int count)
    {
        const int Products = INNER / 16, Covered = BITS == 4 ? 2 : 1, Entered = Products / (ENTRIES + !CODED); // of a load, of an entry
        u32 w[4][4];
        RawCodes codes[2];
        Affine d[2];
        int before = 0;
        #pragma unroll 1
        for (int i = 0; i < count; i++)
        {
            u32 place = base + stage * STAGE_BYTES;
            u64 x = inputs + stage * (STAGE_BYTES >> 4);
            wait_for(&barriers.full[stage], parity);
            codes[0].load(place, 0, lane);
            #pragma unroll
            for (int k = 0; k < Products; k++)
            {
                int number = k / Covered;
                if (k % Entered == 0)
                {
                    #pragma unroll
                    for (int half = 0; half < 2; half++) d[half].set(load_one(place + lane.entries[half] + k / Entered * (ROWS * 4)));
                }
                if (k % Covered == 0 && k + Covered < Products) codes[(number + 1) % 2].load(place, number + 1, lane);
                codes[number % 2].unpack(w[k % 4], k % Covered, lane, d);
                hold(w[k % 4]);
                begin_products();
                multiply_rows(sums, w[k % 4], x + k / 4 * (SLAB_BYTES >> 4) + k % 4 * 2, true);
                commit_products();
                wait_for_products<3>();
                if (k == 2) release(before, i > 0);
            }
            before = stage;
            step();
        }
    }
};

#define FACTOR_THREADS (NORMED_ROWS / 4)
#define FACTORS_BARRIER 3

// What results of a token are to be multiplied with, by threads that have nothing else to do.
static __device__ __forceinline__ void find_factors(const ManyArguments& a, float* factors, int thread)
{
    float4 sum = make_float4(0, 0, 0, 0);
    if (a.isNormed)
    {
        wait_for_previous();
        int count = (a.columns + SQUARED - 1) / SQUARED;
        #pragma unroll 4
        for (int i = 0; i < count; i++)
        {
            float4 part = __ldcg((const float4*)(a.squares + i * NORMED_ROWS) + thread);
            sum.x += part.x;
            sum.y += part.y;
            sum.z += part.z;
            sum.w += part.w;
        }
        float columns = a.columns, epsilon = a.epsilon;
        sum = make_float4(1 / sqrtf(sum.x / columns + epsilon), 1 / sqrtf(sum.y / columns + epsilon),
            1 / sqrtf(sum.z / columns + epsilon), 1 / sqrtf(sum.w / columns + epsilon));
    }
    else sum = make_float4(1, 1, 1, 1);
    ((float4*)factors)[thread] = sum;
    asm volatile("bar.arrive %0, %1;" :: "n"(FACTORS_BARRIER), "n"(FACTOR_THREADS + 2 * QUAD) : "memory");
}

static __device__ __forceinline__ void wait_for_factors()
{
    asm volatile("bar.sync %0, %1;" :: "n"(FACTORS_BARRIER), "n"(FACTOR_THREADS + 2 * QUAD) : "memory");
}

// Grid [clusters · CLUSTER]: no more than run at a time.
extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(3 * QUAD, 1) linear_many(
    const __grid_constant__ ManyArguments a)
{
    extern __shared__ u8 memory[];
    __shared__ Barriers barriers;
    __shared__ __align__(16) float factors[NORMED_ROWS];
    // Of each inputs [TOKENS, INNER], weights [ROWS, INNER] and entries
    u8* stages = memory + (1024 - shared_address(memory) % 1024) % 1024;
    u32 rank = rank_in_cluster();
    int cluster = blockIdx.x / CLUSTER, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (threadIdx.x == 32) fetch_map(a.inputs);
    if (threadIdx.x == 64) fetch_map(a.parts[0].weight);
    touch(a);
    if (threadIdx.x < STAGES)
    {
        make_barrier(&barriers.full[threadIdx.x], 1);
        make_barrier(&barriers.empty[threadIdx.x], CLUSTER * 2 * QUAD / 32);
        publish_barriers();
    }
    __syncwarp();
    arrive_in_cluster();
    Way way(a, cluster);
    u32 base = shared_address(stages);
    wait_in_cluster();
    let_next_start();
    if (warp < QUAD / 32)
    {
        give_registers<FETCH_REGISTERS>();
        if (threadIdx.x == 0) fetch_weights(a, way, rank, base, barriers);
        else if (threadIdx.x == 32) fetch_inputs(a, way, rank, base, barriers);
        else if (warp >= 2) find_factors(a, factors, threadIdx.x - 64);
    }
    else
    {
        take_registers<MULTIPLY_REGISTERS>();
        int thread = threadIdx.x - QUAD, quad = thread / QUAD;
        warp -= QUAD / 32;
        Multiplier multiplier = {
            barriers, base + INPUT_BYTES, descriptor(base, 0), descriptor(base + INPUT_BYTES + quad * (WEIGHT_BYTES / 2), 0),
            LanePlace(a.mode == GATED, warp, lane), lane };
        wait_for_previous();
        bool isFirst = true;
        for (; !way.isOver(); way.next())
        {
            float sums[TOKENS / 2];
            multiplier.run(sums, way.to - way.from);
            if (isFirst) wait_for_factors();
            isFirst = false;
            Sharer sharer = { a, cluster, rank, thread, base };
            Results results(a, Place(a, way.tile, rank), shared_address(factors), warp, lane);
            if (a.shares > 1)
            {
                sharer.scatter(sums, way.tile, results);
                continue;
            }
            if (way.to < a.steps)
            {
                sharer.give(sums, 0, 0);
                if (thread % QUAD == 0) sharer.tell(0);
                continue;
            }
            sharer.gather(sums, way);
            results.store(sums);
        }
    }
}

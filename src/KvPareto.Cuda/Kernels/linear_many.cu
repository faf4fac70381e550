// Linear layers of many rows for compute capability 9.0, straight from the weights as they are stored: yᵀ [N, T] = w [N, K] · xᵀ [K, T].
// Compiled for the BITS of a weight (4, 8, 16), of codes for the columns that share a scale in a stage (GROUP: 32, 64, 128), for the TOKENS
// of a tile (128, 256) and the STAGES that shared memory has room for. Two blocks of a cluster multiply 128 rows of weights each with the
// same tokens, which each brings in for both by half. A warp fetches; two groups of four warps multiply 64 rows each: bf16 weights from
// shared memory, codes unpacked to bf16 in registers while the product of the columns before is at work. Few tiles are cut along K into
// parts, one a cluster, and each of a tile's clusters puts all parts of some of its tokens together; of many tiles the steps along K are
// shared out evenly, and who has the end of a tile puts it together. Always in one order.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"
#include "warpgroups.cuh"
#include "clusters.cuh"
#include "many.cuh"
#include "many_codes.cuh"
#include "many_results.cuh"

struct Barriers
{
    u64 full[STAGES];
    u64 empty[STAGES];
};

static __device__ __forceinline__ void fetch_weights(
    const ManyArguments& a, const Place& place, int step, u32 target, u64* full, u64 policy)
{
    const ManyPart& part = a.parts[place.part];
    u32 bytes = INPUT_BYTES + WEIGHT_BYTES, entries = target + INPUT_BYTES + WEIGHT_BYTES;
    int counts[2] = {};
    if constexpr (CODED)
    {
        #pragma unroll
        for (int half = 0; half < 2; half++)
        {
            counts[half] = min(max(part.outputs - place.output - (a.mode == GATED ? 0 : half * (ROWS / 2)), 0), ROWS / 2) * 4;
            bytes += ENTRIES * counts[half];
        }
    }
    expect(full, bytes);
    int column = step * (CODED ? INNER * BITS / 8 : INNER);
    copy_box(target + INPUT_BYTES, part.weight, column, 0, 0, place.output / (a.mode == GATED ? 8 : 16), full, policy);
    for (int i = 0; i < 2 * ENTRIES; i++)
    {
        // Behind the last column stands any entry: inputs are zero there.
        int half = i % 2, group = min((step * INNER + i / 2 * GROUP) / a.group, (a.columns - 1) / a.group);
        const u32* source = part.groups[half] + place.output + (a.mode == GATED ? 0 : half * (ROWS / 2)) + (i64)group * part.outputs;
        if (counts[half] > 0) copy_bytes(entries + i * (ROWS / 2) * 4, source, counts[half], full, policy);
    }
}

// By one thread: weights do not depend on what ran before, and are fetched before the wait for it.
static __device__ __forceinline__ void fetch_all(const ManyArguments& a, Way way, u32 rank, u8* stages, Barriers& barriers)
{
    u32 base = shared_address(stages);
    u64 policy = leave_first();
    fetch_map(a.inputs);
    Way early = way;
    int step = early.from;
    for (int i = 0; i < STAGES && !early.isOver(); i++)
    {
        fetch_weights(a, Place(a, early.tile, rank), step, base + i * STAGE_BYTES, &barriers.full[i], policy);
        if (++step < early.to) continue;
        early.next();
        step = early.from;
    }
    wait_for_previous();
    int stage = 0, turn = 0;
    for (; !way.isOver(); way.next())
    {
        Place place(a, way.tile, rank);
        for (step = way.from; step < way.to; step++)
        {
            u32 target = base + stage * STAGE_BYTES;
            if (turn > 0)
            {
                wait_for(&barriers.empty[stage], turn - 1 & 1);
                fetch_weights(a, place, step, target, &barriers.full[stage], policy);
            }
            #pragma unroll
            for (int slab = 0; slab < INNER / SLAB_INNER; slab++)
                copy_box_to_all(
                    target + slab * SLAB_BYTES + rank * (SLAB_BYTES / CLUSTER), a.inputs, step * INNER + slab * SLAB_INNER,
                    place.token + rank * (TOKENS / CLUSTER), &barriers.full[stage]);
            if (++stage < STAGES) continue;
            stage = 0;
            turn++;
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

// Grid [clusters · CLUSTER]: no more than run at a time.
extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(3 * QUAD, 1) linear_many(
    const __grid_constant__ ManyArguments a)
{
    extern __shared__ u8 memory[];
    __shared__ Barriers barriers;
    // Of each inputs [TOKENS, INNER], weights [ROWS, INNER] and entries
    u8* stages = memory + (1024 - shared_address(memory) % 1024) % 1024;
    u32 rank = rank_in_cluster();
    int cluster = blockIdx.x / CLUSTER, clusters = gridDim.x / CLUSTER, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (threadIdx.x < STAGES)
    {
        make_barrier(&barriers.full[threadIdx.x], 1);
        make_barrier(&barriers.empty[threadIdx.x], CLUSTER * 2 * QUAD / 32);
        publish_barriers();
    }
    wait_for_cluster();
    let_next_start();
    Way way(a, cluster, clusters);
    if (warp < QUAD / 32)
    {
        give_registers<FETCH_REGISTERS>();
        if (threadIdx.x == 0) fetch_all(a, way, rank, stages, barriers);
    }
    else
    {
        take_registers<MULTIPLY_REGISTERS>();
        int thread = threadIdx.x - QUAD, quad = thread / QUAD;
        warp -= QUAD / 32;
        u32 base = shared_address(stages);
        Multiplier multiplier = {
            barriers, base + INPUT_BYTES, descriptor(base, 0), descriptor(base + INPUT_BYTES + quad * (WEIGHT_BYTES / 2), 0),
            LanePlace(a.mode == GATED, warp, lane), lane };
        wait_for_previous();
        for (; !way.isOver(); way.next())
        {
            float sums[TOKENS / 2];
            multiplier.run(sums, way.to - way.from);
            Sharer sharer = { a, cluster, rank, thread };
            Results results(a, Place(a, way.tile, rank), warp, lane);
            if (a.shares > 1)
            {
                sharer.scatter(sums, results);
                continue;
            }
            if (way.to < way.steps)
            {
                sharer.give(sums);
                if (thread % QUAD == 0) sharer.tell(0);
                continue;
            }
            sharer.gather(sums, way, clusters);
            results.store(sums);
        }
    }
    wait_for_cluster(); // nobody leaves while the other may still write here
}

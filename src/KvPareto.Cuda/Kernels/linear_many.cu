// Linear layers of many rows for compute capability 9.0, straight from the weights as they are stored: yᵀ [N, T] = w [N, K] · xᵀ [K, T].
// Compiled for the BITS of a weight (4, 8, 16), of codes for the columns that share a scale in a stage (GROUP: 32, 64, 128), for the TOKENS of a
// tile (128, 256) and the STAGES that shared memory has room for.
// Two blocks of a cluster multiply 128 rows of weights each with the same tokens, which each brings in for both by half. A warp fetches;
// two groups of four warps multiply 64 rows each: bf16 weights from shared memory, codes unpacked to bf16 in registers while the product
// of the columns before is at work. Few tiles are cut along K into parts, one a cluster, and each of a tile's clusters puts all parts of some of
// its tokens together; of many tiles the steps along K are shared out evenly, and who has the end of a tile puts it together. Always in one order.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"
#include "warpgroups.cuh"
#include "clusters.cuh"

#define QUAD 128     // threads of four warps
#define ROWS 128     // of weights of a block
#define INNER (BITS == 4 ? 128 : 64) // columns of a stage
#define SLAB_INNER 64                // of those that lie in one row of swizzled inputs
#define PARTS 3
#define CODED (BITS < 16)
#define ENTRIES (CODED ? INNER / (GROUP + !CODED) : 0) // of a row in a stage
#define SLAB_BYTES (TOKENS * SLAB_INNER * 2)
#define INPUT_BYTES (TOKENS * INNER * 2)
#define WEIGHT_BYTES (ROWS * INNER * BITS / 8)
#define ENTRY_BYTES (ENTRIES * ROWS * 4)
#define STAGE_BYTES (INPUT_BYTES + WEIGHT_BYTES + (ENTRY_BYTES + 1023) / 1024 * 1024)
#define FETCH_REGISTERS 40
#define MULTIPLY_REGISTERS 232
#define MOST_CLUSTERS 512
#define MOST_SHARES 8 // of a tile

// One weight of those that a launch multiplies the same input with, or a gated pair. Rows of a block are taken by sixteens, in the order
// in which products have them: a thread has rows i and i + 8, which are two neighbouring outputs, or an output of both of a pair.
struct ManyPart
{
    TensorMap weight;     // [K, 8, 2, N / 16] elements or bytes of codes
    const u32* groups[2]; // [K/group, N]: of the first and second half of eight rows
    const float* bias[2]; // [N], or null
    Matrix y;
    int outputs;          // N
    int endTile;          // tiles up to its end, earlier parts' included
};

struct ManyArguments
{
    TensorMap inputs;      // [K, T] bf16
    ManyPart parts[PARTS]; // of one kind and K
    float* partials;       // [clusters, CLUSTER, TOKENS / 8, 2 · QUAD, 4]
    int rows;              // T
    int columns;           // K
    int group;
    int mode;
    int gateHalf;          // of a pair, which half is the gate's
    int tokenTiles;
    int tiles;             // of outputs and tokens
    int shares;            // clusters of a tile; 0 where steps are shared out evenly, −1 where whole tiles are
};

static_assert(sizeof(ManyPart) == 192 && sizeof(ManyArguments) == 768, "structures differ from the host's");

struct Barriers
{
    u64 full[STAGES];
    u64 empty[STAGES];
};

// Whether a cluster's part of a tile is there, for each block, group of warps and reader; who has read it clears it.
__device__ u32 isThere[MOST_CLUSTERS][CLUSTER][2][MOST_SHARES];

// A cluster's way through its share of the work, from its end: steps [from, to) of a tile's K at a time, ascending.
struct Way
{
    int steps; // of a tile
    int begin, at;
    int tile, from, to;

    __device__ __forceinline__ Way(const ManyArguments& a, int cluster, int clusters)
    {
        steps = (a.columns + INNER - 1) / INNER;
        begin = first(a, cluster, clusters);
        at = first(a, cluster + 1, clusters);
        next();
    }

    // The first step of a cluster's share.
    __device__ __forceinline__ int first(const ManyArguments& a, int cluster, int clusters) const
    {
        if (a.shares > 0) return cluster / a.shares * steps + steps * (cluster % a.shares) / a.shares;
        if (a.shares < 0) return (int)((i64)a.tiles * cluster / clusters) * steps;
        int total = a.tiles * steps;
        return total / clusters * cluster + min(total % clusters, cluster);
    }

    __device__ __forceinline__ bool isOver() const { return to == 0; }

    __device__ __forceinline__ void next()
    {
        to = 0;
        if (at <= begin) return;
        tile = (at - 1) / steps;
        from = max(begin - tile * steps, 0);
        to = at - tile * steps;
        at = tile * steps + from;
    }
};

// Where a tile lies.
struct Place
{
    int part;
    int output; // the block's first; of a gated pair, of both
    int token;

    __device__ __forceinline__ Place(const ManyArguments& a, int tile, u32 rank)
    {
        int outputs = tile / a.tokenTiles;
        token = tile % a.tokenTiles * TOKENS;
        part = outputs >= a.parts[0].endTile ? outputs >= a.parts[1].endTile ? 2 : 1 : 0;
        output = ((outputs - (part > 0 ? a.parts[part - 1].endTile : 0)) * CLUSTER + rank) * (a.mode == GATED ? ROWS / 2 : ROWS);
    }
};

static __device__ __forceinline__ void fetch_weights(const ManyArguments& a, const Place& place, int step, u32 target, u64* full)
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
    copy_box(target + INPUT_BYTES, part.weight, step * (CODED ? INNER * BITS / 8 : INNER), 0, 0, place.output / (a.mode == GATED ? 8 : 16), full);
    for (int i = 0; i < 2 * ENTRIES; i++)
    {
        // Behind the last column stands any entry: inputs are zero there.
        int half = i % 2, group = min((step * INNER + i / 2 * GROUP) / a.group, (a.columns - 1) / a.group);
        const u32* source = part.groups[half] + place.output + (a.mode == GATED ? 0 : half * (ROWS / 2)) + (i64)group * part.outputs;
        if (counts[half] > 0) copy_bytes(entries + i * (ROWS / 2) * 4, source, counts[half], full);
    }
}

// By one thread: weights do not depend on what ran before, and are fetched before the wait for it.
static __device__ __forceinline__ void fetch_all(const ManyArguments& a, Way way, u32 rank, u8* stages, Barriers& barriers)
{
    u32 base = shared_address(stages);
    fetch_map(a.inputs);
    Way early = way;
    int step = early.from;
    for (int i = 0; i < STAGES && !early.isOver(); i++)
    {
        fetch_weights(a, Place(a, early.tile, rank), step, base + i * STAGE_BYTES, &barriers.full[i]);
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
                fetch_weights(a, place, step, target, &barriers.full[stage]);
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

// What turns codes of a row into weights.
struct Affine
{
    float scales[2]; // of a pair's first and second code as `pair_of` has them
    float offsets[2];

    __device__ __forceinline__ void set(u32 entry)
    {
        float scale, offset;
        read_group(entry, scale, offset);
        if (BITS == 4)
        {
            scales[0] = 256 * scale;
            offsets[0] = fmaf(-264, scale, offset);
            scales[1] = 16 * scale;
            offsets[1] = fmaf(-24, scale, offset);
        }
        else
        {
            scales[0] = scales[1] = scale;
            offsets[0] = offsets[1] = offset;
        }
    }
};

// Of eight codes a lane takes the pair of its number: as bf16. Of four bits, codes are the last bits of 1 + code/256 and 1 + code/16.
static __device__ __forceinline__ u32 pair_of(u32 codes, int turn, const Affine& d)
{
    u32 turned = __funnelshift_l(codes, codes, turn);
    float low = __uint_as_float(and_or(turned, 0x00078000, 0x3f800000)), high = __uint_as_float(and_or(turned, 0x00780000, 0x3f800000));
    return pack_bfloats(fmaf(low, d.scales[0], d.offsets[0]), fmaf(high, d.scales[1], d.offsets[1]));
}

static __device__ __forceinline__ u32 pair_of(u32 first, u32 second, int places, const Affine& d)
{
    u32 pair = __byte_perm(first, second, places); // 2^23 + code, less 2^23 + 128
    float low = __uint_as_float(__byte_perm(pair, 0x4b000000, 0x7440)) - 8388736.0f, high = __uint_as_float(__byte_perm(pair, 0x4b000000, 0x7441)) - 8388736.0f;
    return pack_bfloats(fmaf(low, d.scales[0], d.offsets[0]), fmaf(high, d.scales[1], d.offsets[1]));
}

static __device__ __forceinline__ uint4 load_four(u32 address)
{
    uint4 v;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(address) : "memory");
    return v;
}

static __device__ __forceinline__ u32 load_one(u32 address)
{
    u32 v;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(v) : "r"(address) : "memory");
    return v;
}

// Where a lane finds its two rows of a stage, and which codes of eight are its own.
struct LanePlace
{
    u32 codes;   // from the stage's weights on
    u32 entries[2];
    int pair;

    __device__ __forceinline__ LanePlace(bool isGated, int warp, int lane)
    {
        codes = (warp * 16 + lane / 4) * (INNER * BITS / 8);
        #pragma unroll
        for (int half = 0; half < 2; half++)
            entries[half] = WEIGHT_BYTES + 4 * (isGated ? half * (ROWS / 2) + warp * 8 + lane / 4 : warp * 16 + lane / 4 * 2 + half);
        pair = BITS == 4 ? (15 - 8 * (lane % 4)) & 31 : (lane % 4 * 2) | (lane % 4 * 2 + 1) << 4;
    }
};

// A lane's codes of both rows, of 16 columns at 8 bits, of 32 at 4.
struct RawCodes
{
    uint4 upper;
    uint4 lower;

    __device__ __forceinline__ void load(u32 stage, int number, const LanePlace& p)
    {
        u32 place = stage + p.codes + number * 16;
        upper = load_four(place);
        lower = load_four(place + 8 * (INNER * BITS / 8));
    }

    // 16 columns as the first operand of a product: of 32 the first or second half.
    __device__ __forceinline__ void unpack(u32 (&w)[4], int half, const LanePlace& p, const Affine (&d)[2]) const
    {
        if (BITS == 4)
        {
            w[0] = pair_of(half == 0 ? upper.x : upper.z, p.pair, d[0]);
            w[1] = pair_of(half == 0 ? lower.x : lower.z, p.pair, d[1]);
            w[2] = pair_of(half == 0 ? upper.y : upper.w, p.pair, d[0]);
            w[3] = pair_of(half == 0 ? lower.y : lower.w, p.pair, d[1]);
        }
        else
        {
            w[0] = pair_of(upper.x, upper.y, p.pair, d[0]);
            w[1] = pair_of(lower.x, lower.y, p.pair, d[1]);
            w[2] = pair_of(upper.z, upper.w, p.pair, d[0]);
            w[3] = pair_of(lower.z, lower.w, p.pair, d[1]);
        }
    }
};

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

static __device__ __forceinline__ void wait_for_quad(int quad) { asm volatile("bar.sync %0, %1;" :: "r"(1 + quad), "n"(QUAD) : "memory"); }

static __device__ __forceinline__ float4* partial_of(const ManyArguments& a, int cluster, u32 rank, int thread)
{
    return (float4*)a.partials + (i64)(cluster * CLUSTER + rank) * (TOKENS / 8 * 2 * QUAD) + thread;
}

// What a thread knows of its place among those who put a tile together.
struct Sharer
{
    const ManyArguments& a;
    int cluster;
    u32 rank;
    int thread;

    __device__ __forceinline__ u32* flag(int writer, int reader) const { return &isThere[writer][rank][thread / QUAD][reader]; }

    __device__ __forceinline__ void tell(int reader) const
    {
        asm volatile("st.release.gpu.global.u32 [%0], %1;" :: "l"(flag(cluster, reader)), "r"(1) : "memory");
    }

    __device__ __forceinline__ void wait(int writer, int reader) const
    {
        u32 value = 0;
        while (value == 0) asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(flag(writer, reader)) : "memory");
        *flag(writer, reader) = 0;
    }

    // All but the numbers [from, to) of four.
    __device__ __forceinline__ void give(const float (&sums)[TOKENS / 2], int from, int to) const
    {
        float4* target = partial_of(a, cluster, rank, thread);
        #pragma unroll
        for (int i = 0; i < TOKENS / 8; i++)
            if (i < from || i >= to) __stcg(target + i * 2 * QUAD, make_float4(sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]));
        __threadfence();
        wait_for_quad(thread / QUAD);
    }

    // Adds another's numbers [from, to) of four, whole fours of them.
    __device__ __forceinline__ void take(float (&sums)[TOKENS / 2], int writer, int from, int to) const
    {
        const int Ahead = 4;
        const float4* source = partial_of(a, writer, rank, thread);
        #pragma unroll
        for (int first = 0; first < TOKENS / 8; first += Ahead)
        {
            if (first + Ahead <= from || first >= to) continue;
            float4 parts[Ahead];
            #pragma unroll
            for (int i = 0; i < Ahead; i++) parts[i] = __ldcg(source + (first + i) * 2 * QUAD);
            #pragma unroll
            for (int i = 0; i < Ahead; i++)
            {
                sums[4 * (first + i)] += parts[i].x;
                sums[4 * (first + i) + 1] += parts[i].y;
                sums[4 * (first + i) + 2] += parts[i].z;
                sums[4 * (first + i) + 3] += parts[i].w;
            }
        }
    }

    // All of another's numbers.
    __device__ __forceinline__ void take(float (&sums)[TOKENS / 2], int writer) const
    {
        const float4* source = partial_of(a, writer, rank, thread);
        #pragma unroll
        for (int first = 0; first < TOKENS / 8; first += 16)
        {
            float4 parts[16];
            #pragma unroll
            for (int i = 0; i < 16; i++) parts[i] = __ldcg(source + (first + i) * 2 * QUAD);
            #pragma unroll
            for (int i = 0; i < 16; i++)
            {
                sums[4 * (first + i)] += parts[i].x;
                sums[4 * (first + i) + 1] += parts[i].y;
                sums[4 * (first + i) + 2] += parts[i].z;
                sums[4 * (first + i) + 3] += parts[i].w;
            }
        }
    }

    // Each of a tile's clusters ends up with the whole sums of its tokens [from, to).
    __device__ __forceinline__ void scatter(float (&sums)[TOKENS / 2], int from, int to) const
    {
        int share = cluster % a.shares, first = cluster - share, other = thread % QUAD;
        bool isOther = other < a.shares && other != share;
        give(sums, from, to);
        if (isOther) tell(other);
        if (isOther) wait(first + other, share);
        wait_for_quad(thread / QUAD);
        for (int i = 0; i < a.shares; i++)
            if (i != share) take(sums, first + i, from, to);
    }

    // Earlier clusters have the tile's beginning.
    __device__ __forceinline__ void gather(float (&sums)[TOKENS / 2], const Way& way, int clusters) const
    {
        for (int writer = cluster, begin = way.begin; begin > way.tile * way.steps;)
        {
            writer--;
            begin = way.first(a, writer, clusters);
            if (thread % QUAD == 0) wait(writer, 0);
            wait_for_quad(thread / QUAD);
            take(sums, writer);
        }
    }
};

static __device__ __forceinline__ float quick_silu(float x) { return __fdividef(x, 1 + __expf(-x)); }

// What becomes of a thread's sums: number 4·j + 2·half + i is that of token 8·j + 2·(lane % 4) + i and of the output of this half.
struct Results
{
    const ManyArguments& a;
    const ManyPart& part;
    int n, first;  // output and token of the first sum
    float bias[2];
    u8* place;     // of the first sum
    i64 rowBytes;
    int from, to;  // numbers of eight tokens that are this cluster's

    __device__ __forceinline__ Results(const ManyArguments& arguments, const Place& at, int from, int to, int warp, int lane)
        : a(arguments), part(arguments.parts[at.part]), from(from), to(to)
    {
        bool isGated = a.mode == GATED;
        n = at.output + (isGated ? warp * 8 + lane / 4 : warp * 16 + lane / 4 * 2);
        first = at.token + lane % 4 * 2;
        #pragma unroll
        for (int half = 0; half < 2; half++) bias[half] = part.bias[half] && n < part.outputs ? part.bias[half][n + (isGated ? 0 : half)] : 0;
        int size = part.y.type == F32 ? 4 : 2;
        rowBytes = (i64)part.y.stride * size;
        place = (u8*)part.y.data + first * rowBytes + n * size;
    }

    // What `value` of two sums of a token gives, where they belong.
    template <class Value, class Of> __device__ __forceinline__ void put(const float (&sums)[TOKENS / 2], Of value) const
    {
        if (n >= part.outputs) return;
        #pragma unroll
        for (int j = 0; j < TOKENS / 8; j++)
        {
            #pragma unroll
            for (int i = 0; i < 2; i++)
            {
                Value result = value(sums[4 * j + i] + bias[0], sums[4 * j + 2 + i] + bias[1]);
                if (first + 8 * j + i < a.rows && j >= from && j < to) *(Value*)(place + (8 * j + i) * rowBytes) = result;
            }
        }
    }

    __device__ __forceinline__ void store(const float (&sums)[TOKENS / 2]) const
    {
        bool isWide = part.y.type == F32, isGateFirst = a.gateHalf == 0;
        auto gated = [=](float one, float other) { return quick_silu(isGateFirst ? one : other) * (isGateFirst ? other : one); };
        if (a.mode == ADD) add(sums);
        else if (a.mode == GATED && isWide) put<float>(sums, gated);
        else if (a.mode == GATED) put<u16>(sums, [=](float one, float other) { return (u16)pack_bfloats(gated(one, other), 0); });
        else if (isWide) put<float2>(sums, [](float low, float high) { return make_float2(low, high); });
        else put<u32>(sums, [](float low, float high) { return pack_bfloats(low, high); });
    }

    // Nobody else adds to these, so that the order of sums is always one.
    __device__ __forceinline__ void add(const float (&sums)[TOKENS / 2]) const
    {
        if (n >= part.outputs) return;
        #pragma unroll
        for (int j = 0; j < TOKENS / 8; j++)
        {
            #pragma unroll
            for (int i = 0; i < 2; i++)
            {
                if (first + 8 * j + i < a.rows && j >= from && j < to)
                    asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};"
                        :: "l"(place + (8 * j + i) * rowBytes), "f"(sums[4 * j + i] + bias[0]), "f"(sums[4 * j + 2 + i] + bias[1]) : "memory");
            }
        }
    }
};

// Grid [clusters · CLUSTER]: no more than run at a time.
extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(3 * QUAD, 1) linear_many(const __grid_constant__ ManyArguments a)
{
    extern __shared__ u8 memory[];
    __shared__ Barriers barriers;
    u8* stages = memory + (1024 - shared_address(memory) % 1024) % 1024; // of each inputs [TOKENS, INNER], weights [ROWS, INNER] and entries
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
        Multiplier multiplier = { barriers, base + INPUT_BYTES, descriptor(base, 0), descriptor(base + INPUT_BYTES + quad * (WEIGHT_BYTES / 2), 0),
            LanePlace(a.mode == GATED, warp, lane), lane };
        wait_for_previous();
        for (; !way.isOver(); way.next())
        {
            float sums[TOKENS / 2];
            multiplier.run(sums, way.to - way.from);
            Sharer sharer = { a, cluster, rank, thread };
            int from = 0, to = TOKENS / 8;
            if (a.shares > 1)
            {
                // By fours, which are taken together.
                from = TOKENS / 32 * (cluster % a.shares) / a.shares * 4;
                to = TOKENS / 32 * (cluster % a.shares + 1) / a.shares * 4;
                sharer.scatter(sums, from, to);
            }
            else if (way.to < way.steps)
            {
                sharer.give(sums, 0, 0);
                if (thread % QUAD == 0) sharer.tell(0);
                continue;
            }
            else sharer.gather(sums, way, clusters);
            Results(a, Place(a, way.tile, rank), from, to, warp, lane).store(sums);
        }
    }
    wait_for_cluster(); // nobody leaves while the other may still write here
}

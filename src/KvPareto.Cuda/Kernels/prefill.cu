// Causal grouped attention of many query rows over packed caches for compute capability 9.0: products of four warps from shared memory.
// Compiled like attention.cu, for heads of 64 or 128 channels. A block has 128 query rows (a row is a query token and one of the heads that
// share a key head): two warps fill tiles of 128 keys in shared memory, unpacked to f16, two more those of values; two groups of four warps multiply 64
// rows each and keep their maxima, sums and weighted values (online softmax, base 2). The next tile's scores are multiplied while this
// one's values are.

#include "common.cuh"

#define D HEAD_DIM

#include "tensor_cores.cuh"
#include "attention.cuh"
#include "tiles.cuh"
#include "warpgroups.cuh"

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

static_assert(ROWS == TILE, "queries are swizzled as a tile is");

struct Barriers
{
    u64 keysFull[STAGES];
    u64 keysEmpty[STAGES];
    u64 valuesFull[STAGES];
    u64 valuesEmpty[STAGES];
};

static __device__ __forceinline__ void wait_for_consumers() { asm volatile("bar.sync %0, %1;" :: "n"(CONSUMER_BARRIER), "n"(2 * QUAD) : "memory"); }

// Channels of a row that a lane has: side by side.
#define LANE_CHANNELS (D / 32)

// Orthonormal Walsh–Hadamard transform of a row that a warp holds.
static __device__ __forceinline__ void hadamard_of_warp(float (&x)[LANE_CHANNELS], int lane)
{
    #pragma unroll
    for (int half = 1; half < LANE_CHANNELS; half <<= 1)
    {
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i++)
        {
            if (i & half) continue;
            float a = x[i], b = x[i + half];
            x[i] = a + b;
            x[i + half] = a - b;
        }
    }
    #pragma unroll
    for (int step = 1; step < 32; step <<= 1)
    {
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i++)
        {
            float other = __shfl_xor_sync(0xffffffff, x[i], step);
            x[i] = lane & step ? other - x[i] : x[i] + other;
        }
    }
    #pragma unroll
    for (int i = 0; i < LANE_CHANNELS; i++) x[i] *= rsqrtf((float)D);
}

// A warp's 16 query rows in f16, scaled by log2(e)/√D and turned as the keys are.
static __device__ __forceinline__ void load_queries(const SwizzledRows& target, const AttentionArguments& a, int head, int firstRow, int row, int lane)
{
    int group = a.queryHeads / a.keyHeads, count = a.rows * group, c = lane * LANE_CHANNELS;
    float scale = 1.44269504f * rsqrtf((float)D);
    #pragma unroll 4
    for (int r = row; r < row + 16; r++)
    {
        int at = firstRow + r, first = (head * group + at % group) * D + c;
        float x[LANE_CHANNELS];
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i += 2)
        {
            float2 pair = at < count ? pair_at(a.q, at / group, first + i) : make_float2(0, 0);
            x[i] = pair.x * scale;
            x[i + 1] = pair.y * scale;
        }
        if (a.rotation > 0) hadamard_of_warp(x, lane);
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i += 2) *(u32*)(target.at(r, c / 8 * 8) + c % 8 + i) = pack_halves(x[i], x[i + 1]);
    }
}

// What a thread unpacks 16 channels of one run's rows with, where channels have entries of their own, and the next run's entries.
struct RunDecoders
{
    int run;
    Decoder d[2][4];
    u32 next[16];
};

// 32 channels of a row as they are coded, one entry for all: what a filling thread takes at a time, several rows at once.
template <int BITS, int GROUP, int RUN> struct CodedRows
{
    static const int Chunks = D / 32, Step = FILLERS / Chunks; // threads of a row; rows at once, a multiple of eight
    static const int Units = BITS < 8 && D == 128 ? 4 : 2, Parts = TILE / (Units * Step);

    u32 words[Units][BITS];
    u32 entries[Units];

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int part, int, int, int thread)
    {
        int chunk = thread % Chunks, row = tile - s.sinkTokens + part * Units * Step + thread / Chunks;
        const u8* source = s.codes + head * s.headCodes + (i64)row * (D * BITS / 8) + chunk * (4 * BITS);
        const u32* groups = s.groups + head * s.headGroups + chunk * 32 / GROUP;
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            const u8* place = source + i * Step * (D * BITS / 8);
            if constexpr (BITS == 2)
            {
                uint2 x = __ldg((const uint2*)place);
                words[i][0] = x.x;
                words[i][1] = x.y;
            }
            else
            {
                #pragma unroll
                for (int k = 0; k < BITS / 4; k++)
                {
                    uint4 x = __ldg((const uint4*)place + k);
                    words[i][4 * k] = x.x;
                    words[i][4 * k + 1] = x.y;
                    words[i][4 * k + 2] = x.z;
                    words[i][4 * k + 3] = x.w;
                }
            }
            entries[i] = __ldg(groups + (i64)((row + i * Step) / RUN) * (D / GROUP));
        }
    }

    // Eight of the 32 channels.
    __device__ __forceinline__ uint2 piece(int i, int p) const
    {
        if (BITS == 8) return make_uint2(words[i][2 * p % BITS], words[i][(2 * p + 1) % BITS]);
        return make_uint2(BITS == 4 ? words[i][p % BITS] : words[i][p / 2 % BITS] >> 16 * (p % 2) & 0xffff, 0);
    }

    __device__ __forceinline__ void store(RunDecoders&, const SwizzledRows& rows, const Side&, int, int, int part, int, int, int thread) const
    {
        // Threads of one row that write to different slabs begin with different pieces: else they would meet in the same banks.
        int chunk = thread % Chunks, row = thread / Chunks, turn = chunk & 2;
        u8* base = (u8*)rows.base + chunk / 2 * rows.slabBytes + row * 128;
        int swizzle = (chunk % 2 * 4 | turn) ^ row % 8;
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            Decoder d[4];
            share_decoder(d, entries[i], BITS);
            #pragma unroll
            for (int p = 0; p < 4; p++)
            {
                uint2 own = piece(i, p), other = piece(i, p ^ 2);
                *(uint4*)(base + (swizzle ^ p) * 16 + (part * Units + i) * Step * 128) = decode<BITS>(turn ? other : own, d);
            }
        }
    }
};

// 16 channels of a row, each with its own entry: the thread's, for a run of rows.
template <int BITS, int RUN> struct ChannelRows
{
    static const int Tokens = BITS == 8 ? 32 : 64, Parts = TILE / Tokens, Words = BITS / 2;
    static const int Pieces = D / 16, Step = FILLERS / Pieces, Units = Tokens / Step; // threads of a row; rows at once, a multiple of eight

    u32 words[Units][Words];

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int part, int, int, int thread)
    {
        const u8* source = s.codes + head * s.headCodes + (i64)(tile - s.sinkTokens + part * Tokens + thread / Pieces) * (D * BITS / 8) + thread % Pieces * (2 * BITS);
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            const u8* place = source + i * Step * (D * BITS / 8);
            if constexpr (BITS == 2) words[i][0] = __ldg((const u32*)place);
            else if constexpr (BITS == 4)
            {
                uint2 x = __ldg((const uint2*)place);
                words[i][0] = x.x;
                words[i][1] = x.y;
            }
            else
            {
                uint4 x = __ldg((const uint4*)place);
                words[i][0] = x.x;
                words[i][1] = x.y;
                words[i][2] = x.z;
                words[i][3] = x.w;
            }
        }
    }

    static __device__ __forceinline__ void fetch_run(u32 (&entries)[16], const Side& s, int head, int run, int thread)
    {
        const uint4* place = (const uint4*)(s.groups + head * s.headGroups + (i64)run * D + thread % Pieces * 16);
        #pragma unroll
        for (int k = 0; k < 4; k++)
        {
            uint4 x = __ldg(place + k);
            entries[4 * k] = x.x;
            entries[4 * k + 1] = x.y;
            entries[4 * k + 2] = x.z;
            entries[4 * k + 3] = x.w;
        }
    }

    // Runs follow one another; `last` is the last one with codes.
    static __device__ __forceinline__ void turn_to(RunDecoders& decoders, const Side& s, int head, int run, int last, int thread)
    {
        if (decoders.run < 0 || run != decoders.run + 1) fetch_run(decoders.next, s, head, run, thread);
        decoders.run = run;
        u32 marks = 0;
        #pragma unroll
        for (int i = 0; i < 16; i++) marks |= decoders.next[i];
        #pragma unroll
        for (int i = 0; i < 8; i++)
        {
            u32 low = decoders.next[2 * i], high = decoders.next[2 * i + 1];
            u16 scales[2] = { (u16)low, (u16)high }, zeros[2];
            zeros[0] = int_to_half(((int)low >> 16) + 1024 + (1 << (BITS - 1)));
            zeros[1] = int_to_half(((int)high >> 16) + 1024 + (1 << (BITS - 1)));
            if (marks & 0x8000)
            {
                decoder_of(low, BITS, scales[0], zeros[0]);
                decoder_of(high, BITS, scales[1], zeros[1]);
            }
            decoders.d[i / 4][i % 4] = { scales[0] | (u32)scales[1] << 16, zeros[0] | (u32)zeros[1] << 16 };
        }
        fetch_run(decoders.next, s, head, min(run + 1, last), thread);
    }

    __device__ __forceinline__ void store(RunDecoders& decoders, const SwizzledRows& rows, const Side& s, int head, int tile, int part, int codedEnd, int, int thread) const
    {
        int row = thread / Pieces, first = tile - s.sinkTokens + part * Tokens + row, last = (codedEnd - s.sinkTokens - 1) / RUN;
        int piece = thread % Pieces * 2;
        u8* base = (u8*)rows.base + piece / 8 * rows.slabBytes + (part * Tokens + row) * 128;
        int swizzle = piece % 8 ^ row % 8;
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            int run = (first + i * Step) / RUN;
            if (run != decoders.run) turn_to(decoders, s, head, run, last, thread);
            #pragma unroll
            for (int p = 0; p < 2; p++)
            {
                uint2 raw = BITS == 8 ? make_uint2(words[i][2 * p % Words], words[i][(2 * p + 1) % Words])
                    : make_uint2(BITS == 4 ? words[i][p % Words] : words[i][0] >> 16 * p & 0xffff, 0);
                *(uint4*)(base + (swizzle ^ p) * 16 + i * Step * 128) = decode<BITS>(raw, decoders.d[p]);
            }
        }
    }
};

// Eight channels of a row at a time, with entries of any kind.
template <int BITS> struct AnyRows
{
    static const int Tokens = 32, Parts = TILE / Tokens;

    TileLoad<FILLERS, Tokens, BITS, false> load;

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int part, int codedEnd, int end, int thread)
    {
        load.fetch(s, head, tile + part * Tokens, codedEnd, end, thread);
    }

    __device__ __forceinline__ void store(RunDecoders&, const SwizzledRows& rows, const Side& s, int head, int tile, int part, int codedEnd, int end, int thread)
    {
        load.store(SwizzledRows { (u16*)((u8*)rows.base + part * Tokens * 128), rows.slabBytes }, s, head, tile + part * Tokens, codedEnd, end, thread);
    }
};

// Rows of f16 are copied.
struct HalfRows
{
    static const int Parts = 2;

    __device__ __forceinline__ void fetch(const Side&, int, int, int, int, int, int) { }

    __device__ __forceinline__ void store(RunDecoders&, const SwizzledRows& rows, const Side& s, int head, int tile, int part, int, int, int thread)
    {
        const int Pieces = D / 8, Step = FILLERS / Pieces;
        int c = thread % Pieces * 8, row = part * (TILE / Parts) + thread / Pieces;
        const u8* source = s.codes + head * s.headCodes + (i64)(tile - s.sinkTokens + row) * (D * 2) + c * 2;
        #pragma unroll
        for (int i = 0; i < TILE / Parts / Step; i++) copy_async(rows.at(row + i * Step, c), source + i * Step * (D * 2));
    }
};

template <bool FIRST, class A, class B> struct Choose { typedef A Type; };
template <class A, class B> struct Choose<false, A, B> { typedef B Type; };

// The tiles of one side from `from` on, by FILLERS threads: two parts of a tile are on their way while others are stored.
template <int BITS, int GROUP, int RUN> static __device__ __forceinline__ void fill(
    u8* tiles, u64* full, u64* empty, const Side& s, int head, int from, int to, int length, int thread)
{
    const bool IsVector = BITS < 16 && GROUP > 0 && GROUP % 32 == 0;
    typedef typename Choose<BITS == 16, HalfRows,
        typename Choose<GROUP == 0, ChannelRows<BITS < 16 ? BITS : 8, RUN>,
        typename Choose<IsVector, CodedRows<BITS < 16 ? BITS : 8, IsVector ? GROUP : D, RUN>, AnyRows<BITS>>::Type>::Type>::Type Rows;
    int end = coded_end(s, length), count = (to - from + TILE - 1) / TILE;
    Rows first, second;
    RunDecoders decoders;
    decoders.run = -1;
    bool isWhole = from >= s.sinkTokens && from + TILE <= end;
    if (isWhole)
    {
        first.fetch(s, head, from, 0, end, length, thread);
        second.fetch(s, head, from, 1, end, length, thread);
    }
    #pragma unroll 1
    for (int j = 0; j < count; j++)
    {
        int tile = from + j * TILE, stage = j % STAGES, next = tile + TILE;
        bool isNextWhole = j + 1 < count && next >= s.sinkTokens && next + TILE <= end;
        SwizzledRows rows = { (u16*)(tiles + stage * TILE_BYTES), SLAB };
        wait_for(&empty[stage], j / STAGES % 2 ^ 1);
        if (isWhole)
        {
            #pragma unroll
            for (int part = 0; part < Rows::Parts; part += 2)
            {
                bool isLast = part + 2 == Rows::Parts;
                first.store(decoders, rows, s, head, tile, part, end, length, thread);
                if (!isLast || isNextWhole) first.fetch(s, head, isLast ? next : tile, isLast ? 0 : part + 2, end, length, thread);
                second.store(decoders, rows, s, head, tile, part + 1, end, length, thread);
                if (!isLast || isNextWhole) second.fetch(s, head, isLast ? next : tile, isLast ? 1 : part + 3, end, length, thread);
            }
        }
        else
        {
            #pragma unroll 4
            for (int i = thread; i < TILE * (D / 8); i += FILLERS)
                *(uint4*)rows.at(i / (D / 8), i % (D / 8) * 8) = load_token<BITS, GROUP == 0>(s, head, tile + i / (D / 8), end, length, i % (D / 8) * 8);
            if (isNextWhole)
            {
                first.fetch(s, head, next, 0, end, length, thread);
                second.fetch(s, head, next, 1, end, length, thread);
            }
        }
        wait_for_copies();
        publish();
        arrive(&full[stage]);
        isWhole = isNextWhole;
    }
}

// scores [64, TILE] = queries · keysᵀ, on its way afterwards. Both are descriptors of a tile's first 16 channels.
static __device__ __forceinline__ void multiply_keys(float (&scores)[TILE / 2], u64 queries, u64 keys)
{
    #pragma unroll
    for (int k = 0; k < D / 16; k++)
    {
        int step = (k / 4 * SLAB + k % 4 * 32) >> 4;
        multiply_rows(scores, queries + step, keys + step, k > 0);
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

static __device__ __forceinline__ void pack_weights(u32 (&weights)[TILE / 16][4], const float (&scores)[TILE / 2])
{
    #pragma unroll
    for (int k = 0; k < TILE / 16; k++)
    {
        #pragma unroll
        for (int i = 0; i < 4; i++) weights[k][i] = pack_halves(scores[8 * k + 2 * i], scores[8 * k + 2 * i + 1]);
    }
}

// Grid [row blocks · splits, key heads]; one sequence.
extern "C" __global__ void __launch_bounds__(3 * QUAD, 1) attention_128(AttentionArguments a)
{
    extern __shared__ u8 memory[];
    __shared__ Barriers barriers;
    wait_for_previous();
    u8* queries = memory + (1024 - shared_address(memory) % 1024) % 1024; // [ROWS, D] f16
    u8* keys = queries + TILE_BYTES;                                      // [STAGES, TILE, D] f16
    u8* values = keys + STAGES * TILE_BYTES;
    float* staging = (float*)keys;                                        // [ROWS, STAGING] f32, at last
    int head = blockIdx.y, split = blockIdx.x % a.splits, firstRow = blockIdx.x / a.splits * ROWS, start = a.starts[0], length = start + a.rows;
    int group = a.queryHeads / a.keyHeads, count = a.rows * group, thread = threadIdx.x % QUAD, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const LayerCache& cache = a.caches[a.layer];

    int from = sight_of(a, start, firstRow).first, to = sight_of(a, start, min(firstRow + ROWS, count) - 1).end;
    from = max(from, split * a.splitTokens) / TILE * TILE;
    if (a.splits > 1) to = min(to, (split + 1) * a.splitTokens);
    if (from >= to) return;

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
        if (thread < FILLERS) fill<KEY_BITS, KEY_GROUP, KEY_RUN>(keys, barriers.keysFull, barriers.keysEmpty, cache.keys, head, from, to, length, thread);
        else fill<VALUE_BITS, VALUE_GROUP, VALUE_RUN>(values, barriers.valuesFull, barriers.valuesEmpty, cache.values, head, from, to, length, thread - FILLERS);
    }
    else
    {
        take_registers<MULTIPLY_REGISTERS>();
        int row = (warp - QUAD / 32) * 16; // the warp's first in the block
        load_queries({ (u16*)queries, SLAB }, a, head, firstRow, row, lane);
        publish();
        wait_for_consumers();

        Sight sights[2] = { sight_of(a, start, firstRow + row + lane / 4), sight_of(a, start, firstRow + row + lane / 4 + 8) };
        int clearFrom = sight_of(a, start, min(firstRow + row + 15, count - 1)).first, clearTo = sight_of(a, start, firstRow + row).end;
        if (firstRow + row + 16 > count) clearTo = 0;
        u64 queriesAt = descriptor(shared_address(queries) + row / 64 * 64 * 128, SLAB);
        u64 keysAt = descriptor(shared_address(keys), SLAB), valuesAt = descriptor(shared_address(values), SLAB);
        float scores[TILE / 2], sums[D / 2];
        u32 weights[TILE / 16][4];
        Softmax softmax;
        #pragma unroll
        for (int i = 0; i < D / 2; i++) sums[i] = 0;

        int tiles = (to - from + TILE - 1) / TILE;
        wait_for(&barriers.keysFull[0], 0);
        begin_products();
        multiply_keys(scores, queriesAt, keysAt);
        wait_for_products<0>();
        hold(scores);
        if (lane == 0) arrive(&barriers.keysEmpty[0]);
        softmax.apply(scores, sights, from, from >= clearFrom && from + TILE <= clearTo, lane);
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
            {
                #pragma unroll
                for (int i = 0; i < D / 2; i++) sums[i] *= softmax.factors[i / 2 % 2];
            }
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

        // Through shared memory: a row's sums, maximum and total.
        #pragma unroll
        for (int half = 0; half < 2; half++)
        {
            float total = softmax.totals[half];
            total += __shfl_xor_sync(0xffffffff, total, 1);
            total += __shfl_xor_sync(0xffffffff, total, 2);
            float* target = staging + (row + lane / 4 + 8 * half) * STAGING;
            #pragma unroll
            for (int j = 0; j < D / 8; j++) *(float2*)(target + 8 * j + lane % 4 * 2) = make_float2(sums[4 * j + 2 * half], sums[4 * j + 2 * half + 1]);
            if (lane % 4 == 0) *(float2*)(target + D) = make_float2(softmax.maxima[half], total);
        }
        __syncwarp();
        int c = lane * LANE_CHANNELS;
        for (int r = row; r < row + 16 && firstRow + r < count; r++)
        {
            int token = (firstRow + r) / group, query = head * group + (firstRow + r) % group;
            const float* source = staging + r * STAGING;
            float x[LANE_CHANNELS];
            #pragma unroll
            for (int i = 0; i < LANE_CHANNELS; i++) x[i] = source[c + i];
            if (a.splits > 1)
            {
                float* partial = partial_of(a, token, query, split);
                #pragma unroll
                for (int i = 0; i < LANE_CHANNELS; i += 2) *(float2*)(partial + c + i) = make_float2(x[i], x[i + 1]);
                if (lane == 0) *(float2*)(partial + D) = *(const float2*)(source + D);
                continue;
            }
            float factor = 1 / source[D + 1];
            #pragma unroll
            for (int i = 0; i < LANE_CHANNELS; i++) x[i] *= factor;
            if (a.rotation == 2) hadamard_of_warp(x, lane);
            #pragma unroll
            for (int i = 0; i < LANE_CHANNELS; i += 2) put_pair(a.y, token, query * D + c + i, make_float2(x[i], x[i + 1]));
        }
    }
}

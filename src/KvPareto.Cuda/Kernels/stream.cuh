// Weights on their way to few rows: a ring of stages in shared memory, filled ahead. The rest of linear.cu's headers build on it.

#include "copies.cuh"

#define PARTS 3
#define OUTPUTS 16
#define WARPS 8 // of a team, which shares a tile; a block's teams, up to MOST_TEAMS, have inputs in common
#define THREADS (32 * WARPS)
#define MOST_ROWS 8

// One weight of those that a launch multiplies the same input with.
struct LinearPart
{
    WeightRows weight;
    Matrix y;
    const float* bias; // [N], or null
    int outputs;       // N
    int endTile;       // tiles up to its end, earlier parts' included
};

struct LinearArguments
{
    Matrix x;
    LinearPart parts[PARTS]; // of one kind and K
    const float* gain;       // [K]: x / rms(x) · gain is multiplied; null: x
    float epsilon;
    int rows;                // T, up to 8
    int mode;
    int tiles;
    int batch;               // tiles of a block whose parts are put together at a time
    int chunks;              // of inputs that are prepared, of which shared memory holds one at a time
    u8* prepared;            // inputs as products of many rows of codes take them
};

static_assert(sizeof(LinearPart) == 64 && sizeof(LinearArguments) == 248, "structures differ from the host's");

// The part that a tile lies in, and its first output there.
static __device__ __forceinline__ const LinearPart& part_of(const LinearArguments& a, int tile, int& first)
{
    int which = tile >= a.parts[0].endTile ? tile >= a.parts[1].endTile ? 2 : 1 : 0;
    first = (tile - (which > 0 ? a.parts[which - 1].endTile : 0)) * OUTPUTS;
    return a.parts[which];
}

// Shared memory by its own addresses, which cost no arithmetic; volatile, to stay behind the wait for copies.
static __device__ __forceinline__ uint4 load_shared_four(u32 address)
{
    uint4 v;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(address) : "memory");
    return v;
}

static __device__ __forceinline__ uint2 load_shared_two(u32 address)
{
    uint2 v;
    asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(v.x), "=r"(v.y) : "r"(address) : "memory");
    return v;
}

static __device__ __forceinline__ u32 load_shared_one(u32 address)
{
    u32 v;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(v) : "r"(address) : "memory");
    return v;
}

template <int WORDS> static __device__ __forceinline__ void load_shared(u32 (&words)[WORDS], u32 address)
{
    if constexpr (WORDS % 4 == 0)
    {
        #pragma unroll
        for (int i = 0; i < WORDS / 4; i++)
        {
            uint4 part = load_shared_four(address + 16 * i);
            words[4 * i] = part.x; words[4 * i + 1] = part.y; words[4 * i + 2] = part.z; words[4 * i + 3] = part.w;
        }
    }
    else if constexpr (WORDS == 2)
    {
        uint2 part = load_shared_two(address);
        words[0] = part.x; words[1] = part.y;
    }
    else words[0] = load_shared_one(address);
}

// Units of a warp in a chunk of inputs, at the most; one has as many in all but the last.
static __device__ __forceinline__ int units_of_chunk(int units, int chunks) { return ((units + WARPS - 1) / WARPS + chunks - 1) / chunks; }

// The columns of a weight are cut into units. Of a unit lane i has WORDS words of two rows (i / 4 and eight on), neighbours in memory, and
// of codes the rows' entries. A warp goes through its units of one tile after another; each lane fills and reads its own places of a stage.
// FAR: bf16 inputs of token i / 4 come with them, where shared memory does not hold all of them. CHUNKED: a warp goes through a share of
// its units of all tiles, then through the next.
template <int BITS, int UNIT, int STAGES, bool FAR = false, bool CHUNKED = false> struct Stream
{
    static const bool Coded = BITS < 16;
    static const int Words = UNIT * BITS / 128;
    static const int EntriesAt = 2 * Words * 4 * THREADS; // in a stage, as inputs
    static const int StageBytes = EntriesAt + (Coded ? 2 * 4 * THREADS : FAR ? 16 * THREADS : 0);
    static const int Bytes = STAGES * StageBytes;

    const LinearArguments& a;
    int begin, end; // units of this warp, of the chunk that is fetched
    int tile;       // the next to fetch of
    const u8* upper; // of the tile's first unit
    const u8* lower;
    const u8* upperEntries; // of its group, [N]
    const u8* lowerEntries;
    u32 at, endAt;  // bytes from there to the next unit, and to the end
    u32 entriesAt;
    u32 base;   // of this lane's words in the first stage
    u32 target; // in the stage to fill
    u32 source; // in the stage to read
    int unitsAGroup, inGroup; // and the next unit's place in its group
    int entryBytes; // from a thread's words to its entries: words take WORDS · 4 bytes, entries 8
    int groupBytes; // of entries, from a group's to the next one's
    int tiles;      // of the launch
    int stride;     // from a team's tile to its next
    int endTile;    // up to which a tile's rows are as far from those of the next as this one's
    int beginInGroup; // of the warp's first unit
    int bytesToNext, entriesToNext; // from a tile's first unit to that of the next
    const u8* inputs; // of the lane's token, its columns of a unit
    int warpBegin, warpEnd, firstTile, chunk, share; // units of a chunk

    // `memory` is the team's.
    __device__ __forceinline__ Stream(u8* memory, const LinearArguments& a, int firstTile, int stride) : a(a), stride(stride)
    {
        const WeightRows& w = a.parts[0].weight;
        int thread = threadIdx.x % THREADS, warp = thread / 32, units = w.columns / UNIT;
        begin = warp * units / WARPS;
        end = (warp + 1) * units / WARPS;
        if (CHUNKED)
        {
            warpBegin = begin;
            warpEnd = end;
            this->firstTile = firstTile;
            share = units_of_chunk(units, a.chunks);
            chunk = 0;
            end = end_of(0);
        }
        tiles = a.tiles;
        tile = begin < end ? firstTile : tiles;
        base = target = source = shared_address(memory) + thread * (Words * 4);
        entryBytes = EntriesAt + thread * (8 - Words * 4);
        enter();
        #pragma unroll 1 // a block's first instructions come from memory
        for (int i = 0; i < STAGES - 1; i++, target += StageBytes) fetch(false);
    }

    // Begins to copy the inputs of the units that are under way, which are all of the first tile.
    __device__ __forceinline__ void begin_inputs()
    {
        if constexpr (!FAR) return;
        int lane = threadIdx.x % 32;
        inputs = (const u8*)a.x.data + (i64)min(lane / 4, a.rows - 1) * a.x.stride * 2 + lane % 4 * 16;
        #pragma unroll 1
        for (int i = 0; i < STAGES - 1; i++)
        {
            copy_ahead<16>(base + i * StageBytes + EntriesAt, inputs + (begin + i) * (UNIT * 2));
            end_group();
        }
    }

    // The units of a warp in a chunk.
    __device__ __forceinline__ int begin_of(int chunk) const { return CHUNKED ? warpBegin + chunk * share : begin; }

    __device__ __forceinline__ int end_of(int chunk) const { return CHUNKED ? min(warpBegin + (chunk + 1) * share, warpEnd) : end; }

    // The rows of the tile at hand.
    __device__ __forceinline__ void enter()
    {
        at = entriesAt = 0;
        if (tile >= tiles) return;
        int lane = threadIdx.x % 32, first;
        const LinearPart* part;
        if (a.mode == GATED)
        {
            part = a.parts;
            first = tile * (OUTPUTS / 2);
        }
        else part = &part_of(a, tile, first);
        const WeightRows& w = part->weight;
        int tileRows = a.mode == GATED ? OUTPUTS / 2 : OUTPUTS;
        endTile = (a.mode == GATED ? tiles : part->endTile) - (part->outputs % tileRows > 0);
        const WeightRows& other = a.mode == GATED ? a.parts[1].weight : w;
        int up = min(first + lane / 4, part->outputs - 1), low = a.mode == GATED ? up : min(first + lane / 4 + 8, part->outputs - 1);
        i64 rowBytes = (i64)w.columns * BITS / 8;
        int column = begin * (Words * 16) + lane % 4 * (Words * 4);
        upper = w.data + up * rowBytes + column;
        lower = other.data + low * rowBytes + column;
        bytesToNext = stride * tileRows * (int)rowBytes;
        endAt = (end - begin) * (Words * 16);
        if (!Coded) return;
        groupBytes = w.rows * 4;
        unitsAGroup = w.group / UNIT;
        int group = unitsAGroup == 1 ? begin : begin / unitsAGroup;
        inGroup = beginInGroup = begin - group * unitsAGroup;
        upperEntries = (const u8*)w.groups + ((i64)group * w.rows + up) * 4;
        lowerEntries = (const u8*)other.groups + ((i64)group * w.rows + low) * 4;
        entriesToNext = stride * tileRows * 4;
    }

    // To the rows of the next tile where it is one of the same weight: what `enter` does with a third of the instructions.
    __device__ __forceinline__ void go_on()
    {
        at = entriesAt = 0;
        upper += bytesToNext;
        lower += bytesToNext;
        if (!Coded) return;
        inGroup = beginInGroup;
        upperEntries += entriesToNext;
        lowerEntries += entriesToNext;
    }

    // Begins to copy the next unit.
    __device__ __forceinline__ void fetch(bool hasInputs = true)
    {
        if (tile < tiles)
        {
            copy_ahead<Words * 4>(target, upper + at);
            copy_ahead<Words * 4>(target + Words * 4 * THREADS, lower + at);
            if (FAR && hasInputs) copy_ahead<16>(target + EntriesAt, inputs + begin * (UNIT * 2) + at / (Words * 16) * (UNIT * 2));
            if constexpr (Coded)
            {
                copy_ahead<4>(target + entryBytes, upperEntries + entriesAt);
                copy_ahead<4>(target + entryBytes + 4, lowerEntries + entriesAt);
                if (++inGroup == unitsAGroup)
                {
                    inGroup = 0;
                    entriesAt += groupBytes;
                }
            }
            at += Words * 16;
            if (at == endAt)
            {
                tile += stride;
                if (CHUNKED && tile >= tiles && chunk + 1 < a.chunks)
                {
                    tile = firstTile;
                    begin = begin_of(++chunk);
                    end = end_of(chunk);
                    enter();
                }
                else if (tile < endTile) go_on();
                else enter();
            }
        }
        end_group();
    }

    // Waits for the oldest unit, whose words are then at `source`, and begins to copy a further one into the stage read before.
    __device__ __forceinline__ void take()
    {
        wait_for_groups<STAGES - 2>();
        fetch();
    }

    __device__ __forceinline__ void leave()
    {
        target = source;
        source = source == base + (STAGES - 1) * StageBytes ? base : source + StageBytes;
    }

    __device__ __forceinline__ u32 entries() const { return source + entryBytes; }
};

// Eight columns of a row as they are: on their way until they are used, whatever their type is.
struct Eight
{
    uint4 low, high; // of bf16 the first alone

    __device__ __forceinline__ void load(const Matrix& x, int row, int column)
    {
        const u8* place = (const u8*)x.data + ((i64)row * x.stride + column) * (x.type == F32 ? 4 : 2);
        low = *(const uint4*)place;
        if (x.type == F32) high = *(const uint4*)(place + 16);
    }

    __device__ __forceinline__ void clear() { low = high = make_uint4(0, 0, 0, 0); }

    __device__ __forceinline__ void values(int type, float (&values)[8]) const
    {
        u32 words[8] = { low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w };
        #pragma unroll
        for (int i = 0; i < 8; i++)
        {
            u32 pair = words[i / 2];
            values[i] = type == F32 ? __uint_as_float(words[i]) : i % 2 == 0 ? low_bfloat(pair) : high_bfloat(pair);
        }
    }
};

static __device__ __forceinline__ void load_gains(const LinearArguments& a, int eight, float (&gains)[8])
{
    float4 low = __ldg((const float4*)a.gain + 2 * eight), high = __ldg((const float4*)a.gain + 2 * eight + 1);
    gains[0] = low.x; gains[1] = low.y; gains[2] = low.z; gains[3] = low.w;
    gains[4] = high.x; gains[5] = high.y; gains[6] = high.z; gains[7] = high.w;
}

// Eight columns of a row times their gains; returns the sum of their squares before.
static __device__ __forceinline__ float scale_inputs(const float (&gains)[8], float (&v)[8])
{
    float square = 0;
    #pragma unroll
    for (int i = 0; i < 8; i++)
    {
        square = fmaf(v[i], v[i], square);
        v[i] *= gains[i];
    }
    return square;
}

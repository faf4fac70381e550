// What linear_many.cu is asked for, and which part of it is whose.

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

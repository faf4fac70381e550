// What linear_many.cu is asked for, and which part of it is whose.

#define QUAD 128     // threads of four warps
#define ROWS 128     // of weights of a block
#define INNER (BITS == 4 ? 128 : 64) // columns of a stage
#define SLAB_INNER 64                // of those that lie in one row of swizzled inputs
#define UNITS (TOKENS / 8) // of a thread's sums: four, of eight tokens
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
#define MOST_CLUSTERS 80
#define MOST_SHARES 8 // of a tile
#define NORMED_ROWS 256 // of inputs that are still to be divided by their norms, at the most
#define SQUARED 64      // outputs whose squares are added up together

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

// The first step of a cluster's share: fewer than a tile has.
struct Begin
{
    int tile;
    int step;
};

struct ManyArguments
{
    TensorMap inputs;      // [K, T] bf16
    ManyPart parts[PARTS]; // of one kind and K
    float* partials;       // [clusters, CLUSTER, TOKENS / 8, 2 · QUAD, 4]
    int rows;              // T
    int steps;             // of a tile: its columns, INNER at a time
    int mode;
    int gateHalf;          // of a pair, which half is the gate's
    int tokenTiles;
    int groupUnits;        // GROUPs of columns that share an entry
    int lastGroup;         // of a row
    int shares;            // clusters of a tile, which put it together; 0 where who has its end does
    const float* gain;     // [N] of the norm that comes next, where what is added to is prepared for it; or null
    float* squares;        // [N or K / SQUARED, NORMED_ROWS]: sums of squares of what was added to, before gains
    Matrix normed;         // [T, N] bf16: what was added to, times gains
    float epsilon;
    int isNormed;          // inputs are such, and results are divided by the root of the mean of their squares
    int columns;           // K
    int reserved;
    Begin begins[MOST_CLUSTERS + 1]; // of each cluster's share
};

static_assert(sizeof(ManyPart) == 192 && sizeof(ManyArguments) == 1472, "structures differ from the host's");

// Of small numbers, for which a float is exact but for one.
static __device__ __forceinline__ int quotient(int n, int d)
{
    int q = (int)__fdividef(n, d), rest = n - q * d;
    return q + (rest >= d) - (rest < 0);
}

// A cluster's way through its share of the work, from its end: steps [from, to) of a tile's K at a time, ascending.
struct Way
{
    const ManyArguments& a;
    int cluster;
    int tile, from, to;

    __device__ __forceinline__ Way(const ManyArguments& a, int cluster) : a(a), cluster(cluster)
    {
        Begin end = a.begins[cluster + 1];
        tile = end.tile;
        to = end.step;
        if (to == 0) next();
        else seek();
    }

    __device__ __forceinline__ bool isOver() const { return to == 0; }

    __device__ __forceinline__ void next()
    {
        tile--;
        to = a.steps;
        seek();
    }

    __device__ __forceinline__ void seek()
    {
        Begin begin = a.begins[cluster];
        from = tile == begin.tile ? begin.step : 0;
        if (tile < begin.tile || to <= from) to = 0;
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
        int outputs = a.tokenTiles == 1 ? tile : tile / a.tokenTiles;
        token = (tile - outputs * a.tokenTiles) * TOKENS;
        part = outputs >= a.parts[0].endTile ? outputs >= a.parts[1].endTile ? 2 : 1 : 0;
        output = ((outputs - (part > 0 ? a.parts[part - 1].endTile : 0)) * CLUSTER + rank) * (a.mode == GATED ? ROWS / 2 : ROWS);
    }
};

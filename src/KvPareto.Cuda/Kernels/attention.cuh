// What the kernels of attention share: their arguments, the results of parts of a context. D is the head width.

#define THREADS 128
#define WARPS (THREADS / 32)
#define PART_STEP 128 // tokens (AttentionPlan.PartStep)

struct AttentionArguments
{
    Matrix q; // [T, Nq·D]
    Matrix y;
    const LayerCache* caches; // [S, layers]
    const int* starts;               // [S]
    float* partials; // [T, Nq, splits, D + 2]: sums of weighted values, maximum, total
    float* scores;   // [Nq, maxTokens, scoreStride]: the math kernel's
    int layer;
    int rows;        // T
    int sequences;   // S: 1, or T with a row each
    int queryHeads;
    int keyHeads;
    int window;      // latest tokens that a query sees, 0 for all
    int rotation;
    int splits;      // parts of the context, for which there is room
    int splitTokens; // of a part, a multiple of 128
    int parts;       // for a single token of each sequence the most parts, whatever else is in the batch (`part_tokens`); else 0
    int maxTokens;
    int scoreStride;
    int layers;
    float scoreScale; // on q·k
    int from, to;     // tokens that a launch on many rows takes part of
    int carries;      // what of `partials` it begins with and leaves (Carry)
    int isUnpacked;   // whether what is read was unpacked by the launch before, and is no cache that was there
};

// A context may be gone through in stretches, a launch each: a later one goes on from the partials of the one before. Or the blocks of its
// parts, a cluster, put them together.
enum Carry { CARRIES_IN = 1, CARRIES_OUT = 2, MERGES = 4 };

static_assert(sizeof(AttentionArguments) == 136, "structures differ from the host's");

static __device__ __forceinline__ int rows_of(const AttentionArguments& a) { return a.sequences > 1 ? 1 : a.rows; }

static __device__ __forceinline__ float* partial_of(const AttentionArguments& a, int token, int head, int split)
{
    return a.partials + (((i64)token * a.queryHeads + head) * a.splits + split) * (D + 2);
}

static __device__ __forceinline__ float power_of_two(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Tokens of a part where a context is cut into `parts` at the most, whatever else is in the batch.
static __device__ __forceinline__ int part_tokens(int length, int parts)
{
    int steps = (length + PART_STEP - 1) / PART_STEP;
    return steps <= parts ? PART_STEP : (steps + parts - 1) / parts * PART_STEP; // most often without a division
}

static __device__ __forceinline__ int split_tokens(const AttentionArguments& a, int length)
{
    return a.parts > 0 ? part_tokens(length, a.parts) : a.splitTokens;
}

// Tokens that a row sees: from first to before end; none for a row that is not there.
struct Sight
{
    int first;
    int end;
};

static __device__ __forceinline__ Sight sight_of(const AttentionArguments& a, int start, int row)
{
    int group = a.queryHeads / a.keyHeads, end = start + row / group + 1;
    if (row >= rows_of(a) * group) return { 0, 0 };
    return { a.window > 0 ? max(0, end - a.window) : 0, end };
}

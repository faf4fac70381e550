// Causal grouped attention over packed caches. Compiled for one head width: HEAD_DIM, a multiple of 16.
// A block holds some query rows (a row is a query token and one of the heads that share a key head), goes through the keys in tiles of
// 32, unpacked into shared memory, and keeps its rows' maxima, sums and weighted values (online softmax).

#include "common.cuh"

#define D HEAD_DIM
#define THREADS 128
#define TILE 32

struct AttentionArguments
{
    Matrix q; // [T, Nq·D]
    Matrix y;
    const LayerCache* caches; // [S, layers]
    const int* starts;               // [S]
    float* partials; // [S, Nkv, splits, group, D + 2]: sums of weighted values, maximum, total
    float* scores;   // [Nq, maxTokens, scoreStride]: the math kernel's
    int layer;
    int rows;        // T
    int sequences;   // S: 1, or T with a row each
    int queryHeads;
    int keyHeads;
    int window;      // latest tokens that a query sees, 0 for all
    int rotation;
    int splits;      // parts of the context, for decoding; 1 for prefill
    int splitTokens;
    int maxTokens;
    int scoreStride;
    int layers;
};

static_assert(sizeof(AttentionArguments) == 112, "structures differ from the host's");

enum Mode { FLASH = 0, SCORES = 1, VALUES = 2 };

static __device__ __forceinline__ int rows_of(const AttentionArguments& a) { return a.sequences > 1 ? 1 : a.rows; }

// Query rows scaled by 1/√D and turned as the keys are, [ROWS, width] with a stride of width + 1; behind the D channels the vector whose
// product with a position's cosines and sines is that with the bias' turn, where keys are coded without their bias.
template <int ROWS> static __device__ void load_queries(float* target, const AttentionArguments& a, const LayerCache& cache, int sequence, int head, int firstRow, int width)
{
    int group = a.queryHeads / a.keyHeads, rows = rows_of(a) * group;
    float scale = rsqrtf((float)D);
    for (int i = threadIdx.x; i < ROWS * D; i += THREADS)
    {
        int r = firstRow + i / D, c = i % D;
        float x = r < rows ? at(a.q, sequence + r / group, (head * group + r % group) * D + c) * scale : 0;
        target[i / D * (width + 1) + c] = x;
    }
    __syncthreads();
    if (cache.bias != nullptr)
    {
        const float* bias = cache.bias + head * D;
        for (int i = threadIdx.x; i < ROWS * D / 2; i += THREADS)
        {
            float* row = target + i / (D / 2) * (width + 1);
            int c = i % (D / 2);
            float low = row[c], high = row[D / 2 + c];
            row[D + c] = low * bias[c] + high * bias[D / 2 + c];
            row[D + D / 2 + c] = high * bias[c] - low * bias[D / 2 + c];
        }
        __syncthreads();
    }
    if (a.rotation > 0) hadamard(target, ROWS, D, width + 1);
}

template <int ROWS, int MODE> static __device__ __forceinline__ void attend(const AttentionArguments& a)
{
    const int RowsOfScore = ROWS / 16, RowsOfSum = ROWS / 8, Columns = D / 16;
    extern __shared__ float memory[];
    int sequence = blockIdx.z, head = blockIdx.y, split = blockIdx.x % a.splits, firstRow = blockIdx.x / a.splits * ROWS;
    int group = a.queryHeads / a.keyHeads, rows = rows_of(a) * group;
    int start = a.starts[sequence], length = start + rows_of(a);
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    int width = cache.bias != nullptr ? 2 * D : D;

    float* queries = memory;                          // [ROWS, width + 1]
    float* keys = queries + ROWS * (width + 1);       // [TILE, width + 1]
    float* values = keys + TILE * (width + 1);        // [TILE, D]
    float* weights = values + TILE * D;               // [ROWS, TILE + 1]
    float* maxima = weights + ROWS * (TILE + 1);      // [ROWS]
    float* totals = maxima + ROWS;                    // [ROWS]
    float* factors = totals + ROWS;                   // [ROWS]

    int lastRow = min(firstRow + ROWS, rows) - 1;
    int from = a.window > 0 ? max(0, start + firstRow / group + 1 - a.window) : 0, to = start + lastRow / group + 1;
    from = max(from, split * a.splitTokens) / TILE * TILE;
    to = min(to, (split + 1) * a.splitTokens);
    if (a.splits > 1 && from >= to) return;

    if (MODE != VALUES) load_queries<ROWS>(queries, a, cache, sequence, head, firstRow, width);
    for (int r = threadIdx.x; r < ROWS; r += THREADS)
    {
        maxima[r] = -INFINITE;
        totals[r] = MODE == VALUES ? 1 : 0;
    }
    float sums[RowsOfSum][Columns];
    for (int r = 0; r < RowsOfSum; r++)
        for (int j = 0; j < Columns; j++) sums[r][j] = 0;
    int keyEnd = coded_end(cache.keys, length), valueEnd = coded_end(cache.values, length);
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;

    for (int tile = from; tile < to; tile += TILE)
    {
        __syncthreads();
        int count = min(TILE, to - tile);
        for (int i = threadIdx.x; i < TILE * D / 8; i += THREADS)
        {
            int t = i / (D / 8), c = i % (D / 8) * 8;
            float x[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
            if (MODE != VALUES)
            {
                if (t < count) read_token(cache.keys, head, tile + t, keyEnd, c, D, x);
                for (int j = 0; j < 8; j++) keys[t * (width + 1) + c + j] = x[j];
                if (width > D)
                    for (int j = 0; j < 8; j++) keys[t * (width + 1) + D + c + j] = t < count ? cache.turns[(i64)(tile + t) * D + c + j] : 0;
            }
            if (MODE != SCORES)
            {
                if (t < count) read_token(cache.values, head, tile + t, valueEnd, c, D, x);
                for (int j = 0; j < 8; j++) values[t * D + c + j] = x[j];
            }
        }
        __syncthreads();

        if (MODE != VALUES)
        {
            int row = threadIdx.x / 8, key = threadIdx.x % 8;
            float products[RowsOfScore][4];
            for (int r = 0; r < RowsOfScore; r++)
                for (int j = 0; j < 4; j++) products[r][j] = 0;
            #pragma unroll 8
            for (int c = 0; c < width; c++)
            {
                float k[4];
                for (int j = 0; j < 4; j++) k[j] = keys[(key + 8 * j) * (width + 1) + c];
                for (int r = 0; r < RowsOfScore; r++)
                {
                    float q = queries[(row + 16 * r) * (width + 1) + c];
                    for (int j = 0; j < 4; j++) products[r][j] = fmaf(q, k[j], products[r][j]);
                }
            }
            for (int r = 0; r < RowsOfScore; r++)
                for (int j = 0; j < 4; j++) weights[(row + 16 * r) * (TILE + 1) + key + 8 * j] = products[r][j];
            __syncthreads();
        }

        // A warp treats a row at a time, a lane a key.
        for (int r = warp; r < ROWS; r += THREADS / 32)
        {
            int query = (firstRow + r) / group, end = start + query + 1, key = tile + lane;
            bool visible = firstRow + r < rows && key < end && key < to && (a.window == 0 || key >= end - a.window);
            i64 place = ((i64)(head * group + (firstRow + r) % group) * a.maxTokens + query) * a.scoreStride + key;
            float* weight = weights + r * (TILE + 1) + lane;
            if (MODE == SCORES)
            {
                if (firstRow + r < rows) a.scores[place] = visible ? *weight : -INFINITE;
                continue;
            }
            if (MODE == VALUES)
            {
                *weight = visible ? a.scores[place] : 0;
                continue;
            }
            float score = visible ? *weight : -INFINITE, before = maxima[r];
            float most = fmaxf(before, warp_max(score));
            float factor = before == most ? 1 : expf(before - most);
            *weight = visible ? expf(score - most) : 0;
            if (score != score) *weight = score;
            float total = warp_sum(*weight);
            if (lane == 0)
            {
                maxima[r] = most;
                factors[r] = factor;
                totals[r] = totals[r] * factor + total;
            }
        }
        if (MODE == SCORES) continue;
        __syncthreads();

        int row = threadIdx.x / 16 * RowsOfSum, column = threadIdx.x % 16;
        if (MODE == FLASH)
        {
            for (int r = 0; r < RowsOfSum; r++)
                for (int j = 0; j < Columns; j++) sums[r][j] *= factors[row + r];
        }
        for (int t = 0; t < count; t++)
        {
            float v[Columns];
            for (int j = 0; j < Columns; j++) v[j] = values[t * D + column + 16 * j];
            for (int r = 0; r < RowsOfSum; r++)
            {
                float w = weights[(row + r) * (TILE + 1) + t];
                for (int j = 0; j < Columns; j++) sums[r][j] = fmaf(w, v[j], sums[r][j]);
            }
        }
    }
    if (MODE == SCORES) return;
    __syncthreads();

    int row = threadIdx.x / 16 * RowsOfSum, column = threadIdx.x % 16;
    if (a.splits > 1)
    {
        for (int r = 0; r < RowsOfSum; r++)
        {
            if (firstRow + row + r >= rows) continue;
            float* partial = a.partials + ((((i64)sequence * a.keyHeads + head) * a.splits + split) * group + firstRow + row + r) * (D + 2);
            for (int j = 0; j < Columns; j++) partial[column + 16 * j] = sums[r][j];
            if (column == 0)
            {
                partial[D] = maxima[row + r];
                partial[D + 1] = totals[row + r];
            }
        }
        return;
    }
    float* result = queries; // [ROWS, D]
    for (int r = 0; r < RowsOfSum; r++)
        for (int j = 0; j < Columns; j++) result[(row + r) * D + column + 16 * j] = sums[r][j] / totals[row + r];
    __syncthreads();
    if (a.rotation == 2) hadamard(result, ROWS, D, D);
    for (int i = threadIdx.x; i < ROWS * D; i += THREADS)
    {
        int r = firstRow + i / D;
        if (r < rows) put(a.y, sequence + r / group, (head * group + r % group) * D + i % D, result[i]);
    }
}

// Grid [row blocks · splits, key heads, sequences].
extern "C" __global__ void __launch_bounds__(THREADS) attention_16(AttentionArguments a) { attend<16, FLASH>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) attention_64(AttentionArguments a) { attend<64, FLASH>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) scores_16(AttentionArguments a) { attend<16, SCORES>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) scores_64(AttentionArguments a) { attend<64, SCORES>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) values_16(AttentionArguments a) { attend<16, VALUES>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) values_64(AttentionArguments a) { attend<64, VALUES>(a); }

// Puts the parts of the context together: grid [query heads, sequences].
extern "C" __global__ void merge_splits(AttentionArguments a)
{
    __shared__ float result[D];
    int sequence = blockIdx.y, group = a.queryHeads / a.keyHeads, head = blockIdx.x / group, r = blockIdx.x % group;
    int end = a.starts[sequence] + 1, first = a.window > 0 ? max(0, end - a.window) : 0;
    int firstSplit = first / a.splitTokens, endSplit = (end + a.splitTokens - 1) / a.splitTokens;
    const float* partials = a.partials + (((i64)sequence * a.keyHeads + head) * a.splits * group + r) * (D + 2);
    float most = -INFINITE, total = 0;
    for (int s = firstSplit; s < endSplit; s++) most = fmaxf(most, partials[(i64)s * group * (D + 2) + D]);
    for (int s = firstSplit; s < endSplit; s++)
        total += expf(partials[(i64)s * group * (D + 2) + D] - most) * partials[(i64)s * group * (D + 2) + D + 1];
    for (int c = threadIdx.x; c < D; c += blockDim.x)
    {
        float sum = 0;
        for (int s = firstSplit; s < endSplit; s++)
            sum += expf(partials[(i64)s * group * (D + 2) + D] - most) * partials[(i64)s * group * (D + 2) + c];
        result[c] = sum / total;
    }
    __syncthreads();
    if (a.rotation == 2) hadamard(result, 1, D, D);
    for (int c = threadIdx.x; c < D; c += blockDim.x) put(a.y, sequence, blockIdx.x * D + c, result[c]);
}

// The math kernel's softmax over a row of scores, in place: grid [T, query heads]. Columns outside of what was scored are not touched.
extern "C" __global__ void softmax_rows(AttentionArguments a)
{
    __shared__ float parts[32];
    int query = blockIdx.x, end = a.starts[0] + query + 1, first = a.window > 0 ? max(0, end - a.window) : 0;
    float* row = a.scores + ((i64)blockIdx.y * a.maxTokens + query) * a.scoreStride;
    float most = -INFINITE, total = 0;
    for (int t = first + threadIdx.x; t < end; t += blockDim.x) most = fmaxf(most, row[t]);
    most = warp_max(most);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = most;
    __syncthreads();
    for (int i = 0; i < blockDim.x / 32; i++) most = fmaxf(most, parts[i]);
    __syncthreads();
    for (int t = first + threadIdx.x; t < end; t += blockDim.x)
    {
        row[t] = expf(row[t] - most);
        total += row[t];
    }
    total = warp_sum(total);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = total;
    __syncthreads();
    total = 0;
    for (int i = 0; i < blockDim.x / 32; i++) total += parts[i];
    for (int t = first + threadIdx.x; t < end; t += blockDim.x) row[t] /= total;
}

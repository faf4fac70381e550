// Causal grouped attention over packed caches, by tensor cores in f16 with sums in f32. Compiled for one head width D = HEAD_DIM, a
// multiple of 16, one width of a key's row (WIDTH = D, or 2·D where keys are coded without their bias), for keys and values the bits of
// a code and whether each channel has a scale of its own, and the keys of a tile with few rows and with many (AttentionPlan).
// A block holds 16 or 64 query rows (a row is a query token and one of the heads that share a key head). Its warps go through the keys in
// tiles unpacked into shared memory and keep their rows' maxima, sums and weighted values (online softmax, base 2). With 64 rows a warp has
// 16 of them and all share the tiles; with 16 each warp has all rows and tiles of its own, and their results are put together at the end.

#include "common.cuh"

#define D HEAD_DIM

#include "tensor_cores.cuh"
#include "attention.cuh"
#include "tiles.cuh"

#define PAD 8 // halves behind a row, so that eight rows lie in different banks

#define MANY_BLOCKS (D > 128 ? 2 : 3) // at a time on a multiprocessor, as far as registers go

enum Mode { FLASH = 0, SCORES = 1, VALUES = 2 };

// The bias' part of a key is its product with the position's cosines and sines; these are stored times this, so that the query's part of
// the product, which carries the bias, stays within f16.
const float TurnScale = 64;

// The math kernel's weights sum to one: in a long context each is near f16's end, unless times this, which their total has too.
const float WeightScale = 32768;

// Query rows [ROWS, WIDTH + PAD] in f16, scaled by scoreScale·log2(e) and turned as the keys are; behind the D channels the vector whose
// product with a position's cosines and sines is that with the bias' turn. `rows` is scratch for [ROWS, WIDTH] f32.
template <int ROWS> static __device__ __forceinline__ void load_queries(
    u16* target, float* rows, const AttentionArguments& a, const LayerCache& cache, int sequence, int head, int firstRow)
{
    int group = a.queryHeads / a.keyHeads, count = rows_of(a) * group;
    float scale = 1.44269504f * a.scoreScale;
    bool staged = a.rotation > 0 || WIDTH > D;
    #pragma unroll 4
    for (int r = threadIdx.x / 32; r < ROWS; r += WARPS)
    {
        int row = firstRow + r, token = sequence + row / group, first = (head * group + row % group) * D;
        #pragma unroll
        for (int c = threadIdx.x % 32 * 2; c < D; c += 64)
        {
            float2 pair = row < count ? pair_at(a.q, token, first + c) : make_float2(0, 0);
            if (staged) *(float2*)(rows + r * WIDTH + c) = make_float2(pair.x * scale, pair.y * scale);
            else *(u32*)(target + r * (WIDTH + PAD) + c) = pack_halves(pair.x * scale, pair.y * scale);
        }
    }
    if (!staged) return;
    __syncthreads();
    if (WIDTH > D)
    {
        const float* bias = cache.bias + head * D;
        for (int i = threadIdx.x; i < ROWS * (D / 2); i += THREADS)
        {
            float* row = rows + i / (D / 2) * WIDTH;
            int c = i % (D / 2);
            float low = row[c], high = row[D / 2 + c];
            row[D + c] = (low * bias[c] + high * bias[D / 2 + c]) / TurnScale;
            row[D + D / 2 + c] = (high * bias[c] - low * bias[D / 2 + c]) / TurnScale;
        }
        __syncthreads();
    }
    if (a.rotation > 0) hadamard(rows, ROWS, D, WIDTH);
    for (int i = threadIdx.x; i < ROWS * (WIDTH / 2); i += THREADS)
    {
        int r = i / (WIDTH / 2), c = i % (WIDTH / 2) * 2;
        *(u32*)(target + r * (WIDTH + PAD) + c) = pack_halves(rows[r * WIDTH + c], rows[r * WIDTH + c + 1]);
    }
    __syncthreads();
}

// Cosines and sines of the tile's positions, behind the keys' channels.
template <int TEAM, int TILE> static __device__ __forceinline__ void load_turns(
    u16* keys, const float* turns, int tile, int end, int thread)
{
    for (int i = thread; i < TILE * (D / 2); i += TEAM)
    {
        int t = i / (D / 2), c = i % (D / 2) * 2;
        float2 turn = tile + t < end ? *(const float2*)(turns + (i64)(tile + t) * D + c) : make_float2(0, 0);
        *(u32*)(keys + t * (WIDTH + PAD) + D + c) = pack_halves(turn.x * TurnScale, turn.y * TurnScale);
    }
}

// Scores [16, TILE] of a warp's rows: q · kᵀ.
template <int TILE> static __device__ __forceinline__ void multiply_keys(
    float (&scores)[TILE / 8][4], const u16* queries, const u16* keys, int lane)
{
    const u16* query = queries + lane % 16 * (WIDTH + PAD) + lane / 16 * 8;
    const u16* key = keys + (lane / 16 * 8 + lane % 8) * (WIDTH + PAD) + lane / 8 % 2 * 8;
    #pragma unroll
    for (int j = 0; j < TILE / 8; j++)
        for (int i = 0; i < 4; i++) scores[j][i] = 0;
    #pragma unroll 4
    for (int k = 0; k < WIDTH; k += 16)
    {
        u32 q[4];
        load_matrices(q, query + k);
        #pragma unroll
        for (int j = 0; j < TILE / 16; j++)
        {
            u32 b[4];
            load_matrices(b, key + j * 16 * (WIDTH + PAD) + k);
            multiply_halves(scores[2 * j], q, b[0], b[1]);
            multiply_halves(scores[2 * j + 1], q, b[2], b[3]);
        }
    }
}

// sums [16, D] += weights [16, TILE] · values.
template <int TILE> static __device__ __forceinline__ void add_values(
    float (&sums)[D / 8][4], const float (&weights)[TILE / 8][4], const u16* values, int lane)
{
    const u16* value = values + (lane / 8 % 2 * 8 + lane % 8) * (D + PAD) + lane / 16 * 8;
    #pragma unroll
    for (int k = 0; k < TILE / 16; k++)
    {
        u32 w[4];
        #pragma unroll
        for (int i = 0; i < 4; i++) w[i] = pack_halves(weights[2 * k + i / 2][i % 2 * 2], weights[2 * k + i / 2][i % 2 * 2 + 1]);
        #pragma unroll
        for (int j = 0; j < D / 16; j++)
        {
            u32 b[4];
            load_transposed(b, value + k * 16 * (D + PAD) + j * 16);
            multiply_halves(sums[2 * j], w, b[0], b[1]);
            multiply_halves(sums[2 * j + 1], w, b[2], b[3]);
        }
    }
}

// TEAMS: how many sets of tiles a block goes through side by side.
template <int TEAMS, int TILE, int MODE> static __device__ __forceinline__ void attend(const AttentionArguments& a)
{
    const int Rows = TEAMS == 1 ? 16 * WARPS : 16, Team = THREADS / TEAMS, TileHalves = TILE * (WIDTH + PAD + D + PAD);
    extern __shared__ __align__(16) u16 memory[];
    wait_for_previous();
    int sequence = blockIdx.z, head = blockIdx.y, split = blockIdx.x % a.splits, firstRow = blockIdx.x / a.splits * Rows;
    int group = a.queryHeads / a.keyHeads, count = rows_of(a) * group, start = a.starts[sequence], length = start + rows_of(a);
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, team = threadIdx.x / Team, thread = threadIdx.x % Team;

    int from = sight_of(a, start, firstRow).first, to = sight_of(a, start, min(firstRow + Rows, count) - 1).end;
    int part = split_tokens(a, length);
    from = max(from, split * part) / TILE * TILE;
    if (a.splits > 1) to = min(to, (split + 1) * part);
    if (from >= to && a.splits > 1) return;

    u16* queries = memory;                                                     // [Rows, WIDTH + PAD]
    u16* keys = queries + Rows * (WIDTH + PAD) + team * TileHalves;            // [TILE, WIDTH + PAD]
    u16* values = keys + TILE * (WIDTH + PAD);                                 // [TILE, D + PAD]
    float* staging = (float*)(queries + Rows * (WIDTH + PAD));                 // before and after the tiles
    if (MODE != VALUES) load_queries<Rows>(queries, staging, a, cache, sequence, head, firstRow);
    __syncthreads();

    int warpRow = firstRow + (TEAMS == 1 ? 16 * warp : 0);
    const u16* warpQueries = queries + (warpRow - firstRow) * (WIDTH + PAD);
    Sight sights[2] = { sight_of(a, start, warpRow + lane / 4), sight_of(a, start, warpRow + lane / 4 + 8) };
    int clearFrom = sight_of(a, start, min(warpRow + 15, count - 1)).first, clearTo = sight_of(a, start, warpRow).end;
    if (warpRow + 16 > count) clearTo = 0;
    int keyEnd = coded_end(cache.keys, length), valueEnd = coded_end(cache.values, length);
    float sums[D / 8][4], maxima[2] = { -INFINITE, -INFINITE }, totals[2] = { 0, 0 };
    #pragma unroll
    for (int j = 0; j < D / 8; j++)
        for (int i = 0; i < 4; i++) sums[j][i] = 0;

    for (int tile = from + team * TILE; tile < to; tile += TEAMS * TILE)
    {
        TileLoad<Team, TILE, KEY_BITS, KEY_CHANNELS> keyLoad;
        TileLoad<Team, TILE, VALUE_BITS, VALUE_CHANNELS> valueLoad;
        if (MODE != VALUES) keyLoad.fetch(cache.keys, head, tile, keyEnd, length, thread);
        if (MODE != SCORES) valueLoad.fetch(cache.values, head, tile, valueEnd, length, thread);
        if (TEAMS == 1) __syncthreads();
        else __syncwarp();
        if (MODE != VALUES) keyLoad.store(PlainRows { keys, WIDTH + PAD }, cache.keys, head, tile, keyEnd, length, thread);
        if (MODE != VALUES && WIDTH > D) load_turns<Team, TILE>(keys, cache.turns, tile, length, thread);
        if (MODE != SCORES) valueLoad.store(PlainRows { values, D + PAD }, cache.values, head, tile, valueEnd, length, thread);
        wait_for_copies();
        if (TEAMS == 1) __syncthreads();
        else __syncwarp();

        float scores[TILE / 8][4];
        if (MODE != VALUES) multiply_keys<TILE>(scores, warpQueries, keys, lane);
        bool clear = tile >= clearFrom && tile + TILE <= clearTo;
        if (MODE != FLASH)
        {
            #pragma unroll
            for (int j = 0; j < TILE / 8; j++)
            {
                #pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    int row = warpRow + lane / 4 + i / 2 * 8, key = tile + 8 * j + lane % 4 * 2 + i % 2;
                    bool visible = key >= sights[i / 2].first && key < sights[i / 2].end;
                    float* score = a.scores + ((i64)(head * group + row % group) * a.maxTokens + row / group) * a.scoreStride + key;
                    if (MODE == SCORES && visible) *score = scores[j][i];
                    if (MODE == VALUES) scores[j][i] = visible ? *score * WeightScale : 0;
                }
            }
            if (MODE == SCORES) continue;
        }
        else
        {
            if (!clear)
            {
                #pragma unroll
                for (int j = 0; j < TILE / 8; j++)
                {
                    #pragma unroll
                    for (int i = 0; i < 4; i++)
                    {
                        int key = tile + 8 * j + lane % 4 * 2 + i % 2;
                        if (key < sights[i / 2].first || key >= sights[i / 2].end) scores[j][i] = -INFINITE;
                    }
                }
            }
            #pragma unroll
            for (int half = 0; half < 2; half++)
            {
                float most = maxima[half];
                #pragma unroll
                for (int j = 0; j < TILE / 8; j++) most = fmaxf(most, fmaxf(scores[j][2 * half], scores[j][2 * half + 1]));
                most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
                most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
                float shift = most == -INFINITE ? 0 : most, factor = power_of_two(maxima[half] - shift), total = 0;
                #pragma unroll
                for (int j = 0; j < TILE / 8; j++)
                {
                    #pragma unroll
                    for (int i = 2 * half; i < 2 * half + 2; i++)
                    {
                        scores[j][i] = power_of_two(scores[j][i] - shift);
                        total += scores[j][i];
                    }
                }
                maxima[half] = most;
                totals[half] = totals[half] * factor + total;
                #pragma unroll
                for (int j = 0; j < D / 8; j++)
                    for (int i = 2 * half; i < 2 * half + 2; i++) sums[j][i] *= factor;
            }
        }
        add_values<TILE>(sums, scores, values, lane);
    }
    if (MODE == SCORES) return;

    // Through shared memory: sums [TEAMS, Rows, D], and each row's maximum and total.
    __shared__ float2 states[TEAMS][Rows];
    __shared__ float factors[TEAMS][Rows];
    __syncthreads();
    #pragma unroll
    for (int half = 0; half < 2; half++)
    {
        float total = totals[half];
        total += __shfl_xor_sync(0xffffffff, total, 1);
        total += __shfl_xor_sync(0xffffffff, total, 2);
        int r = warpRow - firstRow + lane / 4 + 8 * half;
        float* row = staging + (team * Rows + r) * D + lane % 4 * 2;
        #pragma unroll
        for (int j = 0; j < D / 8; j++) *(float2*)(row + 8 * j) = make_float2(sums[j][2 * half], sums[j][2 * half + 1]);
        if (lane % 4 == 0) states[team][r] = MODE == VALUES ? make_float2(0, WeightScale) : make_float2(maxima[half], total);
    }
    __syncthreads();
    for (int r = threadIdx.x; r < Rows; r += THREADS)
    {
        float most = -INFINITE, total = 0;
        for (int t = 0; t < TEAMS; t++) most = fmaxf(most, states[t][r].x);
        for (int t = 0; t < TEAMS; t++)
        {
            factors[t][r] = states[t][r].x == most ? 1 : power_of_two(states[t][r].x - most);
            total += factors[t][r] * states[t][r].y;
        }
        states[0][r] = make_float2(most, total);
    }
    __syncthreads();

    bool partial = a.splits > 1, turned = a.rotation == 2 && !partial;
    for (int r = warp; r < Rows && firstRow + r < count; r += WARPS)
    {
        int row = firstRow + r, token = sequence + row / group, query = head * group + row % group;
        float* target = partial ? partial_of(a, token, query, split) : nullptr;
        float factor = partial ? 1 : 1 / states[0][r].y;
        #pragma unroll
        for (int c = lane * 2; c < D; c += 64)
        {
            float2 sum = make_float2(0, 0);
            #pragma unroll
            for (int t = 0; t < TEAMS; t++)
            {
                float2 x = *(const float2*)(staging + (t * Rows + r) * D + c);
                sum.x += factors[t][r] * x.x;
                sum.y += factors[t][r] * x.y;
            }
            sum = make_float2(sum.x * factor, sum.y * factor);
            if (partial) *(float2*)(target + c) = sum;
            else if (turned) *(float2*)(staging + r * D + c) = sum;
            else put_pair(a.y, token, query * D + c, sum);
        }
        if (partial && lane == 0) *(float2*)(target + D) = states[0][r];
    }
    if (!turned) return;
    __syncthreads();
    hadamard(staging, Rows, D, D);
    for (int i = threadIdx.x; i < Rows * D; i += THREADS)
    {
        int row = firstRow + i / D;
        if (row < count) put(a.y, sequence + row / group, (head * group + row % group) * D + i % D, staging[i]);
    }
}

// Grid [row blocks · splits, key heads, sequences].
extern "C" __global__ void __launch_bounds__(THREADS, 2) attention_16(AttentionArguments a) { attend<WARPS, FEW_TILE, FLASH>(a); }
extern "C" __global__ void __launch_bounds__(THREADS, MANY_BLOCKS) attention_64(AttentionArguments a) { attend<1, MANY_TILE, FLASH>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) scores_64(AttentionArguments a) { attend<1, MANY_TILE, SCORES>(a); }
extern "C" __global__ void __launch_bounds__(THREADS) values_64(AttentionArguments a) { attend<1, MANY_TILE, VALUES>(a); }

// The math kernel's softmax (base 2) over a row of scores, in place: grid [T, query heads]. Columns outside of what was scored are not
// touched.
extern "C" __global__ void softmax_rows(AttentionArguments a)
{
    __shared__ float parts[32];
    wait_for_previous();
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
        row[t] = power_of_two(row[t] - most);
        total += row[t];
    }
    total = warp_sum(total);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = total;
    __syncthreads();
    total = 0;
    for (int i = 0; i < blockDim.x / 32; i++) total += parts[i];
    for (int t = first + threadIdx.x; t < end; t += blockDim.x) row[t] /= total;
}

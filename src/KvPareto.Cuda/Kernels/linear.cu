// Linear layers of few rows, straight from the weights as they are stored.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"
#include "stream.cuh"
#include "linear_elements.cuh"
#include "linear_codes.cuh"

// y[t, n] = Σ x[t, k]·w[n, k] + b[n] of any elements and places. A block is a tile; a lane takes eight columns at a time where rows are
// whole eights, else one.
extern "C" __global__ void __launch_bounds__(THREADS) linear_any(LinearArguments a)
{
    __shared__ float sums[WARPS][MOST_ROWS][OUTPUTS];
    wait_for_previous();
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, first;
    const LinearPart& part = part_of(a, blockIdx.x, first);
    for (int i = 0; i < OUTPUTS; i++)
    {
        float products[MOST_ROWS] = {};
        bool isEights = part.weight.columns % 8 == 0, isThere = first + i < part.outputs;
        for (int k = threadIdx.x * 8; isEights && isThere && k < part.weight.columns; k += 8 * THREADS)
        {
            float w[8];
            weights_at(part.weight, first + i, k, w);
            #pragma unroll
            for (int t = 0; t < MOST_ROWS; t++)
            {
                if (t >= a.rows) break;
                #pragma unroll
                for (int j = 0; j < 8; j++) products[t] = fmaf(at(a.x, t, k + j), w[j], products[t]);
            }
        }
        for (int k = threadIdx.x; !isEights && isThere && k < part.weight.columns; k += THREADS)
        {
            float w = weight_at(part.weight, first + i, k);
            #pragma unroll
            for (int t = 0; t < MOST_ROWS; t++)
                if (t < a.rows) products[t] = fmaf(at(a.x, t, k), w, products[t]);
        }
        for (int t = 0; t < a.rows; t++)
        {
            float sum = warp_sum(products[t]);
            if (lane == 0) sums[warp][t][i] = sum;
        }
    }
    __syncthreads();
    int token = threadIdx.x / OUTPUTS, output = threadIdx.x % OUTPUTS, n = first + output;
    if (token >= a.rows || n >= part.outputs) return;
    float sum = part.bias ? part.bias[n] : 0;
    for (int w = 0; w < WARPS; w++) sum += sums[w][token][output];
    put(part.y, token, n, sum);
}

// What is added to a token's sum: a bias, and what was there before.
static __device__ __forceinline__ float2 addends(const LinearArguments& a, int tile, int token, int output)
{
    bool isGated = a.mode == GATED;
    int first = tile * (OUTPUTS / 2);
    const LinearPart& part = isGated ? a.parts[0] : part_of(a, tile, first);
    int n = first + output;
    if (n >= part.outputs) return make_float2(0, 0);
    return make_float2(part.bias ? part.bias[n] : 0, a.mode == ADD ? at(part.y, token, n) : 0);
}

// What becomes of a token's sum over the warps' parts for an output of a tile.
template <class M> static __device__ __forceinline__ void finish(
    const LinearArguments& a, const float* sums, int count, int tile, int token, int output, float factor, float2 added)
{
    bool isGated = a.mode == GATED;
    int first = tile * (OUTPUTS / 2);
    const LinearPart& part = isGated ? a.parts[0] : part_of(a, tile, first);
    int n = first + output;
    if (n >= part.outputs || (isGated && output >= OUTPUTS / 2)) return;
    float sum = M::sum(sums, count, token, output) * factor + added.x + added.y;
    if (isGated)
    {
        const float* bias = a.parts[1].bias;
        sum = silu_times(sum, M::sum(sums, count, token, output + OUTPUTS / 2) * factor + (bias ? bias[n] : 0));
    }
    put(part.y, token, n, sum);
}

// Divisions that a launch of one row does without.
static __device__ __forceinline__ int over(int i, int rows) { return rows == 1 ? i : i / rows; }

static __device__ __forceinline__ int rest(int i, int rows) { return rows == 1 ? 0 : i % rows; }

// What will be read soon.
static __device__ __forceinline__ void prefetch(const void* place) { asm volatile("prefetch.global.L2 [%0];" :: "l"(place)); }

// By the threads of a team.
static __device__ __forceinline__ void meet(int team) { asm volatile("bar.sync %0, %1;" :: "r"(team + 1), "n"(THREADS) : "memory"); }

// The places of a lane's sums among a warp's [columns, OUTPUTS].
template <class M, class F> static __device__ __forceinline__ void each_sum(int columns, int lane, F f)
{
    #pragma unroll
    for (int t = 0; t < M::Tiles; t++)
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            int column = 8 * t + lane % 4 * 2 + j % 2;
            if (column < columns) f(t, j, column * OUTPUTS + lane / 4 + j / 2 * 8);
        }
}

// A team goes through tiles of 16 outputs (or eight of two weights of a gated product) and all tokens; its warps share a tile's columns,
// and put their parts of some tiles together at a time. Weights do not depend on what ran before: they are fetched before the wait for it,
// and on from tile to tile. A norm's factor is applied to the sums. Where inputs come in chunks of columns, all tiles of a team are one
// batch, which it goes through once a chunk. M is how a kind of weight is multiplied.
template <class M, int TEAMS> static __device__ __forceinline__ void multiply_few(const LinearArguments& a)
{
    extern __shared__ uint4 memory[];
    __shared__ float squares[M::Squares][MOST_ROWS];
    int team = threadIdx.x / THREADS, warp = threadIdx.x / 32 % WARPS, lane = threadIdx.x % 32, columns = a.parts[0].weight.columns,
        count = M::columns(a.rows);
    // Of few tiles each is another block's.
    int firstTile = team * gridDim.x + blockIdx.x, stride = TEAMS * gridDim.x;
    typename M::Weights weights((u8*)memory + team * M::Weights::Bytes, a, firstTile, stride);
    if (a.gain && !M::ArePrepared)
        for (int c = threadIdx.x * 32; c < columns; c += TEAMS * THREADS * 32) prefetch(a.gain + c);
    let_next_start();
    wait_for_previous();
    int tileSums = WARPS * count * OUTPUTS;
    float* sums = (float*)((u8*)memory + TEAMS * M::Weights::Bytes); // [teams, turns, tiles of a batch, warps, columns, outputs]
    int turns = M::IsChunked && a.chunks > 1 ? 1 : 2;
    M inputs((u8*)(sums + TEAMS * turns * a.batch * tileSums), a);
    sums += team * turns * a.batch * tileSums;
    inputs.prepare(a, squares);
    weights.begin_inputs();
    __syncthreads();
    float factor = 1; // of token `lane`
    if (a.gain && lane < a.rows)
    {
        float square = 0;
        for (int i = 0; i < M::Squares; i++) square += squares[i][lane];
        factor = 1 / sqrtf(square / columns + a.epsilon);
    }
    int inBatch = 0, turn = 0, own = warp * 2 + lane / OUTPUTS, ownTile = over(own, a.rows);
    float2 added = make_float2(0, 0); // to the first sum that this thread puts together in a batch
    for (int chunk = 0; chunk < (M::IsChunked ? a.chunks : 1); chunk++)
    {
        if (chunk > 0)
        {
            __syncthreads();
            inputs.take_chunk(a, chunk);
            __syncthreads();
            inBatch = 0;
        }
        int begin = weights.begin_of(chunk), end = weights.end_of(chunk), shift = inputs.shift(warp, begin);
        for (int tile = firstTile; tile < a.tiles; tile += stride)
        {
            float total[M::Tiles][4] = {};
            if (inBatch == ownTile) added = addends(a, tile, rest(own, a.rows), lane % OUTPUTS);
            float* mine = sums + (inBatch * WARPS + warp) * count * OUTPUTS;
            if (chunk > 0) each_sum<M>(count, lane, [&](int t, int j, int place) { total[t][j] = mine[place]; });
            for (int unit = begin; unit < end; unit++)
            {
                weights.take();
                inputs.add(total, weights, unit + shift);
                weights.leave();
            }
            each_sum<M>(count, lane, [&](int t, int j, int place) { mine[place] = total[t][j]; });
            ++inBatch;
            if (M::IsChunked && chunk + 1 < a.chunks) continue; // all tiles are of one batch
            if (inBatch < a.batch && tile + stride < a.tiles) continue;
            meet(team);
            for (int base = warp * 2; base < inBatch * a.rows; base += 2 * WARPS)
            {
                int i = base + lane / OUTPUTS, place = over(i, a.rows), earlier = inBatch - 1 - place, token = rest(i, a.rows);
                float its = __shfl_sync(0xffffffff, factor, token);
                if (i >= inBatch * a.rows) continue;
                int itsTile = tile - earlier * stride;
                finish<M>(a, sums + place * tileSums, count, itsTile, token, lane % OUTPUTS, its,
                    i == own ? added : addends(a, itsTile, token, lane % OUTPUTS));
            }
            // The next batch's parts lie elsewhere, so that nobody waits for the end of this one's.
            sums += (turn ? -1 : 1) * a.batch * tileSums;
            turn ^= 1;
            inBatch = 0;
        }
    }
}

#define MANY_TILES 3 // of eight columns, of which each row has three

// Makes of rows of x what products of codes take (Codes::take_prepared): grid [rows of a pass, passes]; each pass has memory of its own.
template <int BITS, int UNIT> static __device__ __forceinline__ void prepare_codes(const LinearArguments& a)
{
    typedef Codes<BITS, UNIT, MANY_TILES, 1> Inputs;
    let_next_start();
    int first = blockIdx.y * gridDim.x, own = blockIdx.x;
    if (first + own >= a.rows) return;
    Inputs inputs(a.prepared, a);
    u8* squares = inputs.move_to_pass(a, blockIdx.y);
    wait_for_previous();
    inputs.prepare_rows(a, first, own, own + 1, (float (*)[MOST_ROWS])squares);
}

// Named by the bits of a weight; of bf16, `wide` takes f32 inputs whole, and `far` fetches inputs with the weights; of codes, by the
// columns of a unit, and `many` takes more than two rows, or rows of which memory has no room for one, as `prepare` leaves them. The host
// says how many stages and teams there is room for. Teams leave registers for a block of a token's attention, which then begins while they
// are at work.
#if MOST_TEAMS == 1
#define LIMITS __launch_bounds__(THREADS, 2)
#else
#define LIMITS __maxnreg__(80)
#endif
#define ELEMENTS(name, low, far) \
    extern "C" __global__ void __launch_bounds__(THREADS, 2) name(LinearArguments a) \
    { \
        multiply_few<Elements<low, far, ELEMENT_STAGES>, 1>(a); \
    }
#define CODES(name, bits, unit) \
    extern "C" __global__ void LIMITS name(LinearArguments a) { multiply_few<Codes<bits, unit, 1, CODE_STAGES>, MOST_TEAMS>(a); } \
    extern "C" __global__ void __launch_bounds__(MOST_TEAMS * THREADS) name##_many(LinearArguments a) \
    { \
        multiply_few<Codes<bits, unit, MANY_TILES, MANY_STAGES>, MOST_TEAMS>(a); \
    } \
    extern "C" __global__ void __launch_bounds__(MOST_TEAMS * THREADS) name##_prepare(LinearArguments a) { prepare_codes<bits, unit>(a); }

ELEMENTS(linear_16, false, false)
ELEMENTS(linear_16_wide, true, false)
ELEMENTS(linear_16_far, false, true)
CODES(linear_8_32, 8, 32)
CODES(linear_8_64, 8, 64)
CODES(linear_4_32, 4, 32)
CODES(linear_4_64, 4, 64)
CODES(linear_4_128, 4, 128)

// Linear layers of few rows, straight from the weights as they are stored, and the unpacking of weights for larger products.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"

#define PARTS 3
#define TOKENS 8 // columns of a product of the tensor cores
#define OUTPUTS 16
#define WARPS 8

// One weight of those that a launch multiplies the same input with.
struct LinearPart
{
    WeightRows weight;
    Matrix y;
    const float* bias; // [N], or null
    int outputs;       // N
    int endBlock;      // the block after its last
};

struct LinearArguments
{
    Matrix x;
    LinearPart parts[PARTS]; // one kind, K and group
    int rows;                // T, up to 8
    int reserved;
};

static_assert(sizeof(LinearPart) == 64 && sizeof(LinearArguments) == 216, "structures differ from the host's");

// Sums of the warps [WARPS, TOKENS, OUTPUTS] to rows of y.
static __device__ __forceinline__ void store_sums(const float (*sums)[TOKENS][OUTPUTS], const LinearPart& part, int rows, int first)
{
    int token = threadIdx.x / OUTPUTS, output = threadIdx.x % OUTPUTS, n = first + output;
    if (token >= rows || n >= part.outputs) return;
    float sum = part.bias ? part.bias[n] : 0;
    for (int w = 0; w < WARPS; w++) sum += sums[w][token][output];
    put(part.y, token, n, sum);
}

// y[t, n] = Σ x[t, k]·w[n, k] + b[n] of any elements and places. A block is 16 outputs; a warp takes every eighth column.
extern "C" __global__ void __launch_bounds__(32 * WARPS) linear_any(LinearArguments a)
{
    __shared__ float sums[WARPS][TOKENS][OUTPUTS];
    wait_for_previous();
    int which = blockIdx.x >= a.parts[0].endBlock ? blockIdx.x >= a.parts[1].endBlock ? 2 : 1 : 0;
    const LinearPart& part = a.parts[which];
    int first = (blockIdx.x - (which > 0 ? a.parts[which - 1].endBlock : 0)) * OUTPUTS, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int i = 0; i < OUTPUTS; i++)
    {
        float products[TOKENS] = {};
        for (int k = warp * 32 + lane; k < part.weight.columns && first + i < part.outputs; k += 32 * WARPS)
        {
            float w = weight_at(part.weight, first + i, k);
            #pragma unroll
            for (int t = 0; t < TOKENS; t++)
                if (t < a.rows) products[t] = fmaf(at(a.x, t, k), w, products[t]);
        }
        for (int t = 0; t < a.rows; t++)
        {
            float sum = warp_sum(products[t]);
            if (lane == 0) sums[warp][t][i] = sum;
        }
    }
    __syncthreads();
    store_sums(sums, part, a.rows, first);
}

// Eight inputs of a token as bf16, and what that leaves of f32.
template <bool WIDE> struct Inputs
{
    uint4 high;
    uint4 low;
};

template <bool WIDE> static __device__ __forceinline__ Inputs<WIDE> load_inputs(const Matrix& x, int row, int column, int rows)
{
    Inputs<WIDE> inputs = { make_uint4(0, 0, 0, 0), make_uint4(0, 0, 0, 0) };
    if (row >= rows) return inputs;
    i64 index = (i64)row * x.stride + column;
    if (!WIDE)
    {
        inputs.high = *(const uint4*)((const u16*)x.data + index);
        return inputs;
    }
    const float4* source = (const float4*)((const float*)x.data + index);
    u32 highs[4], lows[4];
    #pragma unroll
    for (int i = 0; i < 2; i++)
    {
        float4 part = source[i];
        highs[2 * i] = pack_bfloats(part.x, part.y);
        highs[2 * i + 1] = pack_bfloats(part.z, part.w);
        lows[2 * i] = pack_bfloats(part.x - low_bfloat(highs[2 * i]), part.y - high_bfloat(highs[2 * i]));
        lows[2 * i + 1] = pack_bfloats(part.z - low_bfloat(highs[2 * i + 1]), part.w - high_bfloat(highs[2 * i + 1]));
    }
    inputs.high = make_uint4(highs[0], highs[1], highs[2], highs[3]);
    inputs.low = make_uint4(lows[0], lows[1], lows[2], lows[3]);
    return inputs;
}

// Numbers 0 and 4, 1 and 5, 2 and 6, 3 and 7 side by side, as 4-bit codes come apart.
static __device__ __forceinline__ uint4 interleave(uint4 x)
{
    return make_uint4(__byte_perm(x.x, x.z, 0x5410), __byte_perm(x.x, x.z, 0x7632), __byte_perm(x.y, x.w, 0x5410), __byte_perm(x.y, x.w, 0x7632));
}

// Eight weights of a row and lane as bf16 in pairs: elements; 4-bit codes plus 128, interleaved; 8-bit codes as signed numbers.
template <int KIND> static __device__ __forceinline__ uint4 spread(const u32* words)
{
    if constexpr (KIND == WEIGHT_BF16) return make_uint4(words[0], words[1], words[2], words[3]);
    else if constexpr (KIND == WEIGHT_W4)
    {
        const u32 Mask = 0x000f000f, Base = 0x43004300; // 128 in bf16, whose last bit is a one
        u32 w = words[0];
        return make_uint4((w & Mask) | Base, (w >> 4 & Mask) | Base, (w >> 8 & Mask) | Base, (w >> 12 & Mask) | Base);
    }
    else
    {
        u32 pairs[4];
        #pragma unroll
        for (int i = 0; i < 4; i++)
        {
            u32 w = words[i / 2];
            // 2^23 + code, less 2^23 + 128.
            float low = __int_as_float(__byte_perm(w, 0x4b000000, i % 2 == 0 ? 0x7440 : 0x7442)) - 8388736.0f;
            float high = __int_as_float(__byte_perm(w, 0x4b000000, i % 2 == 0 ? 0x7441 : 0x7443)) - 8388736.0f;
            pairs[i] = pack_bfloats(low, high);
        }
        return make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
    }
}

template <int WORDS> static __device__ __forceinline__ void load_words(u32 (&words)[WORDS], const u8* source)
{
    if constexpr (WORDS == 4)
    {
        uint4 part = __ldg((const uint4*)source);
        words[0] = part.x; words[1] = part.y; words[2] = part.z; words[3] = part.w;
    }
    else if constexpr (WORDS == 2)
    {
        uint2 part = __ldg((const uint2*)source);
        words[0] = part.x; words[1] = part.y;
    }
    else words[0] = __ldg((const u32*)source);
}

template <bool WIDE> static __device__ __forceinline__ void multiply(float (&c)[4], uint4 upper, uint4 lower, const Inputs<WIDE>& x)
{
    multiply_bfloats(c, upper.x, lower.x, upper.y, lower.y, x.high.x, x.high.y);
    multiply_bfloats(c, upper.z, lower.z, upper.w, lower.w, x.high.z, x.high.w);
    if (!WIDE) return;
    multiply_bfloats(c, upper.x, lower.x, upper.y, lower.y, x.low.x, x.low.y);
    multiply_bfloats(c, upper.z, lower.z, upper.w, lower.w, x.low.z, x.low.w);
}

// A block is 16 outputs of a weight and up to eight tokens, a product of the tensor cores. The columns are cut into units, of which a warp
// takes every eighth; in a unit a lane has WORDS words of two rows (lane / 4 and eight on), neighbours in memory, and the same columns of
// token lane / 4. Which inner index a column takes in a product does not matter, as long as weights and inputs agree on it.
// A unit of codes lies in one group: x̂ = scale·(q + shift) + offset gives scale·Σ x·q' + (offset + scale·shift)·Σ x.
template <int KIND, int WORDS, bool WIDE> static __device__ __forceinline__ void multiply_few(const LinearArguments& a)
{
    const int Ahead = 4, Eights = KIND == WEIGHT_BF16 ? WORDS / 4 : KIND == WEIGHT_W8 ? WORDS / 2 : WORDS, Each = WORDS / Eights, Unit = 32 * Eights;
    __shared__ float sums[WARPS][TOKENS][OUTPUTS];
    int which = blockIdx.x >= a.parts[0].endBlock ? blockIdx.x >= a.parts[1].endBlock ? 2 : 1 : 0;
    const LinearPart& part = a.parts[which];
    const WeightRows& weight = part.weight;
    int first = (blockIdx.x - (which > 0 ? a.parts[which - 1].endBlock : 0)) * OUTPUTS, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int upper = min(first + lane / 4, part.outputs - 1), lower = min(first + lane / 4 + 8, part.outputs - 1), place = lane % 4 * 8 * Eights;
    i64 rowBytes = (i64)weight.columns * (KIND == WEIGHT_BF16 ? 16 : KIND == WEIGHT_W8 ? 8 : 4) / 8;
    const u8* upperRow = weight.data + upper * rowBytes + lane % 4 * WORDS * 4;
    const u8* lowerRow = weight.data + lower * rowBytes + lane % 4 * WORDS * 4;
    int units = weight.columns / Unit, perRow = KIND == WEIGHT_BF16 ? 1 : weight.columns / weight.group, unitsPerGroup = KIND == WEIGHT_BF16 ? 1 : weight.group / Unit;
    const uint4 ones = make_uint4(0x3f803f80, 0x3f803f80, 0x3f803f80, 0x3f803f80);
    float total[4] = {};

    for (int unit = warp; unit < units; unit += Ahead * WARPS)
    {
        u32 upperWords[Ahead][WORDS], lowerWords[Ahead][WORDS], upperEntries[Ahead], lowerEntries[Ahead];
        #pragma unroll
        for (int i = 0; i < Ahead; i++)
        {
            int u = min(unit + i * WARPS, units - 1);
            load_words(upperWords[i], upperRow + u * (WORDS * 16));
            load_words(lowerWords[i], lowerRow + u * (WORDS * 16));
            if (KIND == WEIGHT_BF16) continue;
            upperEntries[i] = __ldg(weight.groups + (i64)upper * perRow + u / unitsPerGroup);
            lowerEntries[i] = __ldg(weight.groups + (i64)lower * perRow + u / unitsPerGroup);
        }
        // Weights do not depend on what ran before.
        if (unit == warp) wait_for_previous();
        #pragma unroll
        for (int i = 0; i < Ahead; i++)
        {
            int u = unit + i * WARPS;
            if (u >= units) break;
            float products[4] = {}, inputs[4] = {};
            #pragma unroll
            for (int e = 0; e < Eights; e++)
            {
                Inputs<WIDE> x = load_inputs<WIDE>(a.x, lane / 4, u * Unit + place + 8 * e, a.rows);
                if (KIND != WEIGHT_BF16) multiply<WIDE>(inputs, ones, ones, x);
                if (KIND == WEIGHT_W4) x = { interleave(x.high), interleave(x.low) };
                uint4 above = spread<KIND>(upperWords[i] + e * Each), below = spread<KIND>(lowerWords[i] + e * Each);
                multiply<WIDE>(KIND == WEIGHT_BF16 ? total : products, above, below, x);
            }
            if (KIND == WEIGHT_BF16) continue;
            float scales[2], offsets[2];
            read_group(upperEntries[i], scales[0], offsets[0]);
            read_group(lowerEntries[i], scales[1], offsets[1]);
            #pragma unroll
            for (int j = 0; j < 4; j++)
            {
                float offset = KIND == WEIGHT_W4 ? offsets[j / 2] - 136 * scales[j / 2] : offsets[j / 2];
                total[j] += scales[j / 2] * products[j] + offset * inputs[j];
            }
        }
    }
    if (warp >= units) wait_for_previous();
    #pragma unroll
    for (int j = 0; j < 4; j++) sums[warp][lane % 4 * 2 + j % 2][lane / 4 + j / 2 * 8] = total[j];
    __syncthreads();
    store_sums(sums, part, a.rows, first);
}

#define FEW(name, kind, words) \
    extern "C" __global__ void __launch_bounds__(32 * WARPS) name(LinearArguments a) { multiply_few<kind, words, false>(a); } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS) name##_wide(LinearArguments a) { multiply_few<kind, words, true>(a); }

// Named by the bits of a weight and the columns of a unit; `wide` takes f32 inputs.
FEW(linear_16_32, WEIGHT_BF16, 4)
FEW(linear_8_32, WEIGHT_W8, 2)
FEW(linear_8_64, WEIGHT_W8, 4)
FEW(linear_4_32, WEIGHT_W4, 1)
FEW(linear_4_64, WEIGHT_W4, 2)
FEW(linear_4_128, WEIGHT_W4, 4)

struct UnpackArguments
{
    WeightRows weight;
    u16* target; // [rows, K] bf16
    int firstRow;
    int rows;
};

// Some rows of a weight as bf16, for a product of dense matrices. A thread takes 8 columns: grid [columns / 8 / threads, rows].
extern "C" __global__ void unpack_weight(UnpackArguments a)
{
    wait_for_previous();
    int columns = a.weight.columns, c = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
    if (c >= columns) return;
    int row = a.firstRow + blockIdx.y;
    u16* target = a.target + (i64)blockIdx.y * columns + c;
    if (columns % 8 != 0)
    {
        for (int i = 0; i < 8 && c + i < columns; i++) target[i] = float_to_bfloat(weight_at(a.weight, row, c + i));
        return;
    }
    float values[8];
    weights_at(a.weight, row, c, values);
    u32 words[4];
    for (int i = 0; i < 4; i++) words[i] = float_to_bfloat(values[2 * i]) | (u32)float_to_bfloat(values[2 * i + 1]) << 16;
    *(uint4*)target = make_uint4(words[0], words[1], words[2], words[3]);
}

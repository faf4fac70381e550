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
    int endTile;       // tiles of 16 outputs up to its end, earlier parts' included
};

struct LinearArguments
{
    Matrix x;
    LinearPart parts[PARTS]; // of one kind and K
    int rows;                // T, up to 8
    int reserved;
};

static_assert(sizeof(LinearPart) == 64 && sizeof(LinearArguments) == 216, "structures differ from the host's");

// The part that a tile lies in, and its first output there.
static __device__ __forceinline__ const LinearPart& part_of(const LinearArguments& a, int tile, int& first)
{
    int which = tile >= a.parts[0].endTile ? tile >= a.parts[1].endTile ? 2 : 1 : 0;
    first = (tile - (which > 0 ? a.parts[which - 1].endTile : 0)) * OUTPUTS;
    return a.parts[which];
}

// Sums of the warps [WARPS, TOKENS, OUTPUTS] to rows of y.
static __device__ __forceinline__ void store_sums(const float (*sums)[TOKENS][OUTPUTS], const LinearPart& part, int rows, int first)
{
    int token = threadIdx.x / OUTPUTS, output = threadIdx.x % OUTPUTS, n = first + output;
    if (token >= rows || n >= part.outputs) return;
    float sum = part.bias ? part.bias[n] : 0;
    for (int w = 0; w < WARPS; w++) sum += sums[w][token][output];
    put(part.y, token, n, sum);
}

// y[t, n] = Σ x[t, k]·w[n, k] + b[n] of any elements and places. A block is a tile; a lane takes eight columns at a time where rows are whole
// eights, else one.
extern "C" __global__ void __launch_bounds__(32 * WARPS) linear_any(LinearArguments a)
{
    __shared__ float sums[WARPS][TOKENS][OUTPUTS];
    wait_for_previous();
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, first;
    const LinearPart& part = part_of(a, blockIdx.x, first);
    for (int i = 0; i < OUTPUTS; i++)
    {
        float products[TOKENS] = {};
        bool isEights = part.weight.columns % 8 == 0, isThere = first + i < part.outputs;
        for (int k = threadIdx.x * 8; isEights && isThere && k < part.weight.columns; k += 256 * WARPS)
        {
            float w[8];
            weights_at(part.weight, first + i, k, w);
            #pragma unroll
            for (int t = 0; t < TOKENS; t++)
            {
                if (t >= a.rows) break;
                #pragma unroll
                for (int j = 0; j < 8; j++) products[t] = fmaf(at(a.x, t, k + j), w[j], products[t]);
            }
        }
        for (int k = threadIdx.x; !isEights && isThere && k < part.weight.columns; k += 32 * WARPS)
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

// Eight inputs as bf16, and what that leaves of f32.
template <bool WIDE> struct Inputs
{
    uint4 high;
    uint4 low;
};

template <bool WIDE> static __device__ __forceinline__ Inputs<WIDE> load_inputs(const u8* source)
{
    if constexpr (!WIDE) return { *(const uint4*)source, make_uint4(0, 0, 0, 0) };
    else
    {
        u32 highs[4], lows[4];
        #pragma unroll
        for (int i = 0; i < 2; i++)
        {
            float4 part = ((const float4*)source)[i];
            highs[2 * i] = pack_bfloats(part.x, part.y);
            highs[2 * i + 1] = pack_bfloats(part.z, part.w);
            lows[2 * i] = pack_bfloats(part.x - low_bfloat(highs[2 * i]), part.y - high_bfloat(highs[2 * i]));
            lows[2 * i + 1] = pack_bfloats(part.z - low_bfloat(highs[2 * i + 1]), part.w - high_bfloat(highs[2 * i + 1]));
        }
        return { make_uint4(highs[0], highs[1], highs[2], highs[3]), make_uint4(lows[0], lows[1], lows[2], lows[3]) };
    }
}

// Eight weights of a row and lane as bf16 in pairs: elements; 4-bit codes plus 128; 8-bit codes as signed numbers.
template <int KIND> static __device__ __forceinline__ uint4 spread(const u32* words)
{
    if constexpr (KIND == WEIGHT_BF16) return make_uint4(words[0], words[1], words[2], words[3]);
    else if constexpr (KIND == WEIGHT_W4)
    {
        const u32 Mask = 0x000f000f, Base = 0x43004300; // 128 in bf16, whose last bit is a one
        u32 w = words[0];
        return make_uint4(and_or(w, Mask, Base), and_or(w >> 4, Mask, Base), and_or(w >> 8, Mask, Base), and_or(w >> 12, Mask, Base));
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

// What a lane holds of one unit: words of two weight rows, and their groups' entries.
template <int WORDS> struct Words
{
    u32 upper[WORDS];
    u32 lower[WORDS];
    u32 upperEntry;
    u32 lowerEntry;
};

// A block is a tile of 16 outputs of a weight and up to eight tokens, a product of the tensor cores. The columns are cut into units, of
// which a warp takes every eighth; in a unit a lane has WORDS words of two rows (lane / 4 and eight on), neighbours in memory, and the same
// columns of token lane / 4, or of the last token: products for tokens that are not there are not stored. Which inner index a column takes
// in a product does not matter, as long as weights and inputs agree on it.
// A unit of codes lies in one group: x̂ = scale·(q + shift) + offset gives scale·Σ x·q' + (offset + scale·shift)·Σ x.
template <int KIND, int WORDS, bool WIDE> struct FewRows
{
    static const int Bits = KIND == WEIGHT_BF16 ? 16 : KIND == WEIGHT_W8 ? 8 : 4, Unit = 128 * WORDS / Bits, Eights = Unit / 32, Each = WORDS / Eights;
    static const int Ahead = KIND == WEIGHT_BF16 ? 6 : 4; // units whose loads are under way
    static const bool Coded = KIND != WEIGHT_BF16;

    const u8* upper;
    const u8* lower;
    const u32* upperEntries;
    const u32* lowerEntries;
    const u8* inputs;
    int units;
    int unitsAGroup;

    __device__ __forceinline__ FewRows(const Matrix& x, int rows, const LinearPart& part, int first)
    {
        const WeightRows& w = part.weight;
        int lane = threadIdx.x % 32, upperRow = min(first + lane / 4, part.outputs - 1), lowerRow = min(first + lane / 4 + 8, part.outputs - 1);
        i64 rowBytes = (i64)w.columns * Bits / 8;
        const u8* data = w.data + lane % 4 * (WORDS * 4);
        upper = data + upperRow * rowBytes;
        lower = data + lowerRow * rowBytes;
        units = w.columns / Unit;
        inputs = (const u8*)x.data + ((i64)min(lane / 4, rows - 1) * x.stride + lane % 4 * (8 * Eights)) * (WIDE ? 4 : 2);
        if (!Coded) return;
        i64 perRow = w.columns / w.group;
        upperEntries = w.groups + upperRow * perRow;
        lowerEntries = w.groups + lowerRow * perRow;
        unitsAGroup = w.group / Unit;
    }

    __device__ __forceinline__ void load(Words<WORDS>& words, int unit) const
    {
        load_words(words.upper, upper + unit * (WORDS * 16));
        load_words(words.lower, lower + unit * (WORDS * 16));
        if (!Coded) return;
        int group = unitsAGroup == 1 ? unit : unit / unitsAGroup;
        words.upperEntry = __ldg(upperEntries + group);
        words.lowerEntry = __ldg(lowerEntries + group);
    }

    // total [16, 8] += the unit's part of the product.
    __device__ __forceinline__ void add(float (&total)[4], const Words<WORDS>& words, int unit) const
    {
        const uint4 ones = make_uint4(0x3f803f80, 0x3f803f80, 0x3f803f80, 0x3f803f80);
        float products[4] = {}, sums[4] = {};
        #pragma unroll
        for (int e = 0; e < Eights; e++)
        {
            Inputs<WIDE> x = load_inputs<WIDE>(inputs + (unit * Unit + 8 * e) * (WIDE ? 4 : 2));
            multiply<WIDE>(Coded ? products : total, spread<KIND>(words.upper + e * Each), spread<KIND>(words.lower + e * Each), x);
            if (Coded) multiply<WIDE>(sums, ones, ones, x);
        }
        if (!Coded) return;
        float scales[2], offsets[2];
        read_group(words.upperEntry, scales[0], offsets[0]);
        read_group(words.lowerEntry, scales[1], offsets[1]);
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            float offset = KIND == WEIGHT_W4 ? offsets[j / 2] - 136 * scales[j / 2] : offsets[j / 2];
            total[j] += scales[j / 2] * products[j] + offset * sums[j];
        }
    }
};

template <int KIND, int WORDS, bool WIDE> static __device__ __forceinline__ void multiply_few(const LinearArguments& a)
{
    typedef FewRows<KIND, WORDS, WIDE> Few;
    __shared__ float sums[WARPS][TOKENS][OUTPUTS];
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, first;
    const LinearPart& part = part_of(a, blockIdx.x, first);
    Few few(a.x, a.rows, part, first);
    Words<WORDS> words[Few::Ahead];
    #pragma unroll
    for (int i = 0; i < Few::Ahead; i++)
        if (warp + i * WARPS < few.units) few.load(words[i], warp + i * WARPS);
    // Weights do not depend on what ran before.
    wait_for_previous();
    float total[4] = {};
    for (int base = warp; base < few.units; base += Few::Ahead * WARPS)
    {
        #pragma unroll
        for (int i = 0; i < Few::Ahead; i++)
        {
            int unit = base + i * WARPS, later = unit + Few::Ahead * WARPS;
            if (unit >= few.units) break;
            few.add(total, words[i], unit);
            if (later < few.units) few.load(words[i], later);
        }
    }
    #pragma unroll
    for (int j = 0; j < 4; j++) sums[warp][lane % 4 * 2 + j % 2][lane / 4 + j / 2 * 8] = total[j];
    __syncthreads();
    store_sums(sums, part, a.rows, first);
}

#define FEW(name, kind, words, blocks) \
    extern "C" __global__ void __launch_bounds__(32 * WARPS, blocks) name(LinearArguments a) { multiply_few<kind, words, false>(a); } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS, blocks) name##_wide(LinearArguments a) { multiply_few<kind, words, true>(a); }

// Named by the bits of a weight and the columns of a unit; `wide` takes f32 inputs. Blocks: at a time on a multiprocessor, as far as
// registers go.
FEW(linear_16_32, WEIGHT_BF16, 4, 3)
FEW(linear_8_32, WEIGHT_W8, 2, 3)
FEW(linear_8_64, WEIGHT_W8, 4, 2)
FEW(linear_4_32, WEIGHT_W4, 1, 3)
FEW(linear_4_64, WEIGHT_W4, 2, 3)
FEW(linear_4_128, WEIGHT_W4, 4, 2)

// Orders the 4-bit codes of a weight as kernels read them (weights.cuh), a word a thread.
struct ReorderArguments
{
    u32* words;
    i64 count;
};

static_assert(sizeof(ReorderArguments) == 16, "structures differ from the host's");

extern "C" __global__ void reorder_codes(ReorderArguments a)
{
    wait_for_previous();
    i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.count) return;
    u32 word = 0;
    for (int c = 0; c < 8; c++) word |= (a.words[i] >> 4 * c & 15) << code_shift(c);
    a.words[i] = word;
}

struct UnpackArguments
{
    WeightRows weight;
    u16* target; // [rows, K] bf16
    int firstRow;
    int reserved;
};

static_assert(sizeof(UnpackArguments) == 48, "structures differ from the host's");

static __device__ __forceinline__ uint4 pack_eight(const float* x)
{
    return make_uint4(pack_bfloats(x[0], x[1]), pack_bfloats(x[2], x[3]), pack_bfloats(x[4], x[5]), pack_bfloats(x[6], x[7]));
}

// Some rows of a weight as bf16, for a product of dense matrices. A thread takes EACH times eight columns: grid [columns, rows].
extern "C" __global__ void unpack_weight(UnpackArguments a)
{
    const int EACH = 4;
    const WeightRows& w = a.weight;
    int row = a.firstRow + blockIdx.y, eight = blockIdx.x * EACH * blockDim.x + threadIdx.x;
    u16* target = a.target + (i64)blockIdx.y * w.columns;
    bool isAligned = w.columns % 8 == 0;
    if (isAligned && w.kind == WEIGHT_W4 && w.group % 8 == 0)
    {
        const u32* source = (const u32*)w.data + (i64)row * (w.columns / 8);
        const u32* groups = w.groups + (i64)row * (w.columns / w.group);
        u32 words[EACH], entries[EACH];
        #pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            int place = min(eight + i * (int)blockDim.x, w.columns / 8 - 1);
            words[i] = __ldg(source + place);
            entries[i] = __ldg(groups + place * 8 / w.group);
        }
        wait_for_previous();
        #pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            int place = eight + i * blockDim.x;
            if (place >= w.columns / 8) return;
            float scale, offset, values[8];
            read_group(entries[i], scale, offset);
            #pragma unroll
            for (int c = 0; c < 8; c++)
                values[c] = fmaf(__int_as_float(0x4b000000 | (words[i] >> code_shift(c) & 15)) - 8388616.0f, scale, offset); // 2^23 + code, less 2^23 + 8
            *(uint4*)(target + 8 * place) = pack_eight(values);
        }
        return;
    }
    wait_for_previous();
    for (int i = 0; i < EACH; i++)
    {
        int c = (eight + i * blockDim.x) * 8;
        if (isAligned && c < w.columns)
        {
            float values[8];
            weights_at(w, row, c, values);
            *(uint4*)(target + c) = pack_eight(values);
        }
        else
        {
            for (int end = min(c + 8, w.columns); c < end; c++) target[c] = float_to_bfloat(weight_at(w, row, c));
        }
    }
}

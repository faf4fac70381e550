// Linear layers of few rows, straight from the weights as they are stored, and the unpacking of weights for larger products.

#include "common.cuh"
#include "weights.cuh"

struct LinearArguments
{
    Matrix x;
    Matrix y;
    WeightRows weight;
    const float* bias; // [N], or null
    int outputs;       // N
    int rows;          // T
    int aligned;       // x's rows begin at multiples of 16 bytes, and K is a multiple of 8
    int reserved;
};

static_assert(sizeof(LinearArguments) == 88, "structures differ from the host's");

static __device__ __forceinline__ void load_inputs(const Matrix& x, int row, int column, float* values)
{
    i64 index = (i64)row * x.stride + column;
    if (x.type == F32)
    {
        float4 low = *(const float4*)((const float*)x.data + index), high = *(const float4*)((const float*)x.data + index + 4);
        values[0] = low.x; values[1] = low.y; values[2] = low.z; values[3] = low.w;
        values[4] = high.x; values[5] = high.y; values[6] = high.z; values[7] = high.w;
        return;
    }
    uint4 raw = *(const uint4*)((const u16*)x.data + index);
    u32 words[4] = { raw.x, raw.y, raw.z, raw.w };
    for (int i = 0; i < 4; i++)
    {
        values[2 * i] = x.type == F16 ? half_to_float((u16)words[i]) : __int_as_float((int)(words[i] << 16));
        values[2 * i + 1] = x.type == F16 ? half_to_float((u16)(words[i] >> 16)) : __int_as_float((int)(words[i] & 0xffff0000));
    }
}

// y[t, n] = Σ x[t, k]·w[n, k] + b[n]. A warp is an output channel n, and treats T rows at once; a lane takes 8 columns at a time, or one
// where rows or columns are not aligned to that.
template <int T> static __device__ __forceinline__ void linear_elements(const LinearArguments& a)
{
    int n = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (n >= a.outputs) return;
    float sums[T];
    for (int t = 0; t < T; t++) sums[t] = 0;
    int columns = a.weight.columns;
    if (a.aligned)
    {
        #pragma unroll 4
        for (int k = lane * 8; k < columns; k += 256)
        {
            float w[8];
            weights_at(a.weight, n, k, w);
            #pragma unroll
            for (int t = 0; t < T; t++)
            {
                if (t >= a.rows) break;
                float x[8];
                load_inputs(a.x, t, k, x);
                for (int i = 0; i < 8; i++) sums[t] = fmaf(x[i], w[i], sums[t]);
            }
        }
    }
    else
    {
        for (int k = lane; k < columns; k += 32)
        {
            float w = weight_at(a.weight, n, k);
            #pragma unroll
            for (int t = 0; t < T; t++)
                if (t < a.rows) sums[t] = fmaf(at(a.x, t, k), w, sums[t]);
        }
    }
    #pragma unroll
    for (int t = 0; t < T; t++)
    {
        float sum = warp_sum(sums[t]);
        if (lane == 0 && t < a.rows) put(a.y, t, n, sum + (a.bias ? a.bias[n] : 0));
    }
}

// The same for codes, where a warp computes this many channels.
const int Outputs = 2;

template <int T> static __device__ __forceinline__ void store_sums(const LinearArguments& a, int first, float sums[Outputs][T])
{
    #pragma unroll
    for (int r = 0; r < Outputs; r++)
    {
        #pragma unroll
        for (int t = 0; t < T; t++)
        {
            float sum = warp_sum(sums[r][t]);
            int n = first + r;
            if (threadIdx.x % 32 == 0 && t < a.rows && n < a.outputs) put(a.y, t, n, sum + (a.bias ? a.bias[n] : 0));
        }
    }
}

// Eight codes from their bytes as numbers: 2^23 + code, less 2^23 and the smallest code's place.
template <int BITS> static __device__ __forceinline__ void read_codes(const u32* words, int first, float* values)
{
    #pragma unroll
    for (int i = 0; i < 8; i++)
    {
        u32 code = BITS == 4 ? words[first] >> 4 * i & 15 : words[2 * first + i / 4] >> 8 * (i % 4) & 255;
        values[i] = __int_as_float(0x4b000000 | code) - (8388608.0f + (1 << (BITS - 1)));
    }
}

// Codes: a lane takes 32 columns at a time, which share a group's entry: s·Σ x·code + o·Σ x.
template <int BITS, int T> static __device__ __forceinline__ void linear_codes(const LinearArguments& a, int first)
{
    const int Words = BITS; // of 32 codes
    float sums[Outputs][T] = {};
    int channels[Outputs] = { first, min(first + 1, a.outputs - 1) };
    #pragma unroll 2
    for (int k = threadIdx.x % 32 * 32; k < a.weight.columns; k += 1024)
    {
        u32 words[Outputs][Words];
        float scales[Outputs], offsets[Outputs];
        #pragma unroll
        for (int r = 0; r < Outputs; r++)
        {
            i64 index = (i64)channels[r] * a.weight.columns + k;
            const uint4* source = (const uint4*)(a.weight.data + index * BITS / 8);
            #pragma unroll
            for (int i = 0; i < Words / 4; i++)
            {
                uint4 part = source[i];
                words[r][4 * i] = part.x;
                words[r][4 * i + 1] = part.y;
                words[r][4 * i + 2] = part.z;
                words[r][4 * i + 3] = part.w;
            }
            read_group(a.weight.groups[index / a.weight.group], scales[r], offsets[r]);
        }
        float products[Outputs][T] = {}, inputs[T] = {};
        #pragma unroll
        for (int part = 0; part < 4; part++)
        {
            float w[Outputs][8];
            #pragma unroll
            for (int r = 0; r < Outputs; r++) read_codes<BITS>(words[r], part, w[r]);
            #pragma unroll
            for (int t = 0; t < T; t++)
            {
                if (t >= a.rows) break;
                float x[8];
                load_inputs(a.x, t, k + 8 * part, x);
                for (int i = 0; i < 8; i++)
                {
                    inputs[t] += x[i];
                    #pragma unroll
                    for (int r = 0; r < Outputs; r++) products[r][t] = fmaf(x[i], w[r][i], products[r][t]);
                }
            }
        }
        #pragma unroll
        for (int r = 0; r < Outputs; r++)
        {
            #pragma unroll
            for (int t = 0; t < T; t++) sums[r][t] += scales[r] * products[r][t] + offsets[r] * inputs[t];
        }
    }
    store_sums<T>(a, first, sums);
}

template <int T> static __device__ __forceinline__ void linear_rows(const LinearArguments& a)
{
    int first = (blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32) * Outputs;
    if (!a.aligned || a.weight.kind < WEIGHT_W4) linear_elements<T>(a);
    else if (first >= a.outputs) return;
    else if (a.weight.kind == WEIGHT_W4) linear_codes<4, T>(a, first);
    else linear_codes<8, T>(a, first);
}

extern "C" __global__ void linear_1(LinearArguments a) { linear_rows<1>(a); }
extern "C" __global__ void linear_2(LinearArguments a) { linear_rows<2>(a); }
extern "C" __global__ void linear_4(LinearArguments a) { linear_rows<4>(a); }
extern "C" __global__ void linear_8(LinearArguments a) { linear_rows<8>(a); }

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

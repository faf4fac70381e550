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

// y[t, n] = Σ x[t, k]·w[n, k] + b[n]. A warp is an output channel n, and treats T rows at once; a lane takes 8 columns at a time.
template <int T> static __device__ __forceinline__ void linear_rows(const LinearArguments& a)
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

// Some rows of a weight as bf16, for a product of dense matrices. Grid [columns / threads, rows].
extern "C" __global__ void unpack_weight(UnpackArguments a)
{
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c < a.weight.columns) a.target[(i64)blockIdx.y * a.weight.columns + c] = float_to_bfloat(weight_at(a.weight, a.firstRow + blockIdx.y, c));
}

// Row-wise ops: embedding rows, norms, rotary embedding, gated activation, sums, conversions.

#include "common.cuh"
#include "weights.cuh"

struct EmbedArguments
{
    WeightRows table;
    const int* ids;
    Matrix x;
};

// A block is a token.
extern "C" __global__ void embed(EmbedArguments a)
{
    wait_for_previous();
    int row = a.ids[blockIdx.x];
    for (int c = threadIdx.x; c < a.table.columns; c += blockDim.x) put(a.x, blockIdx.x, c, weight_at(a.table, row, c));
}

struct NormArguments
{
    Matrix x;
    Matrix y;
    Matrix added; // data null where nothing is
    const float* gain;
    int width;
    float epsilon;
};

// x += added, y = x / rms(x) · gain. A block is one group of `width` columns of a row: grid [groups, rows]. A thread keeps what it has
// read, as far as that is HELD numbers.
extern "C" __global__ void rms_norm(NormArguments a)
{
    const int HELD = 8;
    __shared__ float parts[32];
    wait_for_previous();
    int row = blockIdx.y, first = blockIdx.x * a.width;
    float held[HELD], sum = 0;
    #pragma unroll
    for (int i = 0; i < HELD; i++)
    {
        int c = threadIdx.x + i * blockDim.x;
        held[i] = c < a.width ? at(a.x, row, first + c) : 0;
        if (a.added.data && c < a.width) held[i] += at(a.added, row, first + c);
    }
    #pragma unroll
    for (int i = 0; i < HELD; i++)
    {
        int c = threadIdx.x + i * blockDim.x;
        if (a.added.data && c < a.width) put(a.x, row, first + c, held[i]);
        sum = fmaf(held[i], held[i], sum);
    }
    for (int c = threadIdx.x + HELD * blockDim.x; c < a.width; c += blockDim.x)
    {
        float x = at(a.x, row, first + c);
        if (a.added.data) put(a.x, row, first + c, x += at(a.added, row, first + c));
        sum = fmaf(x, x, sum);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0;
    for (int i = 0; i < blockDim.x / 32; i++) sum += parts[i];
    float factor = 1 / sqrtf(sum / a.width + a.epsilon);
    #pragma unroll
    for (int i = 0; i < HELD; i++)
    {
        int c = threadIdx.x + i * blockDim.x;
        if (c < a.width) put(a.y, row, first + c, held[i] * factor * a.gain[c]);
    }
    for (int c = threadIdx.x + HELD * blockDim.x; c < a.width; c += blockDim.x) put(a.y, row, first + c, at(a.x, row, first + c) * factor * a.gain[c]);
}

struct RopeArguments
{
    Matrix q;
    Matrix k;
    const int* positions;
    int queryHeads;
    int half;
    float scale;
    float frequencies[128];
};

// Half-split pairs in place. A block is a head of a row, those of k behind those of q: grid [heads, rows].
extern "C" __global__ void rope(RopeArguments a)
{
    wait_for_previous();
    bool isQuery = blockIdx.x < a.queryHeads;
    Matrix x = isQuery ? a.q : a.k;
    int first = (blockIdx.x - (isQuery ? 0 : a.queryHeads)) * 2 * a.half;
    for (int i = threadIdx.x; i < a.half; i += blockDim.x)
    {
        // The angle in f32, as the references have it; its sine and cosine beyond that.
        double sine, cosine;
        sincos((double)(a.positions[blockIdx.y] * a.frequencies[i]), &sine, &cosine);
        float s = (float)sine * a.scale, c = (float)cosine * a.scale;
        float low = at(x, blockIdx.y, first + i), high = at(x, blockIdx.y, first + a.half + i);
        put(x, blockIdx.y, first + i, low * c - high * s);
        put(x, blockIdx.y, first + a.half + i, high * c + low * s);
    }
}

struct PairArguments
{
    Matrix x;
    Matrix y;
    int columns;
};

// x = silu(x)·y. Grid [columns / threads, rows].
extern "C" __global__ void silu_mul(PairArguments a)
{
    wait_for_previous();
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= a.columns) return;
    float gate = at(a.x, blockIdx.y, c);
    put(a.x, blockIdx.y, c, gate / (1 + expf(-gate)) * at(a.y, blockIdx.y, c));
}

// x += y.
extern "C" __global__ void add(PairArguments a)
{
    wait_for_previous();
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.x, blockIdx.y, c, at(a.x, blockIdx.y, c) + at(a.y, blockIdx.y, c));
}

// y = x in y's element type.
extern "C" __global__ void convert(PairArguments a)
{
    wait_for_previous();
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.y, blockIdx.y, c, at(a.x, blockIdx.y, c));
}

struct BiasArguments
{
    Matrix x;
    const float* bias;
    int columns;
};

// x += bias in every row.
extern "C" __global__ void add_bias(BiasArguments a)
{
    wait_for_previous();
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c < a.columns) put(a.x, blockIdx.y, c, at(a.x, blockIdx.y, c) + a.bias[c]);
}

// Results of parts of a context, put together. Compiled for one head width D = HEAD_DIM.

#include "common.cuh"

#define D HEAD_DIM

#include "attention.cuh"

// Grid [T, query heads].
extern "C" __global__ void merge_splits(AttentionArguments a)
{
    __shared__ float result[D];
    wait_for_previous();
    int token = blockIdx.x, head = blockIdx.y, sequence = a.sequences > 1 ? token : 0;
    int end = a.starts[sequence] + 1 + (a.sequences > 1 ? 0 : token), first = a.window > 0 ? max(0, end - a.window) : 0;
    int part = split_tokens(a, end), firstSplit = first / part, endSplit = (end - 1) / part + 1;
    float most = -INFINITE;
    for (int s = firstSplit + threadIdx.x % 32; s < endSplit; s += 32) most = fmaxf(most, partial_of(a, token, head, s)[D]);
    most = warp_max(most);
    for (int c = threadIdx.x; c < D; c += blockDim.x)
    {
        float sum = 0, total = 0;
        #pragma unroll 8
        for (int s = firstSplit; s < endSplit; s++)
        {
            const float* partial = partial_of(a, token, head, s);
            float factor = power_of_two(partial[D] - most);
            sum += factor * partial[c];
            total += factor * partial[D + 1];
        }
        result[c] = sum * (1 / total);
    }
    __syncthreads();
    if (a.rotation == 2) hadamard(result, 1, D, D);
    for (int c = threadIdx.x; c < D; c += blockDim.x) put(a.y, token, head * D + c, result[c]);
}


// Results of parts of a context, put together. Compiled for one head width D = HEAD_DIM.

#include "common.cuh"

#define D HEAD_DIM

#include "attention.cuh"

// A head's result as it was before values were rotated.
template <int COUNT> static __device__ __forceinline__ void turn_back(float (&x)[COUNT], const AttentionArguments& a, int lane)
{
    if (a.rotation != 2) return;
    if constexpr (D >= 64 && (D & (D - 1)) == 0) hadamard_of_warp(x, lane);
    else if constexpr (D < 64)
    {
        // Two channels a lane, of narrower heads in the first lanes alone.
        float low = x[0], high = x[1];
        x[0] = low + high;
        x[1] = low - high;
        #pragma unroll
        for (int step = 1; step < D / 2; step <<= 1)
        {
            #pragma unroll
            for (int i = 0; i < 2; i++)
            {
                float other = __shfl_xor_sync(0xffffffff, x[i], step);
                x[i] = lane & step ? other - x[i] : x[i] + other;
            }
        }
        #pragma unroll
        for (int i = 0; i < 2; i++) x[i] *= rsqrtf((float)D);
    }
}

// A warp is a query head of a token, a lane some of its channels: grid [T, query heads / WARPS].
extern "C" __global__ void merge_splits(AttentionArguments a)
{
    const int Pairs = (D / 2 + 31) / 32; // of channels, of a lane
    let_next_start_of_many(a.rows);
    wait_for_previous();
    int token = blockIdx.x, head = blockIdx.y * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32, sequence = a.sequences > 1 ? token : 0;
    if (head >= a.queryHeads) return;
    int end = a.starts[sequence] + 1 + (a.sequences > 1 ? 0 : token), first = a.window > 0 ? max(0, end - a.window) : 0;
    int part = split_tokens(a, end), firstSplit = first / part, endSplit = a.carries ? a.splits : (end - 1) / part + 1;
    const float* partials = partial_of(a, token, head, 0);
    float most = -INFINITE, total = 0, sums[2 * Pairs] = {};
    for (int s = firstSplit + lane; s < endSplit; s += 32) most = fmaxf(most, partials[s * (D + 2) + D]);
    most = warp_max(most);
    #pragma unroll 4
    for (int s = firstSplit; s < endSplit; s++)
    {
        const float* partial = partials + s * (D + 2);
        float2 state = *(const float2*)(partial + D);
        float factor = power_of_two(state.x - most);
        total += factor * state.y;
        #pragma unroll
        for (int i = 0; i < Pairs; i++)
        {
            int c = 2 * (lane * Pairs + i);
            if (c >= D) continue;
            float2 x = *(const float2*)(partial + c);
            sums[2 * i] += factor * x.x;
            sums[2 * i + 1] += factor * x.y;
        }
    }
    #pragma unroll
    for (int i = 0; i < 2 * Pairs; i++) sums[i] *= 1 / total;
    turn_back(sums, a, lane);
    #pragma unroll
    for (int i = 0; i < Pairs; i++)
    {
        int c = 2 * (lane * Pairs + i);
        if (c < D) put_pair(a.y, token, head * D + c, make_float2(sums[2 * i], sums[2 * i + 1]));
    }
}

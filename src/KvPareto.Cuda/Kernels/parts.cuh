// Results of a token's parts (decode.cu), put together by the blocks that made them or by a launch of its own, in one order.

#define MOST_GROUPS 512 // of blocks that wait for each other

struct alignas(32) PartsBarrier
{
    u32 arrived;
    u32 turn;
};

__device__ PartsBarrier barriers[MOST_GROUPS];

// Until `count` blocks are here, all of which are at work; what they wrote before is seen by all. By all threads of a block.
static __device__ __forceinline__ void wait_for_parts(int group, int count)
{
    __syncthreads();
    if (threadIdx.x == 0)
    {
        PartsBarrier& barrier = barriers[group];
        u32 turn, now;
        asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(turn) : "l"(&barrier.turn) : "memory");
        asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], 1;" : "=r"(now) : "l"(&barrier.arrived) : "memory");
        if (now == count - 1)
        {
            barrier.arrived = 0;
            asm volatile("st.release.gpu.global.u32 [%0], %1;" :: "l"(&barrier.turn), "r"(turn + 1) : "memory");
        }
        else
        {
            do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(now) : "l"(&barrier.turn) : "memory");
            while (now == turn);
        }
    }
    __syncthreads();
}

// The factor on what was summed beside a maximum when that becomes `most`.
static __device__ __forceinline__ float factor_of(float maximum, float most) { return maximum == most ? 1 : power_of_two(maximum - most); }

// Share `index` of a key head's results, of as many as there are parts: some pairs of channels of a query head at a time, each by several
// threads that go through some of the parts. `sums` has room for two numbers a thread, and two more.
static __device__ __forceinline__ void merge_share(const AttentionArguments& a, const View& view, int sequence, int keyHead, int index, float2* sums)
{
    const int Pairs = D / 2, FewestPairs = 8, Ahead = 6;
    int group = a.queryHeads / a.keyHeads, count = view.parts + (view.hasEdge ? 1 : 0), own = a.rotation == 2 ? Pairs : FewestPairs;
    while (own < Pairs && own * count < group * Pairs) own *= 2;
    int slices = THREADS / own, slice = threadIdx.x / own;
    float2* states = sums + THREADS; // maximum and total
    for (int first = index * own; first < group * Pairs; first += count * own)
    {
        int pair = first % Pairs + threadIdx.x % own, head = keyHead * group + first / Pairs;
        const float* partials = partial_of(a, sequence, head, 0);
        float2 state = make_float2(-INFINITE, 0), sum = make_float2(0, 0);
        for (int from = slice; from < count; from += Ahead * slices)
        {
            float2 its[Ahead], x[Ahead];
            #pragma unroll
            for (int j = 0; j < Ahead; j++)
            {
                int i = from + j * slices;
                its[j] = make_float2(-INFINITE, 0);
                x[j] = make_float2(0, 0);
                if (i >= count) continue;
                const float* partial = partials + (i < view.parts ? i : a.splits - 1) * (D + 2);
                its[j] = __ldcg((const float2*)(partial + D));
                x[j] = __ldcg((const float2*)(partial + 2 * pair));
            }
            #pragma unroll
            for (int j = 0; j < Ahead; j++)
            {
                float most = fmaxf(state.x, its[j].x), before = factor_of(state.x, most), factor = factor_of(its[j].x, most);
                state = make_float2(most, before * state.y + factor * its[j].y);
                sum = make_float2(before * sum.x + factor * x[j].x, before * sum.y + factor * x[j].y);
            }
        }
        __syncthreads();
        sums[threadIdx.x] = sum;
        if (threadIdx.x % own == 0) states[slice] = state;
        __syncthreads();
        if (slice == 0)
        {
            float most = -INFINITE, total = 0;
            sum = make_float2(0, 0);
            for (int i = 0; i < slices; i++) most = fmaxf(most, states[i].x);
            #pragma unroll 4
            for (int i = 0; i < slices; i++)
            {
                float factor = factor_of(states[i].x, most);
                float2 x = sums[i * own + threadIdx.x];
                total += factor * states[i].y;
                sum.x += factor * x.x;
                sum.y += factor * x.y;
            }
            sum = make_float2(sum.x * (1 / total), sum.y * (1 / total));
        }
        if (a.rotation == 2)
        {
            __syncthreads();
            if (slice == 0) sums[threadIdx.x] = sum;
            hadamard((float*)sums, 1, D, D);
            if (slice == 0) sum = sums[threadIdx.x];
        }
        if (slice == 0) put_pair(a.y, sequence, head * D + 2 * pair, sum);
    }
}

// Results of a token's parts (decode.cu), put together by the blocks that made them or by a launch of its own, in one order.

// Two numbers, each with the tag of the launch that they are of: who waits for them needs no other sign.
struct alignas(16) TaggedPair
{
    u64 first;
    u64 second;
};

// Partials here: [T, Nq, splits, D / 2 + 1] pairs of weighted values, then maximum and total.
static __device__ __forceinline__ TaggedPair* tagged_partial_of(const AttentionArguments& a, int sequence, int head, int split)
{
    return (TaggedPair*)a.partials + (((i64)sequence * a.queryHeads + head) * a.splits + split) * (D / 2 + 1);
}

static __device__ __forceinline__ void put_tagged(TaggedPair* place, float2 x, u32 tag)
{
    u64 high = (u64)tag << 32;
    asm volatile("st.relaxed.gpu.global.v2.b64 [%0], {%1, %2};"
        :: "l"(place), "l"(high | __float_as_uint(x.x)), "l"(high | __float_as_uint(x.y)) : "memory");
}

// Whether they are there.
static __device__ __forceinline__ bool take_tagged(float2& x, const TaggedPair* place, u32 tag)
{
    u64 first, second;
    asm volatile("ld.relaxed.gpu.global.v2.b64 {%0, %1}, [%2];" : "=l"(first), "=l"(second) : "l"(place) : "memory");
    x = make_float2(__uint_as_float((u32)first), __uint_as_float((u32)second));
    return (u32)(first >> 32) == tag && (u32)(second >> 32) == tag;
}

// The factor on what was summed beside a maximum when that becomes `most`.
static __device__ __forceinline__ float factor_of(float maximum, float most) { return maximum == most ? 1 : power_of_two(maximum - most); }

// Results of a key head: of the parts, then of the tokens around them, then of the new one.
static __device__ __forceinline__ int parts_of(const View& view) { return view.parts + view.hasEdge + view.newIsBlock; }

// The split of result i.
static __device__ __forceinline__ int place_of(const AttentionArguments& a, const View& view, int i)
{
    return i < view.parts ? i : i == view.parts && view.hasEdge ? a.splits - 2 : a.splits - 1;
}

// Share `index` of a key head's results, of as many as there are parts, each as soon as it is there: some pairs of channels of a query head
// at a time, each by several threads that go through some of the parts. `sums` has room for two numbers a thread, and two more.
static __device__ __forceinline__ void merge_share(
    const AttentionArguments& a, const View& view, int sequence, int keyHead, int index, u32 tag, float2* sums)
{
    const int Pairs = D / 2, FewestPairs = 8, Ahead = 6;
    int group = a.queryHeads / a.keyHeads, count = parts_of(view), own = a.rotation == 2 ? Pairs : FewestPairs;
    while (own < Pairs && own * count < group * Pairs) own *= 2;
    int slices = THREADS / own, slice = threadIdx.x / own;
    float2* states = sums + THREADS; // maximum and total
    for (int first = index * own; first < group * Pairs; first += count * own)
    {
        int pair = first % Pairs + threadIdx.x % own, head = keyHead * group + first / Pairs;
        const TaggedPair* partials = tagged_partial_of(a, sequence, head, 0);
        float2 state = make_float2(-INFINITE, 0), sum = make_float2(0, 0);
        for (int from = slice; from < count; from += Ahead * slices)
        {
            float2 its[Ahead], x[Ahead];
            bool areThere;
            do
            {
                areThere = true;
                #pragma unroll
                for (int j = 0; j < Ahead; j++)
                {
                    int i = from + j * slices;
                    its[j] = make_float2(-INFINITE, 0);
                    x[j] = make_float2(0, 0);
                    if (i >= count) continue;
                    const TaggedPair* partial = partials + place_of(a, view, i) * (Pairs + 1);
                    areThere &= take_tagged(its[j], partial + Pairs, tag);
                    areThere &= take_tagged(x[j], partial + pair, tag);
                }
            }
            while (!areThere);
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

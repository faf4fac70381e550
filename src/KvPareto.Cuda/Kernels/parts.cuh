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

// What is there of them; `missing` gets a bit where that is another launch's.
static __device__ __forceinline__ float2 take_tagged(const u8* place, u32 tag, u32& missing)
{
    u64 first, second;
    asm volatile("ld.relaxed.gpu.global.v2.b64 {%0, %1}, [%2];" : "=l"(first), "=l"(second) : "l"(place) : "memory");
    missing |= (u32)(first >> 32) ^ tag;
    missing |= (u32)(second >> 32) ^ tag;
    return make_float2(__uint_as_float((u32)first), __uint_as_float((u32)second));
}

// The factor on what was summed beside a maximum when that becomes `most`.
static __device__ __forceinline__ float factor_of(float maximum, float most) { return maximum == most ? 1 : power_of_two(maximum - most); }

// Results of a key head: of the parts, then of the tokens around them, then of the new one.
static __device__ __forceinline__ int parts_of(const View& view) { return view.parts + view.hasEdge + view.newIsBlock; }

// Values of two channels, weighted beside a maximum, and the total of their weights.
struct PartState
{
    float2 state; // maximum and total
    float2 sum;

    __device__ __forceinline__ void clear()
    {
        state = make_float2(-INFINITE, 0);
        sum = make_float2(0, 0);
    }

    template <int N> __device__ __forceinline__ void add(const PartState (&others)[N])
    {
        float most = state.x;
        #pragma unroll
        for (int i = 0; i < N; i++) most = fmaxf(most, others[i].state.x);
        float factor = factor_of(state.x, most);
        state = make_float2(most, factor * state.y);
        sum = make_float2(factor * sum.x, factor * sum.y);
        #pragma unroll
        for (int i = 0; i < N; i++)
        {
            factor = factor_of(others[i].state.x, most);
            state.y += factor * others[i].state.y;
            sum.x += factor * others[i].sum.x;
            sum.y += factor * others[i].sum.y;
        }
    }

    // Another lane's, too.
    __device__ __forceinline__ void add_lane(int distance)
    {
        PartState x[1];
        x[0].state = make_float2(__shfl_xor_sync(0xffffffff, state.x, distance), __shfl_xor_sync(0xffffffff, state.y, distance));
        x[0].sum = make_float2(__shfl_xor_sync(0xffffffff, sum.x, distance), __shfl_xor_sync(0xffffffff, sum.y, distance));
        add(x);
    }
};

// Share `index` of a key head's results, of as many as there are parts, each as soon as it is there: some pairs of channels of a query head
// at a time, each by several threads that go through some of the parts. `shared` has room for one state a thread. The code is short: it
// comes from memory in each layer.
static __device__ __forceinline__ void merge_share(
    const AttentionArguments& a, const View& view, int sequence, int keyHead, int group, int index, u32 tag, PartState* shared)
{
    const int Pairs = D / 2, FewestShift = 3, MostShift = D == 128 ? 6 : 5, Ahead = 6;
    int count = parts_of(view), shift = FewestShift;
    while (shift < MostShift && count << shift < group * Pairs) shift++;
    int own = 1 << shift, slices = THREADS >> shift, slice = threadIdx.x >> shift, warp = threadIdx.x / 32;
    int gap = a.splits - 1 - view.hasEdge - view.parts; // between the parts' results and the others
    for (int first = index << shift; first < group * Pairs; first += count << shift)
    {
        int pair = first % Pairs + (threadIdx.x & (own - 1)), head = keyHead * group + first / Pairs;
        const TaggedPair* partials = tagged_partial_of(a, sequence, head, 0);
        const u8* states = (const u8*)(partials + Pairs);
        const u8* pairs = (const u8*)(partials + pair);
        PartState mine;
        mine.clear();
        for (int from = slice; from < count; from += Ahead * slices)
        {
            PartState x[Ahead];
            u32 missing;
            do
            {
                missing = 0;
                #pragma unroll
                for (int j = 0; j < Ahead; j++)
                {
                    int i = from + j * slices;
                    x[j].clear();
                    if (i >= count) continue;
                    u64 place = (u64)(u32)(i < view.parts ? i : i + gap) * (u32)((Pairs + 1) * sizeof(TaggedPair));
                    x[j].state = take_tagged(states + place, tag, missing);
                    x[j].sum = take_tagged(pairs + place, tag, missing);
                }
            }
            while (missing != 0);
            mine.add(x);
        }
        // Of a warp, then of all.
        #pragma unroll 1
        for (int distance = own; distance < 32; distance *= 2) mine.add_lane(distance);
        __syncthreads();
        if (own >= 32 || threadIdx.x % 32 < own) shared[own >= 32 ? threadIdx.x : warp * own + threadIdx.x % 32] = mine;
        __syncthreads();
        bool isLast = threadIdx.x < own;
        #pragma unroll 1
        for (int i = threadIdx.x + own; isLast && i < min(slices, WARPS) * own; i += own)
        {
            PartState x[1] = { shared[i] };
            mine.add(x);
        }
        if (isLast)
            *(u32*)((u16*)a.y.data + (i64)sequence * a.y.stride + head * D + 2 * pair) =
                pack_bfloats(mine.sum.x * (1 / mine.state.y), mine.sum.y * (1 / mine.state.y));
    }
}

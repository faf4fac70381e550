// From the sums of a tile's clusters to results (linear_many.cu).

// Whether a cluster's part of a tile is there, for each block, group of warps and reader; who has read it clears it.
__device__ u32 isThere[MOST_CLUSTERS][CLUSTER][2][MOST_SHARES];

static __device__ __forceinline__ void wait_for_quad(int quad) { asm volatile("bar.sync %0, %1;" :: "r"(1 + quad), "n"(QUAD) : "memory"); }

static __device__ __forceinline__ float4* partial_of(const ManyArguments& a, int cluster, u32 rank, int thread)
{
    return (float4*)a.partials + (i64)(cluster * CLUSTER + rank) * (UNITS * 2 * QUAD) + thread;
}

// What is done for one kind of results: units of a thread's own sums, or of those of a tile's clusters.
template <class Target> struct Own
{
    const Target& target;
    const float (&sums)[TOKENS / 2];

    template <class Kind> __device__ __forceinline__ void operator()(const Kind& kind) const
    {
        #pragma unroll
        for (int i = 0; i < UNITS; i++) target.put(i, make_float4(sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]), kind);
    }
};

template <class Sharer, class Target> struct Share
{
    const Sharer& sharer;
    const Target& target;
    const float4* parts;
    int from, to;

    template <class Kind> __device__ __forceinline__ void operator()(const Kind& kind) const { sharer.put_together(parts, from, to, target, kind); }
};

// What a thread knows of its place among those who put a tile together.
struct Sharer
{
    const ManyArguments& a;
    int cluster;
    u32 rank;
    int thread;

    __device__ __forceinline__ u32* flag(int writer, int reader) const { return &isThere[writer][rank][thread / QUAD][reader]; }

    __device__ __forceinline__ void tell(int reader) const
    {
        asm volatile("st.release.gpu.global.u32 [%0], %1;" :: "l"(flag(cluster, reader)), "r"(1) : "memory");
    }

    __device__ __forceinline__ void wait(int writer, int reader) const
    {
        u32 value = 0;
        while (value == 0) asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(flag(writer, reader)) : "memory");
        *flag(writer, reader) = 0;
    }

    // The whole of what this thread has.
    __device__ __forceinline__ void give(const float (&sums)[TOKENS / 2]) const
    {
        float4* target = partial_of(a, cluster, rank, thread);
        #pragma unroll
        for (int i = 0; i < UNITS; i++)
            __stcg(target + i * 2 * QUAD, make_float4(sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]));
        __threadfence();
        wait_for_quad(thread / QUAD);
    }

    // All of another's numbers.
    __device__ __forceinline__ void take(float (&sums)[TOKENS / 2], int writer) const
    {
        const float4* source = partial_of(a, writer, rank, thread);
        #pragma unroll
        for (int first = 0; first < UNITS; first += 16)
        {
            float4 parts[16];
            #pragma unroll
            for (int i = 0; i < 16; i++) parts[i] = __ldcg(source + (first + i) * 2 * QUAD);
            #pragma unroll
            for (int i = 0; i < 16; i++)
            {
                sums[4 * (first + i)] += parts[i].x;
                sums[4 * (first + i) + 1] += parts[i].y;
                sums[4 * (first + i) + 2] += parts[i].z;
                sums[4 * (first + i) + 3] += parts[i].w;
            }
        }
    }

    // Each of a tile's clusters puts its share of the tokens together, four sums at a time. These are no longer in registers, so that one piece
    // of code serves them all: what is executed once has to come from memory.
    template <class Target> __device__ __forceinline__ void scatter(const float (&sums)[TOKENS / 2], const Target& target) const
    {
        int share = cluster % a.shares, other = thread % QUAD;
        bool isOther = other < a.shares && other != share;
        give(sums);
        if (isOther) tell(other);
        if (isOther) wait(cluster - share + other, share);
        wait_for_quad(thread / QUAD);
        const float4* parts = partial_of(a, cluster - share, rank, thread);
        int from = UNITS * share / a.shares, to = UNITS * (share + 1) / a.shares;
        target.with_kind(Share<Sharer, Target> { *this, target, parts, from, to });
    }

    // Units [from, to) of a tile, of which each cluster has a part, in the clusters' order.
    template <class Target, class Kind> __device__ __forceinline__ void put_together(
        const float4* parts, int from, int to, const Target& target, const Kind& kind) const
    {
        const int Ahead = 4, Others = 4;
        const i64 Stride = CLUSTER * UNITS * 2 * QUAD;
        #pragma unroll 1
        for (int first = from; first < to; first += Ahead)
        {
            float4 whole[Ahead] = {};
            #pragma unroll 1
            for (int base = 0; base < a.shares; base += Others)
            {
                float4 loaded[Others][Ahead] = {};
                #pragma unroll
                for (int j = 0; j < Others; j++)
                {
                    #pragma unroll
                    for (int i = 0; i < Ahead; i++)
                        if (base + j < a.shares && first + i < to) loaded[j][i] = __ldcg(parts + (base + j) * Stride + (first + i) * 2 * QUAD);
                }
                #pragma unroll
                for (int j = 0; j < Others; j++)
                {
                    #pragma unroll
                    for (int i = 0; i < Ahead; i++)
                    {
                        whole[i].x += loaded[j][i].x;
                        whole[i].y += loaded[j][i].y;
                        whole[i].z += loaded[j][i].z;
                        whole[i].w += loaded[j][i].w;
                    }
                }
            }
            #pragma unroll
            for (int i = 0; i < Ahead; i++)
                if (first + i < to) target.put(first + i, whole[i], kind);
        }
    }

    // Earlier clusters have the tile's beginning.
    __device__ __forceinline__ void gather(float (&sums)[TOKENS / 2], const Way& way, int clusters) const
    {
        for (int writer = cluster, begin = way.begin; begin > way.tile * way.steps;)
        {
            writer--;
            begin = way.first(a, writer, clusters);
            if (thread % QUAD == 0) wait(writer, 0);
            wait_for_quad(thread / QUAD);
            take(sums, writer);
        }
    }
};

static __device__ __forceinline__ float quick_silu(float x)
{
    float power, inverse;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x * -1.44269504f));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(1 + power));
    return x * inverse;
}

// What two sums of a token become, and how that is written.
struct WidePair
{
    __device__ __forceinline__ float2 of(float low, float high) const { return make_float2(low, high); }
    __device__ __forceinline__ void write(u8* at, float2 x) const { *(float2*)at = x; }
};

// Nobody else adds to these, so that the order of sums is always one.
struct AddedPair
{
    __device__ __forceinline__ float2 of(float low, float high) const { return make_float2(low, high); }
    __device__ __forceinline__ void write(u8* at, float2 x) const
    {
        asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};" :: "l"(at), "f"(x.x), "f"(x.y) : "memory");
    }
};

struct NarrowPair
{
    __device__ __forceinline__ u32 of(float low, float high) const { return pack_bfloats(low, high); }
    __device__ __forceinline__ void write(u8* at, u32 x) const { *(u32*)at = x; }
};

struct GatedWide
{
    bool isGateFirst;
    __device__ __forceinline__ float of(float one, float other) const { return quick_silu(isGateFirst ? one : other) * (isGateFirst ? other : one); }
    __device__ __forceinline__ void write(u8* at, float x) const { *(float*)at = x; }
};

struct GatedNarrow
{
    GatedWide wide;
    __device__ __forceinline__ u16 of(float one, float other) const { return (u16)pack_bfloats(wide.of(one, other), 0); }
    __device__ __forceinline__ void write(u8* at, u16 x) const { *(u16*)at = x; }
};

// What becomes of a thread's sums: number 4·j + 2·half + i is that of token 8·j + 2·(lane % 4) + i and of the output of this half.
struct Results
{
    const ManyArguments& a;
    const ManyPart& part;
    int n, first;  // output and token of the first sum
    float bias[2];
    u8* place;     // of the first sum
    i64 rowBytes;

    __device__ __forceinline__ Results(const ManyArguments& arguments, const Place& at, int warp, int lane) : a(arguments), part(arguments.parts[at.part])
    {
        bool isGated = a.mode == GATED;
        n = at.output + (isGated ? warp * 8 + lane / 4 : warp * 16 + lane / 4 * 2);
        first = at.token + lane % 4 * 2;
        #pragma unroll
        for (int half = 0; half < 2; half++) bias[half] = part.bias[half] && n < part.outputs ? part.bias[half][n + (isGated ? 0 : half)] : 0;
        int size = part.y.type == F32 ? 4 : 2;
        rowBytes = (i64)part.y.stride * size;
        place = (u8*)part.y.data + first * rowBytes + n * size;
    }

    // Calls `act` with the kind of results: found out once, not for each.
    template <class Act> __device__ __forceinline__ void with_kind(const Act& act) const
    {
        bool isWide = part.y.type == F32;
        GatedWide gated = { a.gateHalf == 0 };
        if (n >= part.outputs) return;
        if (a.mode == ADD) act(AddedPair());
        else if (a.mode == GATED && isWide) act(gated);
        else if (a.mode == GATED) act(GatedNarrow { gated });
        else if (isWide) act(WidePair());
        else act(NarrowPair());
    }

    // Four sums, numbers 4·unit to 4·unit + 3. Values are found also where no token is, without a branch for each.
    template <class Kind> __device__ __forceinline__ void put(int unit, float4 sums, const Kind& kind) const
    {
        u8* at = place + 8 * unit * rowBytes;
        auto even = kind.of(sums.x + bias[0], sums.z + bias[1]), odd = kind.of(sums.y + bias[0], sums.w + bias[1]);
        if (first + 8 * unit < a.rows) kind.write(at, even);
        if (first + 8 * unit + 1 < a.rows) kind.write(at + rowBytes, odd);
    }

    __device__ __forceinline__ void store(const float (&sums)[TOKENS / 2]) const { with_kind(Own<Results> { *this, sums }); }
};

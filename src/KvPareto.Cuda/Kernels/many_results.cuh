// From the sums of a tile's clusters to results (linear_many.cu).

// Whether a cluster's part of a tile is there, for each block, group of warps and reader; who has read it clears it.
__device__ u32 isThere[MOST_CLUSTERS][CLUSTER][2][MOST_SHARES];

static __device__ __forceinline__ void wait_for_quad(int quad) { asm volatile("bar.sync %0, %1;" :: "r"(1 + quad), "n"(QUAD) : "memory"); }

static __device__ __forceinline__ float4* partial_of(const ManyArguments& a, int cluster, u32 rank, int thread)
{
    return (float4*)a.partials + (i64)(cluster * CLUSTER + rank) * (TOKENS / 8 * 2 * QUAD) + thread;
}

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
        for (int i = 0; i < TOKENS / 8; i++)
            __stcg(target + i * 2 * QUAD, make_float4(sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]));
        __threadfence();
        wait_for_quad(thread / QUAD);
    }

    // All of another's numbers.
    __device__ __forceinline__ void take(float (&sums)[TOKENS / 2], int writer) const
    {
        const float4* source = partial_of(a, writer, rank, thread);
        #pragma unroll
        for (int first = 0; first < TOKENS / 8; first += 16)
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

    // Each of a tile's clusters puts its share of the tokens together, and hands on four numbers at a time. These are no longer in
    // registers, so that one piece of code serves them all: what is executed once has to come from memory.
    template <class Target> __device__ __forceinline__ void scatter(const float (&sums)[TOKENS / 2], const Target& target) const
    {
        const int Ahead = 4, Others = 4;
        const i64 Stride = CLUSTER * (TOKENS / 8) * 2 * QUAD;
        int share = cluster % a.shares, other = thread % QUAD;
        bool isOther = other < a.shares && other != share;
        give(sums);
        if (isOther) tell(other);
        if (isOther) wait(cluster - share + other, share);
        wait_for_quad(thread / QUAD);
        const float4* source = partial_of(a, cluster - share, rank, thread);
        int to = TOKENS / 8 * (share + 1) / a.shares;
        #pragma unroll 1
        for (int first = TOKENS / 8 * share / a.shares; first < to; first += Ahead)
        {
            float4 whole[Ahead] = {};
            #pragma unroll 1
            for (int base = 0; base < a.shares; base += Others)
            {
                float4 parts[Others][Ahead];
                #pragma unroll
                for (int j = 0; j < Others; j++)
                {
                    #pragma unroll
                    for (int i = 0; i < Ahead; i++)
                        parts[j][i] = __ldcg(source + min(base + j, a.shares - 1) * Stride + min(first + i, to - 1) * 2 * QUAD);
                }
                #pragma unroll
                for (int j = 0; j < Others; j++)
                {
                    if (base + j >= a.shares) break;
                    #pragma unroll
                    for (int i = 0; i < Ahead; i++)
                    {
                        whole[i].x += parts[j][i].x;
                        whole[i].y += parts[j][i].y;
                        whole[i].z += parts[j][i].z;
                        whole[i].w += parts[j][i].w;
                    }
                }
            }
            #pragma unroll
            for (int i = 0; i < Ahead; i++)
                if (first + i < to) target.store(first + i, whole[i]);
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

// What becomes of a thread's sums: number 4·j + 2·half + i is that of token 8·j + 2·(lane % 4) + i and of the output of this half.
struct Results
{
    const ManyArguments& a;
    const ManyPart& part;
    int n, first;  // output and token of the first sum
    float bias[2];
    u8* place;     // of the first sum
    i64 rowBytes;

    __device__ __forceinline__ Results(
        const ManyArguments& arguments, const Place& at, int warp, int lane) : a(arguments), part(arguments.parts[at.part])
    {
        bool isGated = a.mode == GATED;
        n = at.output + (isGated ? warp * 8 + lane / 4 : warp * 16 + lane / 4 * 2);
        first = at.token + lane % 4 * 2;
        #pragma unroll
        for (int half = 0; half < 2; half++)
            bias[half] = part.bias[half] && n < part.outputs ? part.bias[half][n + (isGated ? 0 : half)] : 0;
        int size = part.y.type == F32 ? 4 : 2;
        rowBytes = (i64)part.y.stride * size;
        place = (u8*)part.y.data + first * rowBytes + n * size;
    }

    __device__ __forceinline__ float gated(float one, float other) const
    {
        return quick_silu(a.gateHalf == 0 ? one : other) * (a.gateHalf == 0 ? other : one);
    }

    // Nobody else adds to these, so that the order of sums is always one.
    static __device__ __forceinline__ void add(u8* place, float low, float high)
    {
        asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};" :: "l"(place), "f"(low), "f"(high) : "memory");
    }

    // What `value` of two sums of a token gives, where they belong. Values are found also where no token is, without a branch for each.
    template <class Value, class Of> __device__ __forceinline__ void put(const float (&sums)[TOKENS / 2], Of value) const
    {
        if (n >= part.outputs) return;
        #pragma unroll
        for (int j = 0; j < TOKENS / 8; j++)
        {
            #pragma unroll
            for (int i = 0; i < 2; i++)
            {
                Value result = value(sums[4 * j + i] + bias[0], sums[4 * j + 2 + i] + bias[1]);
                if (first + 8 * j + i < a.rows) *(Value*)(place + (8 * j + i) * rowBytes) = result;
            }
        }
    }

    __device__ __forceinline__ void store(const float (&sums)[TOKENS / 2]) const
    {
        bool isWide = part.y.type == F32, isGateFirst = a.gateHalf == 0;
        auto gated = [=](float one, float other) { return quick_silu(isGateFirst ? one : other) * (isGateFirst ? other : one); };
        if (a.mode == ADD) add(sums);
        else if (a.mode == GATED && isWide) put<float>(sums, gated);
        else if (a.mode == GATED) put<u16>(sums, [=](float one, float other) { return (u16)pack_bfloats(gated(one, other), 0); });
        else if (isWide) put<float2>(sums, [](float low, float high) { return make_float2(low, high); });
        else put<u32>(sums, [](float low, float high) { return pack_bfloats(low, high); });
    }

    __device__ __forceinline__ void add(const float (&sums)[TOKENS / 2]) const
    {
        if (n >= part.outputs) return;
        #pragma unroll
        for (int j = 0; j < TOKENS / 8; j++)
        {
            #pragma unroll
            for (int i = 0; i < 2; i++)
                if (first + 8 * j + i < a.rows)
                    add(place + (8 * j + i) * rowBytes, sums[4 * j + i] + bias[0], sums[4 * j + 2 + i] + bias[1]);
        }
    }

    // The same of four sums, numbers 4·j to 4·j + 3.
    __device__ __forceinline__ void store(int j, float4 sums) const
    {
        if (n >= part.outputs) return;
        bool isWide = part.y.type == F32;
        #pragma unroll
        for (int i = 0; i < 2; i++)
        {
            u8* at = place + (8 * j + i) * rowBytes;
            float low = (i == 0 ? sums.x : sums.y) + bias[0], high = (i == 0 ? sums.z : sums.w) + bias[1];
            if (first + 8 * j + i >= a.rows) return;
            if (a.mode == ADD) add(at, low, high);
            else if (a.mode == GATED && isWide) *(float*)at = gated(low, high);
            else if (a.mode == GATED) *(u16*)at = (u16)pack_bfloats(gated(low, high), 0);
            else if (isWide) *(float2*)at = make_float2(low, high);
            else *(u32*)at = pack_bfloats(low, high);
        }
    }
};

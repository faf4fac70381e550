// From the sums of a tile's clusters to results (linear_many.cu).

// Whether a cluster's part of a tile is there, for each block, group of warps and reader; who has read it clears it.
__device__ u32 isThere[MOST_CLUSTERS][CLUSTER][2][MOST_SHARES];

#define KEEP_BARRIER 4
#define KEPT_BYTES (UNITS / 2 * 2 * QUAD * 16)
#define SQUARES_STRIDE (NORMED_ROWS / 2 * 4) // bytes of a warp's sums of squares

static __device__ __forceinline__ void wait_for_quad(int quad) { asm volatile("bar.sync %0, %1;" :: "r"(1 + quad), "n"(QUAD) : "memory"); }

static __device__ __forceinline__ float4* partial_of(const ManyArguments& a, int cluster, u32 rank, int thread)
{
    return (float4*)a.partials + (i64)(cluster * CLUSTER + rank) * (UNITS * 2 * QUAD) + thread;
}

// What is done for one kind of results: units of a thread's own sums, or of those of a tile's clusters.
template <class Target> struct Own
{
    const Target& target;
    float (&sums)[TOKENS / 2];

    template <class Kind> __device__ __forceinline__ void operator()(const Kind& kind) const
    {
        // Some at a time by one piece of code, and the rest moves up: what is executed once has to come from memory.
        const int Round = 8;
        #pragma unroll 1
        for (int first = 0; first < UNITS; first += Round)
        {
            #pragma unroll
            for (int i = 0; i < Round; i++)
                target.put(
                    first + i, make_float4(sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]), typename Kind::Before(), kind);
            #pragma unroll
            for (int i = 0; i < TOKENS / 2 - 4 * Round; i++) sums[i] = sums[i + 4 * Round];
        }
    }
};

template <class Sharer, class Target> struct Share
{
    const Sharer& sharer;
    const Target& target;
    const float4* parts;
    int from, to, share;

    template <class Kind> __device__ __forceinline__ void operator()(const Kind& kind) const
    {
        sharer.put_together(parts, from, to, share, target, kind);
    }
};

// What a thread knows of its place among those who put a tile together.
struct Sharer
{
    const ManyArguments& a;
    int cluster;
    u32 rank;
    int thread;
    u32 memory; // shared, free once both groups of warps have multiplied a tile's share

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

    __device__ __forceinline__ u32 kept(int unit) const { return memory + (unit * 2 * QUAD + thread) * 16; }

    // What this thread has, for others; units [from, to) it keeps, in shared memory.
    __device__ __forceinline__ void give(const float (&sums)[TOKENS / 2], int from, int to) const
    {
        float4* target = partial_of(a, cluster, rank, thread);
        u32 own = kept(-from);
        #pragma unroll
        for (int i = 0; i < UNITS; i++)
            asm volatile("{\n.reg .pred p;\nsetp.lt.u32 p, %0, %1;\n@p st.shared.v4.f32 [%2], {%4, %5, %6, %7};\n"
                "@!p st.global.cg.v4.f32 [%3], {%4, %5, %6, %7};\n}"
                :: "r"(i - from), "r"(to - from), "r"(own + i * (2 * QUAD * 16)), "l"(target + i * 2 * QUAD), "f"(sums[4 * i]),
                "f"(sums[4 * i + 1]), "f"(sums[4 * i + 2]), "f"(sums[4 * i + 3]) : "memory");
        wait_for_quad(thread / QUAD); // who tells of it then releases what all have written
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

    // Each of a tile's clusters puts its share of the tokens together, four sums at a time. These are no longer in registers, so that one
    // piece of code serves them all: what is executed once has to come from memory.
    template <class Target> __device__ __forceinline__ void scatter(
        const float (&sums)[TOKENS / 2], int tile, const Target& target) const
    {
        int share = cluster - tile * a.shares, other = thread % QUAD;
        int from = quotient(UNITS * share, a.shares), to = quotient(UNITS * (share + 1), a.shares);
        bool isOther = other < a.shares && other != share;
        asm volatile("bar.sync %0, %1;" :: "n"(KEEP_BARRIER), "n"(2 * QUAD) : "memory");
        give(sums, from, to);
        if (isOther) tell(other);
        if (isOther) wait(cluster - share + other, share);
        wait_for_quad(thread / QUAD);
        const float4* parts = partial_of(a, cluster - share, rank, thread);
        Share<Sharer, Target> act = { *this, target, parts, from, to, share };
        if (a.gain != nullptr) target.with_norm(act, memory + KEPT_BYTES + thread / QUAD * (4 * SQUARES_STRIDE), thread);
        else target.with_kind(act);
    }

    // Units [from, to) of a tile, of which each cluster has a part, in the clusters' order.
    template <class Target, class Kind> __device__ __forceinline__ void put_together(
        const float4* parts, int from, int to, int share, const Target& target, const Kind& kind) const
    {
        const int Ahead = 2, Others = 4;
        const i64 Stride = CLUSTER * UNITS * 2 * QUAD;
        #pragma unroll 1
        for (int first = from; first < to; first += Ahead)
        {
            float4 whole[Ahead] = {};
            typename Kind::Before before[Ahead];
            #pragma unroll
            for (int i = 0; i < Ahead; i++)
                if (first + i < to) target.ask(first + i, before[i], kind);
            #pragma unroll 1
            for (int base = 0; base < a.shares; base += Others)
            {
                float4 loaded[Others][Ahead] = {};
                #pragma unroll
                for (int j = 0; j < Others; j++)
                {
                    #pragma unroll
                    for (int i = 0; i < Ahead; i++)
                    {
                        if (base + j == share && first + i < to) loaded[j][i] = load_shared_fours(kept(first + i - from));
                        else if (base + j < a.shares && first + i < to)
                            loaded[j][i] = __ldcg(parts + (base + j) * Stride + (first + i) * 2 * QUAD);
                    }
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
                if (first + i < to) target.put(first + i, whole[i], before[i], kind);
        }
    }

    // Earlier clusters have the tile's beginning.
    __device__ __forceinline__ void gather(float (&sums)[TOKENS / 2], const Way& way) const
    {
        bool isWhole = way.from == 0;
        for (int writer = cluster - 1; !isWhole; writer--)
        {
            Begin begin = a.begins[writer];
            if (thread % QUAD == 0) wait(writer, 0);
            wait_for_quad(thread / QUAD);
            take(sums, writer);
            isWhole = begin.tile < way.tile || begin.step == 0;
        }
    }
};

// What becomes of a thread's sums: number 4·j + 2·half + i is that of token 8·j + 2·(lane % 4) + i and of the output of this half.
struct Results
{
    const ManyArguments& a;
    const ManyPart& part;
    int n, first;  // output and token of the first sum
    int token;     // the tile's first
    float bias[2];
    u32 factors;   // shared: of the first sum's token and those after it
    u8* place;     // of the first sum
    i64 rowBytes;

    __device__ __forceinline__ Results(
        const ManyArguments& arguments, const Place& at, u32 allFactors, int warp, int lane)
        : a(arguments), part(arguments.parts[at.part]), token(at.token)
    {
        bool isGated = a.mode == GATED;
        n = at.output + (isGated ? warp * 8 + lane / 4 : warp * 16 + lane / 4 * 2);
        first = at.token + lane % 4 * 2;
        factors = allFactors + first % NORMED_ROWS * 4;
        #pragma unroll
        for (int half = 0; half < 2; half++)
            bias[half] = part.bias[half] && n < part.outputs ? part.bias[half][n + (isGated ? 0 : half)] : 0;
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

    __device__ __forceinline__ float2 biased(float low, float high, float factor) const
    {
        return make_float2(fmaf(low, factor, bias[0]), fmaf(high, factor, bias[1]));
    }

    // Asks for what has to be known before four sums are put.
    template <class Kind> __device__ __forceinline__ void ask(int, Nothing&, const Kind&) const { }

    __device__ __forceinline__ void ask(int unit, NormedPair::Before& before, const NormedPair&) const
    {
        const u8* at = place + 8 * unit * rowBytes;
        before.even = first + 8 * unit < a.rows ? *(const float2*)at : make_float2(0, 0);
        before.odd = first + 8 * unit + 1 < a.rows ? *(const float2*)(at + rowBytes) : make_float2(0, 0);
    }

    // The same where a norm comes next. Outputs are whole groups of warps.
    template <class Act> __device__ __forceinline__ void with_norm(const Act& act, u32 squares, int thread) const
    {
        if (n >= part.outputs) return;
        NormedPair kind;
        kind.rowBytes = (i64)a.normed.stride * sizeof(u16);
        kind.place = (u8*)a.normed.data + first * kind.rowBytes + n * sizeof(u16);
        float2 gains = __ldg((const float2*)(a.gain + n));
        kind.gains[0] = gains.x;
        kind.gains[1] = gains.y;
        kind.squares = squares + thread % QUAD / 32 * SQUARES_STRIDE;
        kind.from = act.from;
        act(kind);
        wait_for_quad(thread / QUAD);
        int i = thread % QUAD; // there are no more tokens of a share
        if (i >= 8 * (act.to - act.from)) return;
        float sum = 0;
        #pragma unroll
        for (int warp = 0; warp < 4; warp++) sum += load_shared_number(squares + warp * SQUARES_STRIDE + i * 4);
        a.squares[n / SQUARED * NORMED_ROWS + token + 8 * act.from + i] = sum;
    }

    // Four sums, numbers 4·unit to 4·unit + 3. Values are found also where no token is, without a branch for each.
    template <class Kind> __device__ __forceinline__ void put(int unit, float4 sums, Nothing, const Kind& kind) const
    {
        u8* at = place + 8 * unit * rowBytes;
        float2 factor = load_shared_pair(factors + 32 * unit), low = biased(sums.x, sums.z, factor.x),
            high = biased(sums.y, sums.w, factor.y);
        auto even = kind.of(low.x, low.y), odd = kind.of(high.x, high.y);
        if (first + 8 * unit < a.rows) kind.write(at, even);
        if (first + 8 * unit + 1 < a.rows) kind.write(at + rowBytes, odd);
    }

    __device__ __forceinline__ void put(int unit, float4 sums, const NormedPair::Before& before, const NormedPair& kind) const
    {
        kind.put(place + 8 * unit * rowBytes, rowBytes, unit, a.rows - first - 8 * unit, biased(sums.x, sums.z, 1),
            biased(sums.y, sums.w, 1), before);
    }

    __device__ __forceinline__ void store(float (&sums)[TOKENS / 2]) const { with_kind(Own<Results> { *this, sums }); }
};

// Kinds of results (linear_many.cu): what sums become, and how that is written.

static __device__ __forceinline__ float quick_silu(float x)
{
    float power, inverse;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x * -1.44269504f));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(1 + power));
    return x * inverse;
}

// Nothing has to be known before.
struct Nothing { };

// What two sums of a token become, and how that is written.
struct WidePair
{
    typedef Nothing Before;
    __device__ __forceinline__ float2 of(float low, float high) const { return make_float2(low, high); }
    __device__ __forceinline__ void write(u8* at, float2 x) const { *(float2*)at = x; }
};

// Nobody else adds to these, so that the order of sums is always one.
struct AddedPair
{
    typedef Nothing Before;
    __device__ __forceinline__ float2 of(float low, float high) const { return make_float2(low, high); }
    __device__ __forceinline__ void write(u8* at, float2 x) const
    {
        asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};" :: "l"(at), "f"(x.x), "f"(x.y) : "memory");
    }
};

struct NarrowPair
{
    typedef Nothing Before;
    __device__ __forceinline__ u32 of(float low, float high) const { return pack_bfloats(low, high); }
    __device__ __forceinline__ void write(u8* at, u32 x) const { *(u32*)at = x; }
};

struct GatedWide
{
    typedef Nothing Before;
    bool isGateFirst;
    __device__ __forceinline__ float of(float one, float other) const
    {
        return quick_silu(isGateFirst ? one : other) * (isGateFirst ? other : one);
    }
    __device__ __forceinline__ void write(u8* at, float x) const { *(float*)at = x; }
};

struct GatedNarrow
{
    typedef Nothing Before;
    GatedWide wide;
    __device__ __forceinline__ u16 of(float one, float other) const { return (u16)pack_bfloats(wide.of(one, other), 0); }
    __device__ __forceinline__ void write(u8* at, u16 x) const { *(u16*)at = x; }
};

// Sums that are added to what is there, which a norm comes after: its gains are applied already, and squares of a warp's outputs added up.
struct NormedPair
{
    struct Before { float2 even, odd; };

    u8* place;   // of the first token times the gains
    i64 rowBytes;
    float gains[2];
    u32 squares; // shared: [tokens from `from` on]
    int from;

    // Four sums of the two tokens after `unit`, of which `count` are there.
    __device__ __forceinline__ void put(u8* at, i64 atRowBytes, int unit, int count, float2 even, float2 odd, const Before& before) const
    {
        even = make_float2(even.x + before.even.x, even.y + before.even.y);
        odd = make_float2(odd.x + before.odd.x, odd.y + before.odd.y);
        u8* next = place + 8 * unit * rowBytes;
        if (count > 0)
        {
            *(float2*)at = even;
            *(u32*)next = pack_bfloats(even.x * gains[0], even.y * gains[1]);
        }
        if (count > 1)
        {
            *(float2*)(at + atRowBytes) = odd;
            *(u32*)(next + rowBytes) = pack_bfloats(odd.x * gains[0], odd.y * gains[1]);
        }
        float2 square = make_float2(even.x * even.x + even.y * even.y, odd.x * odd.x + odd.y * odd.y);
        #pragma unroll
        for (int step = 4; step < 32; step <<= 1)
        {
            square.x += __shfl_xor_sync(0xffffffff, square.x, step);
            square.y += __shfl_xor_sync(0xffffffff, square.y, step);
        }
        int lane = threadIdx.x % 32;
        if (lane < 4) store_shared(squares + (8 * (unit - from) + 2 * lane) * 4, square);
    }
};

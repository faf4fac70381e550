// Codes in the registers that tensor cores read, as they come from memory. A code is used as the bits of a subnormal f16, code·2^-24, which
// needs one mask and no addition. D is the head width.

const float CodeScale = 16777216; // 2^24: a subnormal's unit
const float WeightScale = 128;    // weights are up to 2^Slack, and f16 has room for this on top
const float Slack = 8;            // how far, in powers of two, a score may lie above the maximum in use

// The 32-bit words of a code's pairs: pair j has code j in its low half and code j + 16 / BITS in its high half, both times 2^shift.
template <int BITS> static __device__ __forceinline__ u32 pair_of(u32 word, int j)
{
    if (BITS == 16) return word;
    u32 mask = ((1u << BITS) - 1) << j * BITS % 8;
    return (j * BITS >= 8 ? word >> 8 : word) & mask * 0x10001;
}

// That shift.
template <int BITS> static __device__ __forceinline__ constexpr int pair_shift(int j) { return BITS == 16 ? 0 : j * BITS % 8; }

template <int BITS> static __device__ __forceinline__ constexpr float pair_factor(int j) { return 1.0f / (1 << pair_shift<BITS>(j)); }

// A lane's piece of a token's group: BYTES in chunks of up to 16, between those of its LANES neighbours.
template <int BITS, int GROUP, int LANES> struct Piece
{
    static const int Groups = D / GROUP;
    static const int Codes = GROUP / LANES; // channels
    static const int Bytes = Codes * BITS / 8;
    static const int Chunk = Bytes < 16 ? Bytes : 16;
    static const int ChunkCodes = Chunk * 8 / BITS;
    static const int Words = Bytes < 4 ? 1 : Bytes / 4;

    // The channel of code i.
    static __device__ __forceinline__ int channel(int group, int lane, int i)
    {
        return group * GROUP + (i / ChunkCodes * LANES + lane) * ChunkCodes + i % ChunkCodes;
    }

    // From the lane's first chunk on.
    static __device__ __forceinline__ void load(u32 (&words)[Groups][Words], const u8* first)
    {
        #pragma unroll
        for (int g = 0; g < Groups; g++)
        {
            #pragma unroll
            for (int i = 0; i < Bytes / Chunk; i++)
            {
                const u8* source = first + g * (GROUP * BITS / 8) + i * LANES * Chunk;
                if constexpr (Chunk == 16)
                {
                    uint4 x = LOAD_CACHE((const uint4*)source);
                    words[g][4 * i] = x.x;
                    words[g][4 * i + 1] = x.y;
                    words[g][4 * i + 2] = x.z;
                    words[g][4 * i + 3] = x.w;
                }
                else if constexpr (Chunk == 8)
                {
                    uint2 x = LOAD_CACHE((const uint2*)source);
                    words[g][2 * i] = x.x;
                    words[g][2 * i + 1] = x.y;
                }
                else words[g][i] = Chunk == 4 ? LOAD_CACHE((const u32*)source) : Chunk == 2 ? LOAD_CACHE((const u16*)source)
                    : LOAD_CACHE(source);
            }
        }
    }

    static __device__ __forceinline__ void load_entries(u32* entries, const u32* source)
    {
        if constexpr (Groups == 1) entries[0] = LOAD_CACHE(source);
        else
        {
            #pragma unroll
            for (int g = 0; g < Groups; g += 2)
            {
                uint2 x = LOAD_CACHE((const uint2*)(source + g));
                entries[g] = x.x;
                entries[g + 1] = x.y;
            }
        }
    }
};

// What turns codes into values: (code − zero)·step.
struct Scale
{
    float step;
    float zero;
};

// Scales of N entries; whether one of them is of a constant group is asked once for all.
template <int N> static __device__ __forceinline__ void scales_of(Scale (&scales)[N], const u32 (&entries)[N], int bits)
{
    const u32 Base = 0x4b000000; // 2^23 in f32, whose last bits count ones
    u32 marks = 0;
    float least = (float)(1 << (bits - 1));
    #pragma unroll
    for (int i = 0; i < N; i++)
    {
        marks |= entries[i];
        scales[i].step = half_to_float((u16)entries[i]);
        scales[i].zero = __int_as_float((int)(__byte_perm(entries[i], Base, 0x7632) ^ 0x8000)) - (8388608 + 32768 - least);
    }
    if (!__any_sync(0xffffffff, marks & 0x8000)) return;
    #pragma unroll
    for (int i = 0; i < N; i++)
    {
        if (!(entries[i] & 0x8000)) continue;
        scales[i].step = __int_as_float((int)((entries[i] & 0x7fff) << 16 | entries[i] >> 16));
        scales[i].zero = least;
    }
}

// An 8×8 matrix of pairs, transposed across the warp.
static __device__ __forceinline__ u32 transpose(u32 x)
{
    u32 y;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(y) : "r"(x));
    return y;
}

// Over the lanes that hold the same columns.
static __device__ __forceinline__ float column_sum(float x)
{
    #pragma unroll
    for (int step = 4; step < 32; step <<= 1) x += __shfl_xor_sync(0xffffffff, x, step);
    return x;
}

static __device__ __forceinline__ float column_max(float x)
{
    #pragma unroll
    for (int step = 4; step < 32; step <<= 1) x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, step));
    return x;
}

// A power of two above x ≥ 0.
static __device__ __forceinline__ float power_above(float x) { return __int_as_float(((__float_as_int(x) >> 23) + 1) << 23); }

// Of two powers of two, 0 where that is too small.
static __device__ __forceinline__ float ratio_of_powers(float x, float y)
{
    return __int_as_float(max((int)((127u << 23) + __float_as_int(x) - __float_as_int(y)), 0));
}

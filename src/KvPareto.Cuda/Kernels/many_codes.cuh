// Codes of a stage as the first operand of products (linear_many.cu).

// What turns codes of a row into weights.
struct Affine
{
    float scales[2]; // of a pair's first and second code as `pair_of` has them
    float offsets[2];

    __device__ __forceinline__ void set(u32 entry)
    {
        float scale, offset;
        read_group(entry, scale, offset);
        if (BITS == 4)
        {
            scales[0] = 256 * scale;
            offsets[0] = fmaf(-264, scale, offset);
            scales[1] = 16 * scale;
            offsets[1] = fmaf(-24, scale, offset);
        }
        else
        {
            scales[0] = scales[1] = scale;
            offsets[0] = offsets[1] = offset;
        }
    }
};

// Of eight codes a lane takes the pair of its number: as bf16. Of four bits, codes are the last bits of 1 + code/256 and 1 + code/16.
static __device__ __forceinline__ u32 pair_of(u32 codes, int turn, const Affine& d)
{
    u32 turned = __funnelshift_l(codes, codes, turn);
    float low = __uint_as_float(and_or(turned, 0x00078000, 0x3f800000)), high = __uint_as_float(and_or(turned, 0x00780000, 0x3f800000));
    return pack_bfloats(fmaf(low, d.scales[0], d.offsets[0]), fmaf(high, d.scales[1], d.offsets[1]));
}

static __device__ __forceinline__ u32 pair_of(u32 first, u32 second, int places, const Affine& d)
{
    u32 pair = __byte_perm(first, second, places); // 2^23 + code, less 2^23 + 128
    float low = __uint_as_float(__byte_perm(pair, 0x4b000000, 0x7440)) - 8388736.0f,
        high = __uint_as_float(__byte_perm(pair, 0x4b000000, 0x7441)) - 8388736.0f;
    return pack_bfloats(fmaf(low, d.scales[0], d.offsets[0]), fmaf(high, d.scales[1], d.offsets[1]));
}

static __device__ __forceinline__ uint4 load_four(u32 address)
{
    uint4 v;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(address) : "memory");
    return v;
}

static __device__ __forceinline__ u32 load_one(u32 address)
{
    u32 v;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(v) : "r"(address) : "memory");
    return v;
}

// Where a lane finds its two rows of a stage, and which codes of eight are its own.
struct LanePlace
{
    u32 codes;   // from the stage's weights on
    u32 entries[2];
    int pair;

    __device__ __forceinline__ LanePlace(bool isGated, int warp, int lane)
    {
        codes = (warp * 16 + lane / 4) * (INNER * BITS / 8);
        #pragma unroll
        for (int half = 0; half < 2; half++)
            entries[half] = WEIGHT_BYTES + 4 * (isGated ? half * (ROWS / 2) + warp * 8 + lane / 4 : warp * 16 + lane / 4 * 2 + half);
        pair = BITS == 4 ? (15 - 8 * (lane % 4)) & 31 : (lane % 4 * 2) | (lane % 4 * 2 + 1) << 4;
    }
};

// A lane's codes of both rows, of 16 columns at 8 bits, of 32 at 4.
struct RawCodes
{
    uint4 upper;
    uint4 lower;

    __device__ __forceinline__ void load(u32 stage, int number, const LanePlace& p)
    {
        u32 place = stage + p.codes + number * 16;
        upper = load_four(place);
        lower = load_four(place + 8 * (INNER * BITS / 8));
    }

    // 16 columns as the first operand of a product: of 32 the first or second half.
    __device__ __forceinline__ void unpack(u32 (&w)[4], int half, const LanePlace& p, const Affine (&d)[2]) const
    {
        if (BITS == 4)
        {
            w[0] = pair_of(half == 0 ? upper.x : upper.z, p.pair, d[0]);
            w[1] = pair_of(half == 0 ? lower.x : lower.z, p.pair, d[1]);
            w[2] = pair_of(half == 0 ? upper.y : upper.w, p.pair, d[0]);
            w[3] = pair_of(half == 0 ? lower.y : lower.w, p.pair, d[1]);
        }
        else
        {
            w[0] = pair_of(upper.x, upper.y, p.pair, d[0]);
            w[1] = pair_of(lower.x, lower.y, p.pair, d[1]);
            w[2] = pair_of(upper.z, upper.w, p.pair, d[0]);
            w[3] = pair_of(lower.z, lower.w, p.pair, d[1]);
        }
    }
};

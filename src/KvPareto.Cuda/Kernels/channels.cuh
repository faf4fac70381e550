// Keys that have a scale for each channel (keys.cuh): a warp's scales of one token block, which queries are multiplied with, and its zero
// points, whose part of the scores the tensor cores add up.

// As products read them, in shared memory: words of two channels, those of each lane of a token side by side.
struct __align__(16) ChannelScales
{
    // Lanes read from different banks.
    static const int StepStride = D / 8 + 4;
    static const int ZeroStride = D / 4 + 4;

    u32 steps[4 * StepStride];
    u32 zeros[4 * ZeroStride]; // zero points' upper and lower bytes by turns, as far up as their codes
};

template <int KB> struct WarpScales
{
    typedef Piece<KB, D, 4> KeyPiece;
    static const int Pairs = KeyPiece::Codes / 2; // of a lane of a token
    static const int WordPairs = Pairs / KeyPiece::Words;
    static const int OwnPairs = D / 64; // that a lane prepares for the warp

    ChannelScales* shared; // the warp's
    int lane;
    int lowered; // by how many powers of two, so that products stay in f16's range

    u32 entries[2][OwnPairs]; // of pairs' first and second channels
    u32 steps[OwnPairs], zeros[OwnPairs];

    // The first of the lane's own pairs: its number among those of a token's lane.
    __device__ __forceinline__ int own_pair() const { return lane % 8 * OwnPairs; }

    // Asks for a token block's entries.
    __device__ __forceinline__ void fetch(const u32* block)
    {
        int n = own_pair();
        const u32* first = block + KeyPiece::channel(0, lane / 8, n / WordPairs * 2 * WordPairs + n % WordPairs);
        #pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const u32* source = first + half * WordPairs;
            if constexpr (OwnPairs == 2)
            {
                uint2 x = LOAD_CACHE((const uint2*)source);
                entries[half][0] = x.x;
                entries[half][1] = x.y;
            }
            else entries[half][0] = LOAD_CACHE(source);
        }
    }

    // What the entries say; others may be asked for then.
    __device__ __forceinline__ void take()
    {
        u32 marks = 0;
        #pragma unroll
        for (int i = 0; i < OwnPairs; i++)
        {
            u32 low = entries[0][i], high = entries[1][i];
            marks |= low | high;
            steps[i] = __byte_perm(low, high, 0x5410);
            zeros[i] = __byte_perm(low, high, 0x7632);
        }
        if (!__any_sync(0xffffffff, marks & 0x8000)) return;
        // Constant channels.
        #pragma unroll
        for (int i = 0; i < OwnPairs; i++)
        {
            u32 pair[2] = { entries[0][i], entries[1][i] };
            Scale scales[2];
            scales_of(scales, pair, KB);
            for (Scale& scale : scales) scale.step = scale.step > 65504 ? 65504 : scale.step; // a NaN stays one
            steps[i] = pack_halves(scales[0].step, scales[1].step);
            zeros[i] &= (pair[0] & 0x8000 ? 0 : 0xffff) | (pair[1] & 0x8000 ? 0 : 0xffff0000);
        }
    }

    // Puts that where the warp reads it.
    __device__ __forceinline__ void put()
    {
        const u32 Thousand = 0x64006400; // 1,024 in f16, whose last bits count ones
        const u32 Least = 1 << (KB - 1);
        u32 most = 0, bytes[2 * OwnPairs];
        #pragma unroll
        for (int i = 0; i < OwnPairs; i++) most = max(most, max(steps[i] & 0xffff, steps[i] >> 16));
        lowered = max((int)(__reduce_max_sync(0xffffffff, most) >> 10) - 16, 0);
        __syncwarp(); // those before are read
        u32 down = both_halves((15 - lowered) << 10);
        #pragma unroll
        for (int i = 0; i < OwnPairs; i++)
        {
            u32 up = both_halves((15 + pair_shift<KB>((own_pair() + i) % WordPairs)) << 10);
            u32 upper = (zeros[i] >> 8 & 0xff00ff ^ 0x800080) | Thousand, lower = (zeros[i] & 0xff00ff) | Thousand;
            steps[i] = scale_halves(steps[i], down);
            bytes[2 * i] = scale_halves(subtract_halves(upper, Thousand + 0x800080), up);
            bytes[2 * i + 1] = scale_halves(subtract_halves(lower, Thousand - 2 * Least * 0x10001), up);
        }
        u32* step = shared->steps + lane / 8 * ChannelScales::StepStride + own_pair();
        u32* zero = shared->zeros + lane / 8 * ChannelScales::ZeroStride + 2 * own_pair();
        if constexpr (OwnPairs == 2)
        {
            *(uint2*)step = make_uint2(steps[0], steps[1]);
            *(uint4*)zero = make_uint4(bytes[0], bytes[1], bytes[2], bytes[3]);
        }
        else
        {
            *step = steps[0];
            *(uint2*)zero = make_uint2(bytes[0], bytes[1]);
        }
        __syncwarp();
    }

    // Packed queries below 2^13 times the scales, and what that makes of the zero points, of the lane's columns; both by 2^−lowered.
    __device__ __forceinline__ void multiply(u32 (&query)[D / 8], float (&sums)[2])
    {
        const uint4* stepWords = (const uint4*)(shared->steps + lane % 4 * ChannelScales::StepStride);
        const uint4* zeroWords = (const uint4*)(shared->zeros + lane % 4 * ChannelScales::ZeroStride);
        float parts[4] = { 0, 0, 0, 0 };
        #pragma unroll
        for (int n = 0; n < Pairs; n += 2)
        {
            uint4 step = stepWords[n / 4], zero = zeroWords[n / 2];
            query[n] = scale_halves(query[n], n % 4 == 0 ? step.x : step.z);
            query[n + 1] = scale_halves(query[n + 1], n % 4 == 0 ? step.y : step.w);
            u32 bytes[4] = { zero.x, zero.y, zero.z, zero.w };
            multiply_halves(parts, bytes, query[n], query[n + 1]);
        }
        sums[0] = parts[0] * 256 + parts[2];
        sums[1] = parts[1] * 256 + parts[3];
    }
};

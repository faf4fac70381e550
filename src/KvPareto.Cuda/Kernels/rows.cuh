// A warp's rows in shared memory, where one new token of a sequence attends (decode.cu): f16 numbers of a unit's tokens that are not read
// as codes, because they are none, or lie among such.

// The tokens that a block treats, counted from 0: coded ones side by side, or those around them that may be at 16 bits.
struct Span
{
    int count;
    int from;  // token of number 0
    int gapAt; // number at which the coded tokens are left out, and how many they are
    int gap;
    int end;   // of the sequence
    __device__ __forceinline__ int token(int i) const { return from + i + (i >= gapAt ? gap : 0); }
};

// The product's row r of a unit is this token of it: then a lane's rows of keys and its inner tokens of values fit together.
static __device__ __forceinline__ int token_of_row(int r) { return r / 8 * 8 + r % 2 * 4 + r % 8 / 2; }

// [UNIT, D].
struct WarpRows
{
    u16* base;

    // Of a token's eight channels; neighbours among tokens fall on different banks.
    __device__ __forceinline__ uint4* at(int t, int piece) const { return (uint4*)(base + (t * (D / 8) + (piece ^ t % 8)) * 8); }

    // Half a row of 16-bit numbers on its way, as two lanes do for each token of a unit.
    __device__ __forceinline__ void copy_half(const u16* row, int lane) const
    {
        #pragma unroll
        for (int j = 0; j < D / 16; j++) copy_async((u16*)at(lane / 2, lane % 2 * (D / 16) + j), row + lane % 2 * (D / 2) + 8 * j);
    }

    // Rows of the ring from `from` on, up to a unit.
    __device__ __forceinline__ void copy_kept(const Side& s, int head, const Span& span, int from, int to, int lane) const
    {
        if (from >= to) return;
        int token = span.token(min(from + lane / 2, to - 1));
        copy_half(s.ring + ((i64)head * s.ringTokens + token % s.ringTokens) * D, lane);
    }

    // A unit of any tokens as f16 rows; the last one stands in for those behind it.
    template <int BITS, int GROUP> __device__ __forceinline__ void gather(const Side& s, int head, const Span& span, int i, int lane) const
    {
        const int Pieces = D / 16;
        int token = span.token(min(i + lane / 2, span.count - 1)), row = token - s.sinkTokens;
        const u16* kept = kept_row(s, head, token, span.end, D);
        __syncwarp();
        if (kept != nullptr) copy_half(kept, lane);
        else if constexpr (BITS == 16) copy_half((const u16*)(s.codes + head * s.headCodes) + (i64)row * D, lane);
        else
        {
            int first = lane % 2 * Pieces; // of the row's pieces
            const u8* source = s.codes + head * s.headCodes + (i64)row * (D * BITS / 8) + first * BITS;
            const u32* entries = entries_of(s, head, row);
            if constexpr (GROUP == 0)
            {
                #pragma unroll 1
                for (int j = 0; j < Pieces; j++)
                {
                    Decoder d[4];
                    load_decoders(d, entries + (first + j) * 8, BITS);
                    *at(lane / 2, first + j) = decode<BITS>(load_codes<BITS>(source + j * BITS), d);
                }
            }
            else
            {
                uint2 codes[Pieces];
                u32 its[Pieces / 4];
                #pragma unroll
                for (int j = 0; j < Pieces; j++) codes[j] = load_codes<BITS>(source + j * BITS);
                #pragma unroll
                for (int j = 0; j < Pieces / 4; j++) its[j] = entries[(first + 4 * j) * 8 / GROUP];
                #pragma unroll
                for (int j = 0; j < Pieces; j++)
                {
                    Decoder d[4];
                    share_decoder(d, its[j / 4], BITS);
                    *at(lane / 2, first + j) = decode<BITS>(codes[j], d);
                }
            }
        }
        wait_for_copies();
        __syncwarp();
    }

    template <int GROUPS, int WORDS, int LANES> __device__ __forceinline__ void take(u32 (&words)[GROUPS][WORDS], int t, int place) const
    {
        #pragma unroll
        for (int k = 0; k < WORDS / 4; k++)
        {
            uint4 x = *at(t, k * LANES + place);
            words[0][4 * k] = x.x;
            words[0][4 * k + 1] = x.y;
            words[0][4 * k + 2] = x.z;
            words[0][4 * k + 3] = x.w;
        }
    }
};

// Scores of one new token over keys (decode.cu): of a unit of 16 tokens the product's rows are tokens, its columns the up to eight heads
// that share a key head. Which channel stands where is free as long as keys and queries agree, so lanes read neighbouring bytes and
// queries are laid out to suit. Scales of keys come to the sums; zero points are added in f32.

// Of a head's channel in shared memory: lanes that read 32 or 16 channels of their head each read from different banks.
#define QUERY_STRIDE (D == 128 ? 164 : 100)

static __device__ __forceinline__ int query_place(int head, int c) { return head * QUERY_STRIDE + c + c / 32 * 8; }

// A warp's scales of one token block of keys.
struct ChannelScales
{
    // Lanes that read 32 channels each read from different banks.
    static __device__ __forceinline__ constexpr int place(int c) { return c + c / 32 * 2; }

    u32 entries[2][D];     // of this token block and the next one
    float2 steps[D + D / 16]; // what a query is multiplied with, and the zero point in units of that
};

// Entries of the lane's product row in half a unit.
template <int BLOCK_TOKENS> static __device__ __forceinline__ const u32* entries_at(
    const Side& s, int head, int unitRow, int row, int groups)
{
    return s.groups + head * s.headGroups + (i64)(BLOCK_TOKENS == 1 ? unitRow + row : unitRow / BLOCK_TOKENS) * groups;
}

// A warp's keys, NU units at a time. KG: channels of an entry; 0: an entry for each channel. EDGE: any tokens, which the warp brings into
// shared memory first, unit by unit.
template <int KB, int KG, int NU, bool EDGE> struct WarpKeys
{
    static const bool Channels = KG == 0;
    typedef Piece<KB, Channels ? D : KG, 4> KeyPiece;
    static const int Pairs = KeyPiece::Codes / 2; // of a lane, a token and a group
    static const int WordPairs = Pairs / KeyPiece::Words;
    static const bool KeyEntries = KB < 16 && !Channels;

    const Side& keySide;
    const Span& span;
    const float* queries;  // f32 in shared memory (query_place)
    ChannelScales* scales; // the warp's
    WarpRows rows;
    float largestQuery, largestStep;
    int head, lane, firstRow; // of the lane in a product

    const u8* keyCodes; // the lane's of token 0
    u32 query[D / 8];
    float querySums[KeyPiece::Groups][2]; // of the columns' heads; with Channels the part of the zero points
    float keyFactors[2];
    u32 keys[NU][2][KeyPiece::Groups][KeyPiece::Words];
    u32 keyEntries[NU][2 * KeyPiece::Groups];

    __device__ __forceinline__ WarpKeys(
        const Side& keySide, const Span& span, const float* queries, ChannelScales* scales, u16* rows, int head, int lane)
        : keySide(keySide), span(span), queries(queries), scales(scales), rows { rows }, head(head), lane(lane),
            firstRow(token_of_row(lane / 4))
    {
    }

    // The lane's channel of code i of group g, where `lane` is its place among the four of a token.
    __device__ __forceinline__ int key_channel(int g, int n, int half) const
    {
        int word = n / WordPairs, j = n % WordPairs;
        return KeyPiece::channel(g, lane % 4, word * 2 * WordPairs + half * WordPairs + j);
    }

    __device__ __forceinline__ void load_query()
    {
        const float Up = KB == 16 ? 1 : 1 << (8 - KB);
        #pragma unroll
        for (int g = 0; g < KeyPiece::Groups; g++)
        {
            float sum = 0;
            #pragma unroll
            for (int n = 0; n < Pairs; n++)
            {
                float low = queries[query_place(lane / 4, key_channel(g, n, 0))],
                    high = queries[query_place(lane / 4, key_channel(g, n, 1))], factor = Up * pair_factor<KB>(n % WordPairs);
                query[g * Pairs + n] = pack_halves(low * factor, high * factor);
                sum += sum_of_halves(query[g * Pairs + n]) / factor;
            }
            sum += __shfl_xor_sync(0xffffffff, sum, 1);
            sum += __shfl_xor_sync(0xffffffff, sum, 2);
            of_columns(querySums[g], sum, lane);
        }
        keyFactors[0] = keyFactors[1] = KB == 16 ? 1 : CodeScale / Up;
    }

    // Before the first `scale_query`: magnitudes of queries, the largest that each warp has put.
    __device__ __forceinline__ void measure_query(const float* largest)
    {
        largestQuery = largestStep = 0;
        #pragma unroll
        for (int w = 0; w < WARPS; w++) largestQuery = fmaxf(largestQuery, largest[w]);
    }

    // Asks for the entries of a token block.
    __device__ __forceinline__ void fetch_scales(int block)
    {
        const u32* entries = keySide.groups + head * keySide.headGroups + (i64)block * keySide.groupsPerTokenBlock;
        if (lane < D / 4) copy_async((u16*)(scales->entries[block % 2] + 4 * lane), entries + 4 * lane);
    }

    // Queries times the scales of a token block, which are brought near the top of f16's range; the next block's entries are asked for.
    __device__ __forceinline__ void scale_query(int block, bool hasNext)
    {
        const int Own = D / 32; // channels whose scales a lane prepares
        wait_for_copies();
        __syncwarp();
        u32 entries[Own];
        Scale own[Own];
        float largest = 0;
        #pragma unroll
        for (int i = 0; i < Own; i++) entries[i] = scales->entries[block % 2][lane * Own + i];
        scales_of(own, entries, KB);
        #pragma unroll
        for (int i = 0; i < Own; i++) largest = fmaxf(largest, own[i].step);
        if (__any_sync(0xffffffff, largest > largestStep)) largestStep = fmaxf(largestStep, warp_max(largest));
        int exponent = min(max(30, __float_as_int(largestStep * largestQuery) >> 23), 250);
        float up = __int_as_float((266 - exponent) << 23), down = __int_as_float((exponent - 12) << 23);
        #pragma unroll
        for (int i = 0; i < Own; i++)
        {
            int c = lane * Own + i;
            float factor = pair_factor<KB>(c % (16 / KB));
            scales->steps[ChannelScales::place(c)] = make_float2(own[i].step * up * factor, own[i].zero / factor);
        }
        __syncwarp();
        if (hasNext) fetch_scales(block + 1);
        float sum = 0;
        #pragma unroll
        for (int word = 0; word < KeyPiece::Words; word++)
        {
            const int Codes = 2 * WordPairs; // of a word, side by side
            int c = KeyPiece::channel(0, lane % 4, word * Codes);
            float scaled[Codes], zeros[Codes];
            #pragma unroll
            for (int i = 0; i < Codes; i += 4)
            {
                float4 q = *(const float4*)(queries + query_place(lane / 4, c + i));
                float4 low = *(const float4*)(scales->steps + ChannelScales::place(c + i)),
                    high = *(const float4*)(scales->steps + ChannelScales::place(c + i) + 2);
                scaled[i] = q.x * low.x;
                scaled[i + 1] = q.y * low.z;
                scaled[i + 2] = q.z * high.x;
                scaled[i + 3] = q.w * high.z;
                zeros[i] = low.y;
                zeros[i + 1] = low.w;
                zeros[i + 2] = high.y;
                zeros[i + 3] = high.w;
            }
            #pragma unroll
            for (int n = 0; n < WordPairs; n++)
            {
                u32 pair = pack_halves(scaled[n], scaled[n + WordPairs]);
                query[word * WordPairs + n] = pair;
                sum += half_to_float((u16)pair) * zeros[n] + half_to_float((u16)(pair >> 16)) * zeros[n + WordPairs];
            }
        }
        sum += __shfl_xor_sync(0xffffffff, sum, 1);
        sum += __shfl_xor_sync(0xffffffff, sum, 2);
        of_columns(querySums[0], sum * down, lane);
        keyFactors[0] = keyFactors[1] = down * CodeScale;
    }

    __device__ __forceinline__ void load_keys(int i)
    {
        const u8* codes = keyCodes + (i64)i * (D * KB / 8);
        int unitRow = span.from + i - keySide.sinkTokens;
        if constexpr (EDGE) rows.gather<KEY_BITS, KEY_GROUP>(keySide, head, span, i, lane);
        #pragma unroll
        for (int u = 0; u < NU; u++)
        {
            #pragma unroll
            for (int half = 0; half < 2; half++)
            {
                int row = u * UNIT + 8 * half;
                if constexpr (EDGE) rows.take<KeyPiece::Groups, KeyPiece::Words, 4>(keys[u][half], row + firstRow, lane % 4);
                else KeyPiece::load(keys[u][half], codes + row * (D * KB / 8));
                if constexpr (KeyEntries)
                    KeyPiece::load_entries(keyEntries[u] + half * KeyPiece::Groups,
                        entries_at<KEY_BLOCK_TOKENS>(keySide, head, unitRow + u * UNIT, 8 * half + firstRow, KeyPiece::Groups));
            }
        }
    }

    // Scores of a unit: tokens in rows, heads in columns.
    __device__ __forceinline__ void score(float (&scores)[4], int u) const
    {
        Scale scales[2 * KeyPiece::Groups];
        if constexpr (KeyEntries) scales_of(scales, keyEntries[u], KB);
        #pragma unroll
        for (int g = 0; g < KeyPiece::Groups; g++)
        {
            float sums[4] = { 0, 0, 0, 0 };
            #pragma unroll
            for (int n = 0; n < Pairs; n += 2)
            {
                u32 a[4];
                #pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    u32 word = keys[u][i % 2][g][(n + i / 2) / WordPairs];
                    if (KeyPiece::Bytes == 2) word = __byte_perm(word, 0, 0x4140);
                    a[i] = pair_of<KB>(word, (n + i / 2) % WordPairs);
                }
                multiply_halves(sums, a, query[g * Pairs + n], query[g * Pairs + n + 1]);
            }
            #pragma unroll
            for (int i = 0; i < 4; i++)
            {
                if constexpr (KeyEntries)
                {
                    Scale scale = scales[i / 2 * KeyPiece::Groups + g];
                    float part = scale.step * (sums[i] * keyFactors[i % 2] - scale.zero * querySums[g][i % 2]);
                    scores[i] = g == 0 ? part : scores[i] + part;
                }
                else if constexpr (Channels) scores[i] = sums[i] * keyFactors[i % 2] - querySums[0][i % 2];
                else scores[i] = sums[i];
            }
        }
    }

    // Queries for rows that `rows` holds.
    __device__ __forceinline__ void load_plain_query()
    {
        #pragma unroll
        for (int n = 0; n < D / 8; n++)
        {
            float2 q = *(const float2*)(queries + query_place(lane / 4, 8 * n + lane % 4 * 2));
            query[n] = pack_halves(q.x, q.y);
        }
    }

    // Scores of a unit whose tokens are those of `rows` from `offset` on, as far as these are there.
    __device__ __forceinline__ void score_plain(float (&scores)[4], int offset) const
    {
        int t = min(max(offset + token_of_row(lane % 16), 0), UNIT - 1);
        #pragma unroll
        for (int i = 0; i < 4; i++) scores[i] = 0;
        #pragma unroll
        for (int k = 0; k < D / 16; k++)
        {
            u32 a[4];
            load_matrices(a, (const u16*)rows.at(t, 2 * k + lane / 16));
            multiply_halves(scores, a, query[2 * k], query[2 * k + 1]);
        }
    }
};

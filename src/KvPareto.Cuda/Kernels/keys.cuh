// Scores of one new token over keys (decode.cu): of a unit of 16 tokens the product's rows are tokens, its columns the up to eight heads
// that share a key head. Which channel stands where is free as long as keys and queries agree, so lanes read neighbouring bytes and
// queries are laid out to suit. Scales of keys come to the sums; zero points are added in f32.

// Of a head's channel in shared memory: lanes that read 32 or 16 channels of their head each read from different banks.
#define QUERY_STRIDE (D == 128 ? 164 : 100)

static __device__ __forceinline__ int query_place(int head, int c) { return head * QUERY_STRIDE + c + c / 32 * 8; }

// A lane's words of queries as products read them, those that one warp packs for all.
struct __align__(D / 2 / WARPS) PackedQuery
{
    static const int Words = D / 8 / WARPS;
    u32 words[Words];
};

// Entries of the lane's product row in half a unit, of those of a head.
template <int BLOCK_TOKENS> static __device__ __forceinline__ const u32* entries_at(const u32* entries, int unitRow, int row, int groups)
{
    return entries + (BLOCK_TOKENS == 1 ? unitRow + row : unitRow / BLOCK_TOKENS) * groups;
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
    PackedQuery* packed;   // there too, of all warps and lanes
    WarpScales<KB> channels;
    WarpRows rows;
    int queryExponent;        // of what queries were multiplied with
    int head, lane, firstRow; // of the lane in a product

    const u8* keyCodes;   // the lane's of token 0
    const u32* keyGroups; // the head's
    int keyRow;           // of token 0 among coded ones
    u32 query[D / 8];
    float querySums[KeyPiece::Groups][2]; // of the columns' heads; with Channels the part of the zero points
    float keyFactors[2];
    u32 keys[NU][2][KeyPiece::Groups][KeyPiece::Words];
    u32 keyEntries[NU][2 * KeyPiece::Groups];

    __device__ __forceinline__ WarpKeys(const Side& keySide, const Span& span, const float* queries, PackedQuery* packed,
        ChannelScales* scales, u16* rows, int head, int lane)
        : keySide(keySide), span(span), queries(queries), packed(packed), channels { scales, lane }, rows { rows }, head(head), lane(lane),
            firstRow(token_of_row(lane / 4))
    {
    }

    // The lane's channel of code i of group g, where `lane` is its place among the four of a token.
    __device__ __forceinline__ int key_channel(int g, int n, int half) const
    {
        int word = n / WordPairs, j = n % WordPairs;
        return KeyPiece::channel(g, lane % 4, word * 2 * WordPairs + half * WordPairs + j);
    }

    // A warp's share of the queries as products read them: words side by side, of all lanes, by the power of two that `exponent` says.
    __device__ __forceinline__ void pack_query(int warp, int exponent) const
    {
        PackedQuery share;
        #pragma unroll
        for (int i = 0; i < PackedQuery::Words; i++)
        {
            int word = warp * PackedQuery::Words + i, g = word / Pairs, n = word % Pairs;
            float factor = __int_as_float((127 + exponent - pair_shift<KB>(n % WordPairs)) << 23);
            share.words[i] = pack_halves(queries[query_place(lane / 4, key_channel(g, n, 0))] * factor,
                queries[query_place(lane / 4, key_channel(g, n, 1))] * factor);
        }
        packed[warp * 32 + lane] = share;
    }

    // All warps' shares; with a scale for each channel of largest queries, which each warp has put, to be from 2^12 to 2^13.
    __device__ __forceinline__ void pack_query(int warp, const float* largest)
    {
        const int Raised = KB == 16 ? 0 : 8 - KB; // up from a subnormal's lowest bits
        queryExponent = Raised;
        if constexpr (Channels)
        {
            float most = 0;
            #pragma unroll
            for (int w = 0; w < WARPS; w++) most = fmaxf(most, largest[w]);
            queryExponent = min(max(139 - (__float_as_int(most) >> 23), -100), 100);
        }
        pack_query(warp, queryExponent);
        __syncthreads();
    }

    // What all warps have packed.
    __device__ __forceinline__ void load_packed()
    {
        #pragma unroll
        for (int w = 0; w < WARPS; w++)
        {
            PackedQuery share = packed[w * 32 + lane];
            #pragma unroll
            for (int i = 0; i < PackedQuery::Words; i++) query[w * PackedQuery::Words + i] = share.words[i];
        }
    }

    // That and its sums, which products with powers of two give.
    __device__ __forceinline__ void load_query()
    {
        load_packed();
        #pragma unroll
        for (int g = 0; g < KeyPiece::Groups; g++)
        {
            float sums[4] = { 0, 0, 0, 0 };
            #pragma unroll
            for (int n = 0; KeyEntries && n < Pairs; n += 2)
            {
                u32 low = (15 - queryExponent + pair_shift<KB>(n % WordPairs)) * 0x04000400;
                u32 high = (15 - queryExponent + pair_shift<KB>((n + 1) % WordPairs)) * 0x04000400;
                u32 down[4] = { low, low, high, high };
                multiply_halves(sums, down, query[g * Pairs + n], query[g * Pairs + n + 1]);
            }
            querySums[g][0] = sums[0];
            querySums[g][1] = sums[1];
        }
        keyFactors[0] = keyFactors[1] = KB == 16 ? 1 : CodeScale / (1 << queryExponent);
    }

    // Asks for the entries of a token block.
    __device__ __forceinline__ void fetch_scales(int block) { channels.fetch(keyGroups + block * D); }

    // Queries times the scales of a token block, whose entries are there, and the part of its zero points; the next one's entries are asked
    // for, up to `last`.
    __device__ __forceinline__ void scale_query(int block, int last)
    {
        channels.take();
        if (block < last) fetch_scales(block + 1);
        channels.put();
        load_packed();
        float sums[2];
        channels.multiply(query, sums);
        float down = __int_as_float((127 - queryExponent + channels.lowered) << 23);
        querySums[0][0] = sums[0] * down;
        querySums[0][1] = sums[1] * down;
        keyFactors[0] = keyFactors[1] = down * CodeScale;
    }

    __device__ __forceinline__ void load_keys(int i)
    {
        const u8* codes = keyCodes + (i64)i * (D * KB / 8);
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
                        entries_at<KEY_BLOCK_TOKENS>(keyGroups, keyRow + i + u * UNIT, 8 * half + firstRow, KeyPiece::Groups));
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

    // Queries for rows that `rows` holds, f16 [HEADS, D] where others are packed.
    __device__ __forceinline__ WarpRows plain_queries() const { return { (u16*)packed }; }

    // By the block.
    __device__ __forceinline__ void pack_plain_query() const
    {
        int h = threadIdx.x / (D / 8), piece = threadIdx.x % (D / 8);
        if (h < HEADS)
        {
            const float4* source = (const float4*)(queries + query_place(h, 8 * piece));
            float4 low = source[0], high = source[1];
            *plain_queries().at(h, piece) = make_uint4(
                pack_halves(low.x, low.y), pack_halves(low.z, low.w), pack_halves(high.x, high.y), pack_halves(high.z, high.w));
        }
        __syncthreads();
    }

    __device__ __forceinline__ void load_plain_query()
    {
        #pragma unroll
        for (int piece = 0; piece < D / 8; piece += 4)
        {
            u32 m[4];
            load_matrices(m, (const u16*)plain_queries().at(lane % 8, piece + lane / 8));
            #pragma unroll
            for (int i = 0; i < 4; i++) query[piece + i] = m[i];
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

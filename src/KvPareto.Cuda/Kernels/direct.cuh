// What a warp does with its tokens where one new token of a sequence attends (decode.cu). It takes units of 16 tokens. Keys · queries: the
// product's rows are tokens, its columns the up to eight heads that share a key head. Values · weights: rows are channels, columns heads
// again, the inner side tokens. Which channel stands where is free as long as both factors agree, so lanes read neighbouring bytes and
// queries are laid out to suit. Scales of keys come to the sums, those of values to the weights; zero points are added in f32.

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

// What a warp has of its tokens.
struct State
{
    float sums[D / 16][4]; // of values: rows are two channels, columns two heads
    float maxima[2];
    float totals[2];
};

// EDGE: any tokens, which a warp brings into shared memory first, unit by unit. KG, VG: channels of an entry; KG = 0: keys with an entry
// for each channel. NU: units at a time.
template <int KB, int KG, int VB, int VG, int NU, bool EDGE> struct Attend
{
    static const bool Channels = KG == 0;
    typedef Piece<KB, Channels ? D : KG, 4> KeyPiece;
    typedef Piece<VB, VG, 8> ValuePiece;
    static const int Pairs = KeyPiece::Codes / 2;            // of a lane, a token and a group
    static const int WordPairs = Pairs / KeyPiece::Words;
    static const bool KeyEntries = KB < 16 && !Channels, ValueEntries = VB < 16;

    const Side& keySide;
    const Side& valueSide;
    const Span& span;
    const float* queries; // f32 in shared memory (query_place)
    ChannelScales* scales; // the warp's
    WarpRows rows;
    float largestQuery, largestStep;
    int head, lane, firstRow; // of the lane in a product

    const u8* keyCodes; // the lane's of token 0
    const u8* valueCodes;
    u32 query[D / 8];
    float querySums[KeyPiece::Groups][2]; // of the columns' heads; with Channels the part of the zero points
    float keyFactors[2];
    u32 keys[NU][2][KeyPiece::Groups][KeyPiece::Words];
    u32 values[NU][4][ValuePiece::Groups][ValuePiece::Words];
    u32 keyEntries[NU][2 * KeyPiece::Groups];
    u32 valueEntries[NU][2 * ValuePiece::Groups];

    __device__ __forceinline__ Attend(const Side& keySide, const Side& valueSide, const Span& span, const float* queries,
        ChannelScales* scales, u16* rows, int head, int lane)
        : keySide(keySide), valueSide(valueSide), span(span), queries(queries), scales(scales), rows { rows }, head(head), lane(lane),
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

    // Before the first load.
    __device__ __forceinline__ void seek()
    {
        keyCodes = keySide.codes + head * keySide.headCodes + (i64)(span.from - keySide.sinkTokens + firstRow) * (D * KB / 8)
            + lane % 4 * KeyPiece::Chunk;
        valueCodes = valueSide.codes + head * valueSide.headCodes + (i64)(span.from - valueSide.sinkTokens + lane % 4) * (D * VB / 8)
            + lane / 4 * ValuePiece::Chunk;
    }

    // The tokens that are read where those from `at` on are wanted: as many end with the last one.
    __device__ __forceinline__ int place_of(int at) const { return EDGE ? at : min(at, span.count - NU * UNIT); }

    // Entries of the lane's product row in half a unit.
    template <int BLOCK_TOKENS> static __device__ __forceinline__ const u32* entries_at(
        const Side& s, int head, int unitRow, int row, int groups)
    {
        return s.groups + head * s.headGroups + (i64)(BLOCK_TOKENS == 1 ? unitRow + row : unitRow / BLOCK_TOKENS) * groups;
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

    __device__ __forceinline__ void load_values(int i)
    {
        const u8* codes = valueCodes + (i64)i * (D * VB / 8);
        int unitRow = span.from + i - valueSide.sinkTokens;
        if constexpr (EDGE) rows.gather<VALUE_BITS, VALUE_GROUP>(valueSide, head, span, i, lane);
        #pragma unroll
        for (int u = 0; u < NU; u++)
        {
            #pragma unroll
            for (int t = 0; t < 4; t++)
            {
                int row = u * UNIT + 4 * t;
                if constexpr (EDGE) rows.take<ValuePiece::Groups, ValuePiece::Words, 8>(values[u][t], row + lane % 4, lane / 4);
                else ValuePiece::load(values[u][t], codes + row * (D * VB / 8));
            }
            #pragma unroll
            for (int half = 0; half < 2; half++)
            {
                if constexpr (ValueEntries)
                    ValuePiece::load_entries(valueEntries[u] + half * ValuePiece::Groups,
                        entries_at<VALUE_BLOCK_TOKENS>(valueSide, head, unitRow + u * UNIT, 8 * half + firstRow, ValuePiece::Groups));
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

    // The value of code i for two tokens.
    static __device__ __forceinline__ u32 value_pair(const u32 (&first)[ValuePiece::Words], const u32 (&second)[ValuePiece::Words], int i)
    {
        const int Half = 16 / VB;
        int half = i / Half;
        return pair_of<VB>(__byte_perm(first[half / 2], second[half / 2], half % 2 == 0 ? 0x5410 : 0x7632), i % Half);
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

    // Asks for the first tokens of [from, to), if there are any. Those whose keys are kept are one unit at the most.
    __device__ __forceinline__ void begin(int from, int to, bool isKept)
    {
        if (EDGE || from >= to) return;
        seek();
        if (Channels && isKept) rows.copy_kept(keySide, head, span, from, to, lane);
        else
        {
            if constexpr (Channels) fetch_scales((span.from - keySide.sinkTokens + place_of(from)) / KEY_BLOCK_TOKENS);
            load_keys(place_of(from));
        }
        load_values(place_of(from));
    }

    // After `begin`, and with queries in shared memory.
    __device__ __forceinline__ void run(State& state, int from, int to, bool isKept)
    {
        // 2^-60; above all scales of values so far
        float bound = 8.67361738e-19f, up = ValueEntries ? WeightScale / bound : WeightScale, corrections[ValuePiece::Groups][2];
        #pragma unroll
        for (int j = 0; j < D / 16; j++)
            for (int i = 0; i < 4; i++) state.sums[j][i] = 0;
        #pragma unroll
        for (int c = 0; c < 2; c++)
        {
            state.maxima[c] = -INFINITE;
            state.totals[c] = 0;
            for (int g = 0; g < ValuePiece::Groups; g++) corrections[g][c] = 0;
        }
        int known = -1, codedRow = span.from - keySide.sinkTokens;
        if (from < to)
        {
            if (Channels && isKept)
            {
                wait_for_copies();
                __syncwarp();
                load_plain_query();
            }
            else if constexpr (Channels)
            {
                largestQuery = largestStep = 0;
                for (int i = lane; i < HEADS * D; i += 32) largestQuery = fmaxf(largestQuery, fabsf(queries[query_place(i / D, i % D)]));
                largestQuery = warp_max(largestQuery);
            }
            else load_query();
        }
        #pragma unroll 1
        for (int at = from; at < to; at += NU * UNIT)
        {
            float scores[NU][4];
            int place = place_of(at);
            if constexpr (EDGE) load_keys(place);
            #pragma unroll
            for (int u = 0; u < NU; u++)
            {
                if (Channels && isKept)
                {
                    score_plain(scores[u], place + u * UNIT - at);
                    continue;
                }
                if constexpr (Channels)
                {
                    int block = (codedRow + place + u * UNIT) / KEY_BLOCK_TOKENS;
                    if (block != known) scale_query(block, (codedRow + min(to, span.count) - 1) / KEY_BLOCK_TOKENS > block);
                    known = block;
                }
                score(scores[u], u);
            }
            if (!EDGE && at + NU * UNIT < to) load_keys(place_of(at + NU * UNIT));
            if constexpr (EDGE) load_values(place);

            // Tokens that are not there, or were treated before.
            if (EDGE || place != at)
            {
                #pragma unroll
                for (int u = 0; u < NU; u++)
                {
                    #pragma unroll
                    for (int i = 0; i < 4; i++)
                    {
                        int token = place + u * UNIT + firstRow + i / 2 * 8;
                        if (token < at || token >= to) scores[u][i] = -INFINITE;
                    }
                }
            }

            // The maximum in use follows when a score is far above it.
            float most[2] = { scores[0][0], scores[0][1] };
            #pragma unroll
            for (int u = 0; u < NU; u++)
            {
                #pragma unroll
                for (int i = 0; i < 4; i++) most[i % 2] = fmaxf(most[i % 2], scores[u][i]);
            }
            if (__any_sync(0xffffffff, most[0] > state.maxima[0] + Slack || most[1] > state.maxima[1] + Slack))
            {
                #pragma unroll
                for (int c = 0; c < 2; c++)
                {
                    float next = fmaxf(state.maxima[c], column_max(most[c])),
                        factor = state.maxima[c] == -INFINITE ? 0 : power_of_two(state.maxima[c] - next);
                    state.maxima[c] = next;
                    state.totals[c] *= factor;
                    #pragma unroll
                    for (int g = 0; g < ValuePiece::Groups; g++) corrections[g][c] *= factor;
                    #pragma unroll
                    for (int j = 0; j < D / 16; j++)
                    {
                        state.sums[j][c] *= factor;
                        state.sums[j][2 + c] *= factor;
                    }
                }
            }
            float shifts[2] = { state.maxima[0] == -INFINITE ? 0 : state.maxima[0], state.maxima[1] == -INFINITE ? 0 : state.maxima[1] };

            #pragma unroll
            for (int u = 0; u < NU; u++)
            {
                float weights[4];
                #pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    weights[i] = power_of_two(scores[u][i] - shifts[i % 2]);
                    state.totals[i % 2] += weights[i];
                }
                Scale scales[2 * ValuePiece::Groups];
                if constexpr (ValueEntries)
                {
                    scales_of(scales, valueEntries[u], VB);
                    float largest = scales[0].step;
                    #pragma unroll
                    for (int i = 1; i < 2 * ValuePiece::Groups; i++) largest = fmaxf(largest, scales[i].step);
                    if (__any_sync(0xffffffff, largest > bound))
                    {
                        float next = power_above(fmaxf(bound, warp_max(largest))), factor = bound / next;
                        bound = next;
                        up = WeightScale / next;
                        #pragma unroll
                        for (int j = 0; j < D / 16; j++)
                            for (int i = 0; i < 4; i++) state.sums[j][i] *= factor;
                        #pragma unroll
                        for (int g = 0; g < ValuePiece::Groups; g++)
                            for (int c = 0; c < 2; c++) corrections[g][c] *= factor;
                    }
                }
                #pragma unroll
                for (int g = 0; g < ValuePiece::Groups; g++)
                {
                    u32 pairs[2];
                    #pragma unroll
                    for (int half = 0; half < 2; half++)
                    {
                        // The zero points' part is that of the weights as they are rounded.
                        Scale scale = ValueEntries ? scales[half * ValuePiece::Groups + g] : Scale { 1, 0 };
                        float factor = scale.step * up;
                        pairs[half] = pack_halves(weights[2 * half] * factor, weights[2 * half + 1] * factor);
                        if constexpr (ValueEntries)
                        {
                            corrections[g][0] += half_to_float((u16)pairs[half]) * scale.zero;
                            corrections[g][1] += half_to_float((u16)(pairs[half] >> 16)) * scale.zero;
                        }
                    }
                    u32 b0 = transpose(pairs[0]), b1 = transpose(pairs[1]);
                    #pragma unroll
                    for (int j = 0; j < ValuePiece::Codes / 2; j++)
                    {
                        u32 a[4];
                        #pragma unroll
                        for (int i = 0; i < 4; i++) a[i] = value_pair(values[u][i / 2 * 2][g], values[u][i / 2 * 2 + 1][g], 2 * j + i % 2);
                        multiply_halves(state.sums[g * (ValuePiece::Codes / 2) + j], a, b0, b1);
                    }
                }
            }
            if (!EDGE && at + NU * UNIT < to) load_values(place_of(at + NU * UNIT));
        }

        #pragma unroll
        for (int c = 0; c < 2; c++)
        {
            state.totals[c] = column_sum(state.totals[c]);
            #pragma unroll
            for (int g = 0; g < ValuePiece::Groups; g++)
            {
                float correction = ValueEntries ? column_sum(corrections[g][c]) : 0;
                #pragma unroll
                for (int e = 0; e < ValuePiece::Codes; e++)
                {
                    float& sum = state.sums[g * (ValuePiece::Codes / 2) + e / 2][e % 2 * 2 + c];
                    sum = ValueEntries ? (sum * (CodeScale * pair_factor<VB>(e % (16 / VB))) - correction) * (bound / WeightScale)
                        : sum / WeightScale;
                }
            }
        }
    }

    // The warp's sums, [HEADS, D].
    static __device__ __forceinline__ void store(float* rows, const State& state, int lane)
    {
        #pragma unroll
        for (int g = 0; g < ValuePiece::Groups; g++)
        {
            #pragma unroll
            for (int e = 0; e < ValuePiece::Codes; e++)
            {
                int c = ValuePiece::channel(g, lane / 4, e);
                #pragma unroll
                for (int column = 0; column < 2; column++)
                    rows[(lane % 4 * 2 + column) * D + c] = state.sums[g * (ValuePiece::Codes / 2) + e / 2][e % 2 * 2 + column];
            }
        }
    }
};

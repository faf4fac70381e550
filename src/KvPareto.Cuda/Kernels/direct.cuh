// What a warp does with its tokens where one new token of a sequence attends (decode.cu): scores of its keys (keys.cuh), then
// values · weights, whose rows are channels and whose columns are heads, the inner side tokens. Scales of values come to the weights; zero
// points are added in f32.

// What a warp has of its tokens.
struct State
{
    float sums[D / 16][4]; // of values: rows are two channels, columns two heads
    float maxima[2];
    float totals[2];
};

// NU units of 16 tokens at a time. KG, VG: channels of an entry; KG = 0: keys with an entry for each channel. EDGE: any tokens (WarpKeys).
template <int KB, int KG, int VB, int VG, int NU, bool EDGE> struct Attend : WarpKeys<KB, KG, NU, EDGE>
{
    typedef WarpKeys<KB, KG, NU, EDGE> Keys;
    typedef Piece<VB, VG, 8> ValuePiece;
    using Keys::Channels, Keys::keySide, Keys::span, Keys::rows, Keys::head, Keys::lane, Keys::firstRow, Keys::keyCodes,
        Keys::keyGroups, Keys::keyRow;
    static const bool ValueEntries = VB < 16;

    const Side& valueSide;
    const u8* valueCodes; // as of keys
    const u32* valueGroups;
    int valueRow;
    u32 values[NU][4][ValuePiece::Groups][ValuePiece::Words];
    u32 valueEntries[NU][2 * ValuePiece::Groups];

    __device__ __forceinline__ Attend(const Side& keySide, const Side& valueSide, const Span& span, const float* queries,
        PackedQuery* packed, ChannelScales* scales, u16* rows, int head, int lane)
        : Keys(keySide, span, queries, packed, scales, rows, head, lane), valueSide(valueSide)
    {
    }

    // Before the first load.
    __device__ __forceinline__ void seek()
    {
        keyRow = span.from - keySide.sinkTokens;
        valueRow = span.from - valueSide.sinkTokens;
        keyGroups = keySide.groups + head * keySide.headGroups;
        valueGroups = valueSide.groups + head * valueSide.headGroups;
        keyCodes = keySide.codes + head * keySide.headCodes + (i64)(keyRow + firstRow) * (D * KB / 8) + lane % 4 * Keys::KeyPiece::Chunk;
        valueCodes = valueSide.codes + head * valueSide.headCodes + (i64)(valueRow + lane % 4) * (D * VB / 8)
            + lane / 4 * ValuePiece::Chunk;
    }

    // The tokens that are read where those from `at` on are wanted: as many end with the last one. Of tokens whose keys are kept, no more
    // than a unit, all are in the last unit.
    __device__ __forceinline__ int place_of(int at, bool isKept) const
    {
        return EDGE ? at : min(Channels && isKept ? at - (NU - 1) * UNIT : at, span.count - NU * UNIT);
    }

    __device__ __forceinline__ void load_values(int i)
    {
        const u8* codes = valueCodes + (i64)i * (D * VB / 8);
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
                        entries_at<VALUE_BLOCK_TOKENS>(valueGroups, valueRow + i + u * UNIT, 8 * half + firstRow, ValuePiece::Groups));
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

    // Asks for the first tokens of [from, to), if there are any. Those whose keys are kept are one unit at the most.
    __device__ __forceinline__ void begin(int from, int to, bool isKept)
    {
        if (EDGE || from >= to) return;
        seek();
        if (Channels && isKept) rows.copy_kept(keySide, head, span, from, to, lane);
        else
        {
            if constexpr (Channels) this->fetch_scales(block_of(place_of(from, isKept)));
            this->load_keys(place_of(from, isKept));
        }
        load_values(place_of(from, isKept));
    }

    // The number of the token block of keys.
    __device__ __forceinline__ int block_of(int i) const { return (keyRow + i) / KEY_BLOCK_TOKENS; }

    // The last one of tokens up to `to`.
    __device__ __forceinline__ int last_block(int to) const { return block_of(min(to, span.count) - 1); }

    // After `begin`, and with queries packed (`pack_query`; where keys are kept `pack_plain_query`).
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
        int known = -1;
        if (from < to)
        {
            if (Channels && isKept)
            {
                wait_for_copies();
                __syncwarp();
                this->load_plain_query();
            }
            else if constexpr (!Channels) this->load_query();
        }
        #pragma unroll 1
        for (int at = from; at < to; at += NU * UNIT)
        {
            float scores[NU][4];
            int place = place_of(at, isKept);
            if constexpr (EDGE) this->load_keys(place);
            #pragma unroll
            for (int u = 0; u < NU; u++)
            {
                if (Channels && isKept)
                {
                    // Before the last unit none is the warp's.
                    if (u < NU - 1) for (float& score : scores[u]) score = -INFINITE;
                    else this->score_plain(scores[u], place + u * UNIT - at);
                    continue;
                }
                if constexpr (Channels)
                {
                    int block = block_of(place + u * UNIT);
                    if (block != known) this->scale_query(block, last_block(to));
                    known = block;
                }
                this->score(scores[u], u);
            }
            if (!EDGE && at + NU * UNIT < to) this->load_keys(place_of(at + NU * UNIT, isKept));
            if constexpr (EDGE) load_values(place);

            // Tokens that are not there, are another warp's or were treated before.
            if (at + NU * UNIT > to)
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
                float factors[2];
                #pragma unroll
                for (int c = 0; c < 2; c++)
                {
                    float next = fmaxf(state.maxima[c], column_max(most[c]));
                    factors[c] = state.maxima[c] == -INFINITE ? 0 : power_of_two(state.maxima[c] - next);
                    state.maxima[c] = next;
                }
                #pragma unroll
                for (int c = 0; at > from && c < 2; c++)
                {
                    state.totals[c] *= factors[c];
                    #pragma unroll
                    for (int g = 0; g < ValuePiece::Groups; g++) corrections[g][c] *= factors[c];
                    #pragma unroll
                    for (int j = 0; j < D / 16; j++)
                    {
                        state.sums[j][c] *= factors[c];
                        state.sums[j][2 + c] *= factors[c];
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
                        float next = power_above(fmaxf(bound, warp_max(largest))), factor = ratio_of_powers(bound, next);
                        bound = next;
                        up = ratio_of_powers(WeightScale, next);
                        if (at > from || u > 0)
                        {
                            #pragma unroll
                            for (int j = 0; j < D / 16; j++)
                                for (int i = 0; i < 4; i++) state.sums[j][i] *= factor;
                            #pragma unroll
                            for (int g = 0; g < ValuePiece::Groups; g++)
                                for (int c = 0; c < 2; c++) corrections[g][c] *= factor;
                        }
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
            if (!EDGE && at + NU * UNIT < to) load_values(place_of(at + NU * UNIT, isKept));
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

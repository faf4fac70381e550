// Attention of one new token of each sequence over its packed cache: every code goes from memory into the registers that the tensor cores
// read, without a stop in shared memory. Compiled for one head width D = HEAD_DIM (64 or 128), the bits of a key and of a value (2, 4, 8,
// 16), the channels that share a scale (KEY_GROUP, VALUE_GROUP; 0 where keys have one for each channel) and the tokens (KEY_RUN, VALUE_RUN: 1 or
// a multiple of 16).
//
// A warp takes units of 16 tokens. Keys · queries: the product's rows are tokens, its columns the up to eight heads that share a key head.
// Values · weights: rows are channels, columns heads again, the inner side tokens. Which channel stands where is free as long as both
// factors agree, so lanes read neighbouring bytes and queries are laid out to suit. A code is used as the bits of a subnormal f16, code·2^-24,
// which needs one mask and no addition; scales of keys come to the sums, those of values to the weights, and zero points are added in f32.

#include "common.cuh"

#define D HEAD_DIM

#include "tensor_cores.cuh"
#include "attention.cuh"
#include "tiles.cuh"

#define UNIT 16
#define UNITS (KEY_BITS + VALUE_BITS <= 12 ? 2 : 1) // at a time
#define HEADS 8  // columns of a product
#define BLOCKS 3 // at a time on a multiprocessor, as far as registers go

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

template <int BITS> static __device__ __forceinline__ constexpr float pair_factor(int j) { return BITS == 16 ? 1 : 1.0f / (1 << j * BITS % 8); }

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
                    uint4 x = __ldg((const uint4*)source);
                    words[g][4 * i] = x.x;
                    words[g][4 * i + 1] = x.y;
                    words[g][4 * i + 2] = x.z;
                    words[g][4 * i + 3] = x.w;
                }
                else if constexpr (Chunk == 8)
                {
                    uint2 x = __ldg((const uint2*)source);
                    words[g][2 * i] = x.x;
                    words[g][2 * i + 1] = x.y;
                }
                else words[g][i] = Chunk == 4 ? __ldg((const u32*)source) : Chunk == 2 ? __ldg((const u16*)source) : __ldg(source);
            }
        }
    }

    static __device__ __forceinline__ void load_entries(u32* entries, const u32* source)
    {
        if constexpr (Groups == 1) entries[0] = __ldg(source);
        else
        {
            #pragma unroll
            for (int g = 0; g < Groups; g += 2)
            {
                uint2 x = __ldg((const uint2*)(source + g));
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

static __device__ __forceinline__ float sum_of_halves(u32 pair) { return half_to_float((u16)pair) + half_to_float((u16)(pair >> 16)); }

// A number that lane 4·head has, for heads 2·(lane % 4) and the next.
static __device__ __forceinline__ void of_columns(float (&target)[2], float x, int lane)
{
    target[0] = __shfl_sync(0xffffffff, x, lane % 4 * 8);
    target[1] = __shfl_sync(0xffffffff, x, lane % 4 * 8 + 4);
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

// Of a head's channel in shared memory: lanes that read 32 or 16 channels of their head each read from different banks.
#define QUERY_STRIDE (D == 128 ? 164 : 100)

static __device__ __forceinline__ int query_place(int head, int c) { return head * QUERY_STRIDE + c + c / 32 * 8; }

// A warp's scales of one run of keys.
struct ChannelScales
{
    // Lanes that read 32 channels each read from different banks.
    static __device__ __forceinline__ constexpr int place(int c) { return c + c / 32 * 2; }

    u32 entries[2][D];     // of this run and the next one
    float2 steps[D + D / 16]; // what a query is multiplied with, and the zero point in units of that
};

// Out of line: these tokens are few, and the code would have to be fetched for each place that it stands in.
template <int BITS, bool CHANNELS> static __device__ __noinline__ uint4 load_once(const Side& s, int head, int token, int codedEnd, int end, int c)
{
    return load_token<BITS, CHANNELS>(s, head, token, codedEnd, end, c);
}

// What a warp has of its tokens.
struct State
{
    float sums[D / 16][4]; // of values: rows are two channels, columns two heads
    float maxima[2];
    float totals[2];
};

// EDGE: any tokens, read through load_token. KG, VG: channels of an entry; KG = 0: keys with an entry for each channel. NU: units at a time.
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

    __device__ __forceinline__ Attend(const Side& keySide, const Side& valueSide, const Span& span, const float* queries, ChannelScales* scales, int head, int lane)
        : keySide(keySide), valueSide(valueSide), span(span), queries(queries), scales(scales), head(head), lane(lane), firstRow(token_of_row(lane / 4))
    {
    }

    // The product's row r of a unit is this token of it: then a lane's rows of keys and its inner tokens of values fit together.
    static __device__ __forceinline__ int token_of_row(int r) { return r / 8 * 8 + r % 2 * 4 + r % 8 / 2; }

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
                float low = queries[query_place(lane / 4, key_channel(g, n, 0))], high = queries[query_place(lane / 4, key_channel(g, n, 1))], factor = Up * pair_factor<KB>(n % WordPairs);
                query[g * Pairs + n] = pack_halves(low * factor, high * factor);
                sum += sum_of_halves(query[g * Pairs + n]) / factor;
            }
            sum += __shfl_xor_sync(0xffffffff, sum, 1);
            sum += __shfl_xor_sync(0xffffffff, sum, 2);
            of_columns(querySums[g], sum, lane);
        }
        keyFactors[0] = keyFactors[1] = KB == 16 ? 1 : CodeScale / Up;
    }

    // Asks for the entries of a run of tokens.
    __device__ __forceinline__ void fetch_scales(int run)
    {
        const u32* entries = keySide.groups + head * keySide.headGroups + (i64)run * keySide.groupsPerRun;
        if (lane < D / 4) copy_async((u16*)(scales->entries[run % 2] + 4 * lane), entries + 4 * lane);
    }

    // Queries times the scales of a run, which are brought near the top of f16's range; the next run's entries are asked for.
    __device__ __forceinline__ void scale_query(int run, bool hasNext)
    {
        const int Own = D / 32; // channels whose scales a lane prepares
        wait_for_copies();
        __syncwarp();
        u32 entries[Own];
        Scale own[Own];
        float largest = 0;
        #pragma unroll
        for (int i = 0; i < Own; i++) entries[i] = scales->entries[run % 2][lane * Own + i];
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
        if (hasNext) fetch_scales(run + 1);
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
                float4 low = *(const float4*)(scales->steps + ChannelScales::place(c + i)), high = *(const float4*)(scales->steps + ChannelScales::place(c + i) + 2);
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
        keyCodes = keySide.codes + head * keySide.headCodes + (i64)(span.from - keySide.sinkTokens + firstRow) * (D * KB / 8) + lane % 4 * KeyPiece::Chunk;
        valueCodes = valueSide.codes + head * valueSide.headCodes + (i64)(span.from - valueSide.sinkTokens + lane % 4) * (D * VB / 8) + lane / 4 * ValuePiece::Chunk;
    }

    // The tokens that are read where those from `at` on are wanted: as many end with the last one.
    __device__ __forceinline__ int place_of(int at) const { return EDGE ? at : min(at, span.count - NU * UNIT); }

    // Entries of the lane's product row in half a unit.
    template <int RUN> static __device__ __forceinline__ const u32* entries_at(const Side& s, int head, int unitRow, int row, int groups)
    {
        return s.groups + head * s.headGroups + (i64)(RUN == 1 ? unitRow + row : unitRow / RUN) * groups;
    }

    template <int BITS, bool CHANNELS, int GROUPS, int WORDS, int LANES>
    __device__ __forceinline__ void load_any(u32 (&words)[GROUPS][WORDS], const Side& s, int i, int place) const
    {
        int token = span.token(min(i, span.count - 1));
        #pragma unroll
        for (int k = 0; k < WORDS / 4; k++)
        {
            uint4 x = load_once<BITS, CHANNELS>(s, head, token, coded_end(s, span.end), span.end, (k * LANES + place) * 8);
            words[0][4 * k] = x.x;
            words[0][4 * k + 1] = x.y;
            words[0][4 * k + 2] = x.z;
            words[0][4 * k + 3] = x.w;
        }
    }

    __device__ __forceinline__ void load_keys(int i)
    {
        const u8* codes = keyCodes + (i64)i * (D * KB / 8);
        int unitRow = span.from + i - keySide.sinkTokens;
        #pragma unroll
        for (int u = 0; u < NU; u++)
        {
            #pragma unroll
            for (int half = 0; half < 2; half++)
            {
                int row = u * UNIT + 8 * half;
                if constexpr (EDGE) load_any<KEY_BITS, KEY_GROUP == 0, KeyPiece::Groups, KeyPiece::Words, 4>(keys[u][half], keySide, i + row + firstRow, lane % 4);
                else KeyPiece::load(keys[u][half], codes + row * (D * KB / 8));
                if constexpr (KeyEntries)
                    KeyPiece::load_entries(keyEntries[u] + half * KeyPiece::Groups, entries_at<KEY_RUN>(keySide, head, unitRow + u * UNIT, 8 * half + firstRow, KeyPiece::Groups));
            }
        }
    }

    __device__ __forceinline__ void load_values(int i)
    {
        const u8* codes = valueCodes + (i64)i * (D * VB / 8);
        int unitRow = span.from + i - valueSide.sinkTokens;
        #pragma unroll
        for (int u = 0; u < NU; u++)
        {
            #pragma unroll
            for (int t = 0; t < 4; t++)
            {
                int row = u * UNIT + 4 * t;
                if constexpr (EDGE) load_any<VALUE_BITS, false, ValuePiece::Groups, ValuePiece::Words, 8>(values[u][t], valueSide, i + row + lane % 4, lane / 4);
                else ValuePiece::load(values[u][t], codes + row * (D * VB / 8));
            }
            #pragma unroll
            for (int half = 0; half < 2; half++)
            {
                if constexpr (ValueEntries)
                    ValuePiece::load_entries(valueEntries[u] + half * ValuePiece::Groups, entries_at<VALUE_RUN>(valueSide, head, unitRow + u * UNIT, 8 * half + firstRow, ValuePiece::Groups));
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

    __device__ __forceinline__ void run(State& state, int from, int to)
    {
        float bound = 8.67361738e-19f, up = ValueEntries ? WeightScale / bound : WeightScale, corrections[ValuePiece::Groups][2]; // 2^-60; above all scales of values so far
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
            seek();
            load_keys(place_of(from));
            load_values(place_of(from));
            if constexpr (Channels)
            {
                largestQuery = largestStep = 0;
                for (int i = lane; i < HEADS * D; i += 32) largestQuery = fmaxf(largestQuery, fabsf(queries[query_place(i / D, i % D)]));
                largestQuery = warp_max(largestQuery);
                fetch_scales((codedRow + place_of(from)) / KEY_RUN);
            }
            else load_query();
        }
        #pragma unroll 1
        for (int at = from; at < to; at += NU * UNIT)
        {
            float scores[NU][4];
            int place = place_of(at);
            #pragma unroll
            for (int u = 0; u < NU; u++)
            {
                if constexpr (Channels)
                {
                    int run = (codedRow + place + u * UNIT) / KEY_RUN;
                    if (run != known) scale_query(run, (codedRow + min(to, span.count) - 1) / KEY_RUN > run);
                    known = run;
                }
                score(scores[u], u);
            }
            if (at + NU * UNIT < to) load_keys(place_of(at + NU * UNIT));

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
                    float next = fmaxf(state.maxima[c], column_max(most[c])), factor = state.maxima[c] == -INFINITE ? 0 : power_of_two(state.maxima[c] - next);
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
            if (at + NU * UNIT < to) load_values(place_of(at + NU * UNIT));
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
                    sum = ValueEntries ? (sum * (CodeScale * pair_factor<VB>(e % (16 / VB))) - correction) * (bound / WeightScale) : sum / WeightScale;
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

// What a token sees of its cache: coded tokens of both sides, which are cut into parts, and those around them.
struct View
{
    int first, end;         // seen
    int codedFrom, codedTo; // both sides' are coded
    int part;               // tokens of a part
    int parts;
    bool hasEdge;
};

static __device__ __forceinline__ View view_of(const AttentionArguments& a, int sequence, const LayerCache& cache)
{
    View v;
    v.end = a.starts[sequence] + 1;
    v.first = a.window > 0 ? max(0, v.end - a.window) : 0;
    // At least a tile, none of whose units lies in two runs of scales.
    int from = max(v.first, max(cache.keys.sinkTokens, cache.values.sinkTokens)), aligned = from - max(cache.keys.sinkTokens, cache.values.sinkTokens);
    v.codedFrom = from + (KEY_RUN == 1 && VALUE_RUN == 1 ? 0 : (aligned + UNIT - 1) / UNIT * UNIT - aligned);
    int count = min(coded_end(cache.keys, v.end), coded_end(cache.values, v.end)) - v.codedFrom;
    if (count < UNITS * UNIT) v.codedFrom = v.codedTo = v.end;
    else v.codedTo = v.codedFrom + count;
    v.part = part_tokens(v.codedTo - v.codedFrom, a.parts);
    v.parts = (v.codedTo - v.codedFrom + v.part - 1) / v.part;
    v.hasEdge = v.codedFrom > v.first || v.codedTo < v.end;
    return v;
}

// Grid [splits, key heads, sequences]: the last of the splits is for the tokens around the coded ones.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) attend_token(AttentionArguments a)
{
    __shared__ __align__(16) float queries[HEADS * QUERY_STRIDE];
    __shared__ __align__(16) float results[WARPS][HEADS * D];
    __shared__ float2 states[WARPS][HEADS];
    __shared__ __align__(16) ChannelScales scales[KEY_GROUP == 0 ? WARPS : 1];
    wait_for_previous();
    int sequence = blockIdx.z, head = blockIdx.y, split = blockIdx.x, group = a.queryHeads / a.keyHeads, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const LayerCache& cache = a.caches[sequence * a.layers + a.layer];
    View view = view_of(a, sequence, cache);
    bool isEdge = split == a.splits - 1;
    if (isEdge ? !view.hasEdge : split >= view.parts) return;

    // Rotated side by side where the results will be.
    float scale = 1.44269504f * rsqrtf((float)D);
    float* rows = results[0];
    for (int i = threadIdx.x; i < group * D; i += THREADS) rows[i] = at(a.q, sequence, head * group * D + i) * scale;
    if (a.rotation > 0) hadamard(rows, group, D, D);
    for (int i = threadIdx.x; i < HEADS * D; i += THREADS) queries[query_place(i / D, i % D)] = i / D < group ? rows[i] : 0;
    __syncthreads();

    State state;
    if (isEdge)
    {
        int before = view.codedFrom - view.first, after = view.end - view.codedTo;
        Span span = { before + after, view.first, before, view.codedTo - view.codedFrom, view.end };
        int share = (span.count + WARPS * UNIT - 1) / (WARPS * UNIT) * UNIT;
        typedef Attend<16, D, 16, D, 1, true> Edge;
        Edge attend(cache.keys, cache.values, span, queries, KEY_GROUP == 0 ? scales + warp : nullptr, head, lane);
        attend.run(state, warp * share, min((warp + 1) * share, span.count));
        Edge::store(results[warp], state, lane);
    }
    else
    {
        Span span = { view.codedTo - view.codedFrom, view.codedFrom, 0, 0, view.end };
        int share = view.part / WARPS, from = split * view.part + warp * share;
        typedef Attend<KEY_BITS, KEY_GROUP, VALUE_BITS, VALUE_GROUP, UNITS, false> Coded;
        Coded attend(cache.keys, cache.values, span, queries, KEY_GROUP == 0 ? scales + warp : nullptr, head, lane);
        attend.run(state, from, min(from + share, span.count));
        Coded::store(results[warp], state, lane);
    }
    if (lane < 4)
    {
        states[warp][2 * lane] = make_float2(state.maxima[0], state.totals[0]);
        states[warp][2 * lane + 1] = make_float2(state.maxima[1], state.totals[1]);
    }
    __syncthreads();

    for (int i = threadIdx.x; i < group * (D / 2); i += THREADS)
    {
        int h = i / (D / 2), c = i % (D / 2) * 2;
        float most = -INFINITE, total = 0;
        float2 sum = make_float2(0, 0);
        #pragma unroll
        for (int w = 0; w < WARPS; w++) most = fmaxf(most, states[w][h].x);
        #pragma unroll
        for (int w = 0; w < WARPS; w++)
        {
            float factor = states[w][h].x == most ? 1 : power_of_two(states[w][h].x - most);
            float2 x = *(const float2*)(results[w] + h * D + c);
            total += factor * states[w][h].y;
            sum.x += factor * x.x;
            sum.y += factor * x.y;
        }
        float* partial = partial_of(a, sequence, head * group + h, split);
        *(float2*)(partial + c) = sum;
        if (c == 0) *(float2*)(partial + D) = make_float2(most, total);
    }
}

#define MERGE_THREADS 512

// Puts the parts together: grid [sequences, query heads].
extern "C" __global__ void __launch_bounds__(MERGE_THREADS) merge_parts(AttentionArguments a)
{
    const int Slices = MERGE_THREADS / D;
    __shared__ float sums[Slices][D];
    __shared__ float totals[Slices];
    __shared__ float maxima[MERGE_THREADS / 32];
    wait_for_previous();
    int sequence = blockIdx.x, head = blockIdx.y, slice = threadIdx.x / D, c = threadIdx.x % D;
    View view = view_of(a, sequence, a.caches[sequence * a.layers + a.layer]);
    const float* partials = partial_of(a, sequence, head, 0);
    int count = view.parts + (view.hasEdge ? 1 : 0);
    float most = -INFINITE;
    for (int i = threadIdx.x; i < count; i += MERGE_THREADS) most = fmaxf(most, partials[(i < view.parts ? i : a.splits - 1) * (D + 2) + D]);
    most = warp_max(most);
    if (threadIdx.x % 32 == 0) maxima[threadIdx.x / 32] = most;
    __syncthreads();
    #pragma unroll
    for (int i = 0; i < MERGE_THREADS / 32; i++) most = fmaxf(most, maxima[i]);
    float sum = 0, total = 0;
    #pragma unroll 8
    for (int i = slice; i < count; i += Slices)
    {
        const float* partial = partials + (i < view.parts ? i : a.splits - 1) * (D + 2);
        float factor = partial[D] == most ? 1 : power_of_two(partial[D] - most);
        sum += factor * partial[c];
        total += factor * partial[D + 1];
    }
    sums[slice][c] = sum;
    if (c == 0) totals[slice] = total;
    __syncthreads();
    if (slice == 0)
    {
        #pragma unroll
        for (int i = 1; i < Slices; i++)
        {
            sum += sums[i][c];
            total += totals[i];
        }
        sums[0][c] = sum * (1 / total);
    }
    __syncthreads();
    if (a.rotation == 2) hadamard(sums[0], 1, D, D);
    if (slice == 0) put(a.y, sequence, head * D + c, sums[0][c]);
}

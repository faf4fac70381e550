// Tiles of a packed cache as f16 rows in shared memory, for tensor cores to read. D is the head width.

// What turns the codes of a pair of channels into values: (1024 + code − zero)·scale, in f16: codes less the smallest stand in the last
// bits of 1,024, whose neighbours in f16 lie one apart.
struct Decoder
{
    u32 scale;
    u32 zero;
};

static __device__ __forceinline__ void decoder_of(u32 entry, int bits, u16& scale, u16& zero)
{
    bool constant = entry & 0x8000; // read_group
    scale = constant ? float_to_half(__int_as_float((int)((entry & 0x7fff) << 16 | entry >> 16))) : (u16)entry;
    zero = float_to_half((float)(1024 + (1 << (bits - 1)) + (constant ? 0 : (int)entry >> 16)));
}

// For eight channels that share an entry.
static __device__ __forceinline__ void share_decoder(Decoder (&d)[4], u32 entry, int bits)
{
    u16 scale, zero;
    decoder_of(entry, bits, scale, zero);
    #pragma unroll
    for (int i = 0; i < 4; i++) d[i] = { both_halves(scale), both_halves(zero) };
}

// For eight channels with an entry each.
static __device__ __forceinline__ void load_decoders(Decoder (&d)[4], const u32* entries, int bits)
{
    #pragma unroll
    for (int i = 0; i < 4; i++)
    {
        u16 scales[2], zeros[2];
        #pragma unroll
        for (int j = 0; j < 2; j++) decoder_of(__ldg(entries + 2 * i + j), bits, scales[j], zeros[j]);
        d[i] = { scales[0] | (u32)scales[1] << 16, zeros[0] | (u32)zeros[1] << 16 };
    }
}

// The bytes of eight channels.
template <int BITS> static __device__ __forceinline__ uint4 load_raw(const u8* source)
{
    if (BITS == 16) return __ldg((const uint4*)source);
    if (BITS == 8)
    {
        uint2 raw = __ldg((const uint2*)source);
        return make_uint4(raw.x, raw.y, 0, 0);
    }
    return make_uint4(BITS == 4 ? __ldg((const u32*)source) : __ldg((const u16*)source), 0, 0, 0);
}

template <int BITS> static __device__ __forceinline__ uint4 decode(uint4 raw, const Decoder (&d)[4])
{
    if constexpr (BITS == 16) return raw;
    else
    {
        const u32 Base = 0x64006400;
        u32 pairs[4];
        #pragma unroll
        for (int i = 0; i < 4; i++)
        {
            // Codes 2i and 2i + 1 in the last bits of both halves; what else is there is masked away.
            if (BITS == 8) pairs[i] = __byte_perm(i < 2 ? raw.x : raw.y, Base, i % 2 == 0 ? 0x5150 : 0x5352);
            if (BITS == 4) pairs[i] = (__byte_perm(raw.x, raw.x >> 4, i | (4 + i) << 8) & 0x000f000f) | Base;
            if (BITS == 2) pairs[i] = ((raw.x | raw.x << 14) >> 4 * i & 0x00030003) | Base;
            pairs[i] = scale_halves(subtract_halves(pairs[i], d[i].zero), d[i].scale);
        }
        return make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
    }
}

static __device__ __forceinline__ int run_of(const Side& s, int row) { return s.groupTokens == 1 ? row : row / s.groupTokens; }

// TILE coded rows. A thread of the team keeps its eight channels and goes through the tokens, several loads in flight.
// CHANNELS: each channel has its own entry.
template <int TEAM, int TILE, int BITS, bool CHANNELS>
static __device__ __forceinline__ void load_coded(u16* target, int stride, const Side& s, int head, int row, int thread)
{
    const int Pieces = D / 8, Step = TEAM / Pieces, Rounds = (TILE + Step - 1) / Step, Batch = Rounds < 8 ? Rounds : 8;
    int c = thread % Pieces * 8, first = thread / Pieces;
    if (first >= Step) return;
    const u8* codes = s.codes + head * s.headCodes + (i64)row * s.rowBytes + c * BITS / 8;
    const u32* groups = s.groups + head * s.headGroups + (CHANNELS ? c : s.groupChannels >= D ? 0 : c / s.groupChannels);
    int run = -1;
    Decoder d[4];
    #pragma unroll 1
    for (int t = first; t < TILE; t += Batch * Step)
    {
        uint4 raw[Batch];
        u32 entries[Batch];
        #pragma unroll
        for (int i = 0; i < Batch; i++)
        {
            int token = min(t + i * Step, TILE - 1);
            raw[i] = load_raw<BITS>(codes + token * s.rowBytes);
            if (BITS < 16 && !CHANNELS) entries[i] = __ldg(groups + (i64)run_of(s, row + token) * s.groupsPerRun);
        }
        #pragma unroll
        for (int i = 0; i < Batch; i++)
        {
            int token = t + i * Step;
            if (token >= TILE) break;
            if (BITS < 16 && !CHANNELS) share_decoder(d, entries[i], BITS);
            if (CHANNELS && run != run_of(s, row + token))
            {
                run = run_of(s, row + token);
                load_decoders(d, groups + (i64)run * s.groupsPerRun, BITS);
            }
            *(uint4*)(target + token * stride + c) = decode<BITS>(raw[i], d);
        }
    }
}

template <int BITS> static __device__ __forceinline__ uint4 decode_row(const Side& s, int head, int row, int c)
{
    Decoder d[4];
    const u32* groups = s.groups + head * s.headGroups + (i64)run_of(s, row) * s.groupsPerRun;
    if (BITS < 16 && s.groupChannels == 1) load_decoders(d, groups + c, BITS);
    else if (BITS < 16) share_decoder(d, __ldg(groups + c / s.groupChannels), BITS);
    return decode<BITS>(load_raw<BITS>(s.codes + head * s.headCodes + (i64)row * s.rowBytes + c * BITS / 8), d);
}

static __device__ __forceinline__ uint4 narrow_row(const float* x)
{
    return make_uint4(pack_halves(x[0], x[1]), pack_halves(x[2], x[3]), pack_halves(x[4], x[5]), pack_halves(x[6], x[7]));
}

// Channels c … c + 7 of any token: zero where there is none.
static __device__ __forceinline__ uint4 load_token(const Side& s, int head, int token, int codedEnd, int end, int c)
{
    if (token >= end) return make_uint4(0, 0, 0, 0);
    if (token < s.sinkTokens) return *(const uint4*)(s.sinks + ((i64)head * s.sinkTokens + token) * D + c);
    if (token >= codedEnd) return *(const uint4*)(s.ring + ((i64)head * s.ringTokens + token % s.ringTokens) * D + c);
    int row = token - s.sinkTokens;
    switch (s.bits)
    {
        case 2: return decode_row<2>(s, head, row, c);
        case 4: return decode_row<4>(s, head, row, c);
        case 8: return decode_row<8>(s, head, row, c);
        case 16: return decode_row<16>(s, head, row, c);
        default: return narrow_row((const float*)(s.codes + head * s.headCodes + (i64)row * s.rowBytes) + c);
    }
}

// Tokens tile … tile + TILE − 1 of one head into rows of `stride` halves, by a team of threads.
template <int TEAM, int TILE>
static __device__ __forceinline__ void load_tile(u16* target, int stride, const Side& s, int head, int tile, int codedEnd, int end, int thread)
{
    int row = tile - s.sinkTokens;
    bool whole = row >= 0 && tile + TILE <= codedEnd, channels = s.groupChannels == 1;
    if (whole && s.bits == 16) load_coded<TEAM, TILE, 16, false>(target, stride, s, head, row, thread);
    else if (whole && s.bits == 8 && channels) load_coded<TEAM, TILE, 8, true>(target, stride, s, head, row, thread);
    else if (whole && s.bits == 8) load_coded<TEAM, TILE, 8, false>(target, stride, s, head, row, thread);
    else if (whole && s.bits == 4 && channels) load_coded<TEAM, TILE, 4, true>(target, stride, s, head, row, thread);
    else if (whole && s.bits == 4) load_coded<TEAM, TILE, 4, false>(target, stride, s, head, row, thread);
    else if (whole && s.bits == 2 && channels) load_coded<TEAM, TILE, 2, true>(target, stride, s, head, row, thread);
    else if (whole && s.bits == 2) load_coded<TEAM, TILE, 2, false>(target, stride, s, head, row, thread);
    else
    {
        #pragma unroll 1
        for (int i = thread; i < TILE * (D / 8); i += TEAM)
        {
            int t = i / (D / 8), c = i % (D / 8) * 8;
            *(uint4*)(target + t * stride + c) = load_token(s, head, tile + t, codedEnd, end, c);
        }
    }
}

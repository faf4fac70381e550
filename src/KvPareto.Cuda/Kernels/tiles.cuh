// Tiles of a packed cache as f16 rows in shared memory, for tensor cores to read. D is the head width. Caches are read through the cache
// for constants: kernels before have written them, but addresses come from memory that is read after the wait for those. Who writes and
// reads in one kernel says otherwise.

#include "copies.cuh"

#ifndef LOAD_CACHE
#define LOAD_CACHE(address) __ldg(address)
#endif

// What turns the codes of a pair of channels into values: (1024 + code − zero)·scale, in f16: codes less the smallest stand in the last
// bits of 1,024, whose neighbours in f16 lie one apart.
struct Decoder
{
    u32 scale;
    u32 zero;
};

static __device__ __forceinline__ u16 int_to_half(int x)
{
    u16 bits;
    asm("cvt.rn.f16.s32 %0, %1;" : "=h"(bits) : "r"(x));
    return bits;
}

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
        for (int j = 0; j < 2; j++) decoder_of(LOAD_CACHE(entries + 2 * i + j), bits, scales[j], zeros[j]);
        d[i] = { scales[0] | (u32)scales[1] << 16, zeros[0] | (u32)zeros[1] << 16 };
    }
}

// The codes of eight channels.
template <int BITS> static __device__ __forceinline__ uint2 load_codes(const u8* source)
{
    if (BITS == 8) return LOAD_CACHE((const uint2*)source);
    return make_uint2(BITS == 4 ? LOAD_CACHE((const u32*)source) : LOAD_CACHE((const u16*)source), 0);
}

template <int BITS> static __device__ __forceinline__ uint4 decode(uint2 raw, const Decoder (&d)[4])
{
    const u32 Base = 0x64006400;
    u32 pairs[4];
    #pragma unroll
    for (int i = 0; i < 4; i++)
    {
        // Codes 2i and 2i + 1 in the last bits of both halves; what else is there is masked away.
        if (BITS == 8) pairs[i] = __byte_perm(i < 2 ? raw.x : raw.y, Base, i % 2 == 0 ? 0x5150 : 0x5352);
        if (BITS == 4) pairs[i] = and_or(__byte_perm(raw.x, raw.x >> 4, i | (4 + i) << 8), 0x000f000f, Base);
        if (BITS == 2) pairs[i] = and_or((raw.x | raw.x << 14) >> 4 * i, 0x00030003, Base);
        pairs[i] = scale_halves(subtract_halves(pairs[i], d[i].zero), d[i].scale);
    }
    return make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
}

static __device__ __forceinline__ int token_block_of(const Side& s, int row) { return s.groupTokens == 1 ? row : row / s.groupTokens; }

static __device__ __forceinline__ const u32* entries_of(const Side& s, int head, int row)
{
    return s.groups + head * s.headGroups + (i64)token_block_of(s, row) * s.groupsPerTokenBlock;
}

// Channels c … c + 7 of any token: zero where there is none.
template <int BITS, bool CHANNELS> static __device__ __forceinline__ uint4 load_token(
    const Side& s, int head, int token, int codedEnd, int end, int c)
{
    if (token >= end) return make_uint4(0, 0, 0, 0);
    if (token < s.sinkTokens) return *(const uint4*)(s.sinks + ((i64)head * s.sinkTokens + token) * D + c);
    if (token >= codedEnd) return *(const uint4*)(s.ring + ((i64)head * s.ringTokens + token % s.ringTokens) * D + c);
    int row = token - s.sinkTokens;
    const u8* source = s.codes + head * s.headCodes + (i64)row * s.rowBytes + c * BITS / 8;
    if constexpr (BITS == 32)
    {
        const float* x = (const float*)source;
        return make_uint4(pack_halves(x[0], x[1]), pack_halves(x[2], x[3]), pack_halves(x[4], x[5]), pack_halves(x[6], x[7]));
    }
    else if constexpr (BITS == 16) return *(const uint4*)source;
    else
    {
        Decoder d[4];
        const u32* entries = entries_of(s, head, row);
        if (CHANNELS) load_decoders(d, entries + c, BITS);
        else share_decoder(d, LOAD_CACHE(entries + c / s.groupChannels), BITS);
        return decode<BITS>(load_codes<BITS>(source), d);
    }
}

// Where a token's channels c … c + 7 go: rows of `stride` halves.
struct PlainRows
{
    u16* base;
    int stride;
    __device__ __forceinline__ u16* at(int t, int c) const { return base + t * stride + c; }
};

// TILE tokens of one head on their way into rows, by a team of threads: fetched from memory, then stored. A thread keeps
// its eight channels and goes through the tokens. Codes wait in registers, all of a thread's loads in flight; rows of f16 are copied.
// CHANNELS: each channel has its own entry.
template <int TEAM, int TILE, int BITS, bool CHANNELS> struct TileLoad
{
    static const int Pieces = D / 8, Step = TEAM / Pieces, Rounds = (TILE + Step - 1) / Step;

    uint2 codes[Rounds];
    u32 entries[Rounds];
    int last;   // index of the last coded token
    bool whole; // all tokens are coded, or behind the end, where the last one stands in for them

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int codedEnd, int end, int thread)
    {
        last = min(TILE, codedEnd - tile) - 1;
        whole = BITS < 32 && tile >= s.sinkTokens && (last == TILE - 1 || codedEnd == end) && last >= 0;
        if (!whole || BITS == 16 || thread >= Step * Pieces) return;
        int c = thread % Pieces * 8, row = tile - s.sinkTokens;
        const u8* source = s.codes + head * s.headCodes + (i64)row * s.rowBytes + c * BITS / 8;
        const u32* groups = s.groups + head * s.headGroups + (CHANNELS || s.groupChannels >= D ? 0 : c / s.groupChannels);
        #pragma unroll
        for (int i = 0; i < Rounds; i++)
        {
            int t = min(thread / Pieces + i * Step, last);
            codes[i] = load_codes<BITS>(source + t * s.rowBytes);
            if (!CHANNELS) entries[i] = LOAD_CACHE(groups + (i64)token_block_of(s, row + t) * s.groupsPerTokenBlock);
        }
    }

    template <class Rows> __device__ __forceinline__ void store(
        const Rows& rows, const Side& s, int head, int tile, int codedEnd, int end, int thread)
    {
        if (!whole)
        {
            #pragma unroll 2
            for (int i = thread; i < TILE * Pieces; i += TEAM)
                *(uint4*)rows.at(i / Pieces, i % Pieces * 8) = load_token<BITS,
                    CHANNELS>(s, head, tile + i / Pieces, codedEnd, end, i % Pieces * 8);
            return;
        }
        if (thread >= Step * Pieces) return;
        int c = thread % Pieces * 8, row = tile - s.sinkTokens, block = -1;
        Decoder d[4];
        #pragma unroll
        for (int i = 0; i < Rounds; i++)
        {
            int t = thread / Pieces + i * Step;
            if (t >= TILE) break;
            u16* place = rows.at(t, c);
            t = min(t, last);
            if constexpr (BITS == 16) copy_async(place, s.codes + head * s.headCodes + (i64)(row + t) * s.rowBytes + 2 * c);
            else
            {
                if (!CHANNELS) share_decoder(d, entries[i], BITS);
                else if (block != token_block_of(s, row + t))
                {
                    block = token_block_of(s, row + t);
                    load_decoders(d, entries_of(s, head, row + t) + c, BITS);
                }
                *(uint4*)place = decode<BITS>(codes[i], d);
            }
        }
    }
};

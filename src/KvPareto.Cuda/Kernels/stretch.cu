// A stretch of one sequence's cache as f16, so that many blocks of query rows need not unpack it each by itself. Compiled like prefill.cu,
// for heads of 64 or 128 channels.

#include "common.cuh"

#define D HEAD_DIM

#include "tensor_cores.cuh"
#include "tiles.cuh"

#define THREADS 128
#define AHEAD 8               // tokens whose codes a thread asks for at a time
#define TOKENS 16             // of a thread
#define PIECES (D / 8)
#define BLOCK_TOKENS (THREADS / PIECES * TOKENS)

struct StretchArguments
{
    const LayerCache* source;
    LayerCache* target; // as if it held f16 rows of the stretch's tokens, and no others
    u16* keys;          // [Nkv, tokens, D]; null: they are f16 already
    u16* values;
    int from, to;
    int length;         // of the context
    int reserved;
};

static_assert(sizeof(StretchArguments) == 48, "structures differ from the host's");

static __device__ Side as_halves(const Side& s, u16* rows, const StretchArguments& a)
{
    if (rows == nullptr) return s;
    Side t = {};
    t.bits = 16;
    t.axis = PLAIN;
    t.rowBytes = 2 * D;
    t.headCodes = (i64)(a.to - a.from) * t.rowBytes;
    t.codes = (u8*)rows - (i64)a.from * t.rowBytes;
    t.groupTokens = t.groupChannels = t.granule = 1;
    t.codedTokens = a.to;
    return t;
}

// A thread has eight channels of some tokens.
template <int BITS, bool CHANNELS> static __device__ __forceinline__ void unpack(const Side& s, u16* target, const StretchArguments& a)
{
    int head = blockIdx.y, c = threadIdx.x % PIECES * 8, first = a.from + blockIdx.x * BLOCK_TOKENS + threadIdx.x / PIECES * TOKENS,
        block = -1;
    int codedEnd = coded_end(s, a.length);
    u16* rows = target + ((i64)head * (a.to - a.from) - a.from) * D + c;
    Decoder d[4];
    #pragma unroll 1
    for (int token = first; token < first + TOKENS; token += AHEAD)
    {
        if (token < s.sinkTokens || token + AHEAD > min(codedEnd, a.to))
        {
            for (int i = token; i < min(token + AHEAD, a.to); i++)
                *(uint4*)(rows + (i64)i * D) = load_token<BITS, CHANNELS>(s, head, i, codedEnd, a.length, c);
            continue;
        }
        int row = token - s.sinkTokens;
        const u8* source = s.codes + head * s.headCodes + (i64)row * s.rowBytes + c * BITS / 8;
        uint2 codes[AHEAD];
        u32 entries[AHEAD];
        #pragma unroll
        for (int i = 0; i < AHEAD; i++)
        {
            codes[i] = load_codes<BITS>(source + i * s.rowBytes);
            if (!CHANNELS) entries[i] = __ldg(entries_of(s, head, row + i) + c / s.groupChannels);
        }
        #pragma unroll
        for (int i = 0; i < AHEAD; i++)
        {
            if (!CHANNELS) share_decoder(d, entries[i], BITS);
            else if (block != token_block_of(s, row + i))
            {
                block = token_block_of(s, row + i);
                load_decoders(d, entries_of(s, head, row + i) + c, BITS);
            }
            *(uint4*)(rows + (i64)(token + i) * D) = decode<BITS>(codes[i], d);
        }
    }
}

// Grid [tokens / BLOCK_TOKENS, key heads, 2].
extern "C" __global__ void __launch_bounds__(THREADS) unpack_stretch(StretchArguments a)
{
    let_next_start();
    wait_for_previous();
    const LayerCache& cache = *a.source;
    if (blockIdx.x + blockIdx.y + blockIdx.z == 0 && threadIdx.x == 0)
    {
        a.target->keys = as_halves(cache.keys, a.keys, a);
        a.target->values = as_halves(cache.values, a.values, a);
        a.target->means = nullptr;
        a.target->bias = a.target->turns = nullptr;
    }
    if constexpr (KEY_BITS < 16)
        if (blockIdx.z == 0) unpack<KEY_BITS, KEY_GROUP == 0>(cache.keys, a.keys, a);
    if constexpr (VALUE_BITS < 16)
        if (blockIdx.z == 1) unpack<VALUE_BITS, VALUE_GROUP == 0>(cache.values, a.values, a);
}

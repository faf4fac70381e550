// Filling tiles of keys or values in shared memory (prefill.cu), unpacked to f16, by FILLERS threads. How depends on how they are coded.

// What a thread unpacks 16 channels of one token block's rows with, where channels have entries of their own, and the next block's entries.
struct TokenBlockDecoders
{
    int block;
    Decoder d[2][4];
    u32 next[16];
};

// 32 channels of a row as they are coded, one entry for all: what a filling thread takes at a time, several rows at once.
template <int BITS, int GROUP, int BLOCK_TOKENS> struct CodedRows
{
    static const int Chunks = D / 32, Step = FILLERS / Chunks; // threads of a row; rows at once, a multiple of eight
    static const int Units = BITS < 8 && D == 128 ? 4 : 2, Parts = TILE / (Units * Step);

    u32 words[Units][BITS];
    u32 entries[Units];

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int part, int, int, int thread)
    {
        int chunk = thread % Chunks, row = tile - s.sinkTokens + part * Units * Step + thread / Chunks;
        const u8* source = s.codes + head * s.headCodes + (i64)row * (D * BITS / 8) + chunk * (4 * BITS);
        const u32* groups = s.groups + head * s.headGroups + chunk * 32 / GROUP;
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            const u8* place = source + i * Step * (D * BITS / 8);
            if constexpr (BITS == 2)
            {
                uint2 x = __ldg((const uint2*)place);
                words[i][0] = x.x;
                words[i][1] = x.y;
            }
            else
            {
                #pragma unroll
                for (int k = 0; k < BITS / 4; k++)
                {
                    uint4 x = __ldg((const uint4*)place + k);
                    words[i][4 * k] = x.x;
                    words[i][4 * k + 1] = x.y;
                    words[i][4 * k + 2] = x.z;
                    words[i][4 * k + 3] = x.w;
                }
            }
            entries[i] = __ldg(groups + (i64)((row + i * Step) / BLOCK_TOKENS) * (D / GROUP));
        }
    }

    // Eight of the 32 channels.
    __device__ __forceinline__ uint2 piece(int i, int p) const
    {
        if (BITS == 8) return make_uint2(words[i][2 * p % BITS], words[i][(2 * p + 1) % BITS]);
        return make_uint2(BITS == 4 ? words[i][p % BITS] : words[i][p / 2 % BITS] >> 16 * (p % 2) & 0xffff, 0);
    }

    __device__ __forceinline__ void store(
        TokenBlockDecoders&, const SwizzledRows& rows, const Side&, int, int, int part, int, int, int thread) const
    {
        // Threads of one row that write to different slabs begin with different pieces: else they would meet in the same banks.
        int chunk = thread % Chunks, row = thread / Chunks, turn = chunk & 2;
        u8* base = (u8*)rows.base + chunk / 2 * rows.slabBytes + row * 128;
        int swizzle = (chunk % 2 * 4 | turn) ^ row % 8;
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            Decoder d[4];
            share_decoder(d, entries[i], BITS);
            #pragma unroll
            for (int p = 0; p < 4; p++)
            {
                uint2 own = piece(i, p), other = piece(i, p ^ 2);
                *(uint4*)(base + (swizzle ^ p) * 16 + (part * Units + i) * Step * 128) = decode<BITS>(turn ? other : own, d);
            }
        }
    }
};

// 16 channels of a row, each with its own entry: the thread's, for a token block of rows.
template <int BITS, int BLOCK_TOKENS> struct ChannelRows
{
    static const int Tokens = BITS == 8 ? 32 : 64, Parts = TILE / Tokens, Words = BITS / 2;
    static const int Pieces = D / 16, Step = FILLERS / Pieces, Units = Tokens / Step; // threads of a row; rows at once, a multiple of eight

    u32 words[Units][Words];

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int part, int, int, int thread)
    {
        const u8* source = s.codes + head * s.headCodes + (i64)(tile - s.sinkTokens + part * Tokens + thread / Pieces) * (D * BITS / 8)
            + thread % Pieces * (2 * BITS);
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            const u8* place = source + i * Step * (D * BITS / 8);
            if constexpr (BITS == 2) words[i][0] = __ldg((const u32*)place);
            else if constexpr (BITS == 4)
            {
                uint2 x = __ldg((const uint2*)place);
                words[i][0] = x.x;
                words[i][1] = x.y;
            }
            else
            {
                uint4 x = __ldg((const uint4*)place);
                words[i][0] = x.x;
                words[i][1] = x.y;
                words[i][2] = x.z;
                words[i][3] = x.w;
            }
        }
    }

    static __device__ __forceinline__ void fetch_block(u32 (&entries)[16], const Side& s, int head, int block, int thread)
    {
        const uint4* place = (const uint4*)(s.groups + head * s.headGroups + (i64)block * D + thread % Pieces * 16);
        #pragma unroll
        for (int k = 0; k < 4; k++)
        {
            uint4 x = __ldg(place + k);
            entries[4 * k] = x.x;
            entries[4 * k + 1] = x.y;
            entries[4 * k + 2] = x.z;
            entries[4 * k + 3] = x.w;
        }
    }

    // Token blocks follow one another; `last` is the last one with codes.
    static __device__ __forceinline__ void turn_to(TokenBlockDecoders& decoders, const Side& s, int head, int block, int last, int thread)
    {
        if (decoders.block < 0 || block != decoders.block + 1) fetch_block(decoders.next, s, head, block, thread);
        decoders.block = block;
        u32 marks = 0;
        #pragma unroll
        for (int i = 0; i < 16; i++) marks |= decoders.next[i];
        #pragma unroll
        for (int i = 0; i < 8; i++)
        {
            u32 low = decoders.next[2 * i], high = decoders.next[2 * i + 1];
            u16 scales[2] = { (u16)low, (u16)high }, zeros[2];
            zeros[0] = int_to_half(((int)low >> 16) + 1024 + (1 << (BITS - 1)));
            zeros[1] = int_to_half(((int)high >> 16) + 1024 + (1 << (BITS - 1)));
            if (marks & 0x8000)
            {
                decoder_of(low, BITS, scales[0], zeros[0]);
                decoder_of(high, BITS, scales[1], zeros[1]);
            }
            decoders.d[i / 4][i % 4] = { scales[0] | (u32)scales[1] << 16, zeros[0] | (u32)zeros[1] << 16 };
        }
        fetch_block(decoders.next, s, head, min(block + 1, last), thread);
    }

    __device__ __forceinline__ void store(TokenBlockDecoders& decoders, const SwizzledRows& rows, const Side& s, int head, int tile,
        int part, int codedEnd, int, int thread) const
    {
        int row = thread / Pieces, first = tile - s.sinkTokens + part * Tokens + row, last = (codedEnd - s.sinkTokens - 1) / BLOCK_TOKENS;
        int piece = thread % Pieces * 2;
        u8* base = (u8*)rows.base + piece / 8 * rows.slabBytes + (part * Tokens + row) * 128;
        int swizzle = piece % 8 ^ row % 8;
        #pragma unroll
        for (int i = 0; i < Units; i++)
        {
            int block = (first + i * Step) / BLOCK_TOKENS;
            if (block != decoders.block) turn_to(decoders, s, head, block, last, thread);
            #pragma unroll
            for (int p = 0; p < 2; p++)
            {
                uint2 raw = BITS == 8 ? make_uint2(words[i][2 * p % Words], words[i][(2 * p + 1) % Words])
                    : make_uint2(BITS == 4 ? words[i][p % Words] : words[i][0] >> 16 * p & 0xffff, 0);
                *(uint4*)(base + (swizzle ^ p) * 16 + i * Step * 128) = decode<BITS>(raw, decoders.d[p]);
            }
        }
    }
};

// Eight channels of a row at a time, with entries of any kind.
template <int BITS> struct AnyRows
{
    static const int Tokens = 32, Parts = TILE / Tokens;

    TileLoad<FILLERS, Tokens, BITS, false> load;

    __device__ __forceinline__ void fetch(const Side& s, int head, int tile, int part, int codedEnd, int end, int thread)
    {
        load.fetch(s, head, tile + part * Tokens, codedEnd, end, thread);
    }

    __device__ __forceinline__ void store(
        TokenBlockDecoders&, const SwizzledRows& rows, const Side& s, int head, int tile, int part, int codedEnd, int end, int thread)
    {
        load.store(SwizzledRows { (u16*)((u8*)rows.base + part * Tokens * 128), rows.slabBytes }, s, head, tile + part * Tokens, codedEnd,
            end, thread);
    }
};

// Rows of f16 are copied.
struct HalfRows
{
    static const int Parts = 2;

    __device__ __forceinline__ void fetch(const Side&, int, int, int, int, int, int) { }

    __device__ __forceinline__ void store(
        TokenBlockDecoders&, const SwizzledRows& rows, const Side& s, int head, int tile, int part, int, int, int thread)
    {
        const int Pieces = D / 8, Step = FILLERS / Pieces;
        int c = thread % Pieces * 8, row = part * (TILE / Parts) + thread / Pieces;
        const u8* source = s.codes + head * s.headCodes + (i64)(tile - s.sinkTokens + row) * (D * 2) + c * 2;
        #pragma unroll
        for (int i = 0; i < TILE / Parts / Step; i++) copy_async(rows.at(row + i * Step, c), source + i * Step * (D * 2));
    }
};

template <bool FIRST, class A, class B> struct Choose { typedef A Type; };
template <class A, class B> struct Choose<false, A, B> { typedef B Type; };

// One side's tiles of tokens [from, to), of a context of `length`, of which `known` were there before the step.
struct Filling
{
    u8* tiles;
    u64* full;
    u64* empty;
    const Side& side;
    int head, from, to, length, known;
    int thread;
};

// By FILLERS threads: two parts of a tile are on their way while others are stored. The first tiles do not wait for what ran before, if
// their tokens and some more had been coded when there were `known` in all.
template <int BITS, int GROUP, int BLOCK_TOKENS> static __device__ __forceinline__ void fill(const Filling& f)
{
    const Side& s = f.side;
    int head = f.head, from = f.from, length = f.length, thread = f.thread;
    const bool IsVector = BITS < 16 && GROUP > 0 && GROUP % 32 == 0;
    typedef typename Choose<BITS == 16, HalfRows,
        typename Choose<GROUP == 0, ChannelRows<BITS < 16 ? BITS : 8, BLOCK_TOKENS>,
        typename Choose<IsVector, CodedRows<BITS < 16 ? BITS : 8, IsVector ? GROUP : D, BLOCK_TOKENS>,
            AnyRows<BITS>>::Type>::Type>::Type Rows;
    int end = coded_end(s, length), count = (f.to - from + TILE - 1) / TILE;
    if (from + (STAGES + 2) * TILE > min(f.known, coded_end(s, f.known))) wait_for_previous();
    Rows first, second;
    TokenBlockDecoders decoders;
    decoders.block = -1;
    bool isWhole = from >= s.sinkTokens && from + TILE <= end;
    if (isWhole)
    {
        first.fetch(s, head, from, 0, end, length, thread);
        second.fetch(s, head, from, 1, end, length, thread);
    }
    #pragma unroll 1
    for (int j = 0; j < count; j++)
    {
        int tile = from + j * TILE, stage = j % STAGES, next = tile + TILE;
        bool isNextWhole = j + 1 < count && next >= s.sinkTokens && next + TILE <= end;
        SwizzledRows rows = { (u16*)(f.tiles + stage * TILE_BYTES), SLAB };
        wait_for(&f.empty[stage], j / STAGES % 2 ^ 1);
        if (j == STAGES) wait_for_previous();
        if (isWhole)
        {
            #pragma unroll
            for (int part = 0; part < Rows::Parts; part += 2)
            {
                bool isLast = part + 2 == Rows::Parts;
                first.store(decoders, rows, s, head, tile, part, end, length, thread);
                if (!isLast || isNextWhole) first.fetch(s, head, isLast ? next : tile, isLast ? 0 : part + 2, end, length, thread);
                second.store(decoders, rows, s, head, tile, part + 1, end, length, thread);
                if (!isLast || isNextWhole) second.fetch(s, head, isLast ? next : tile, isLast ? 1 : part + 3, end, length, thread);
            }
        }
        else
        {
            #pragma unroll 4
            for (int i = thread; i < TILE * (D / 8); i += FILLERS)
                *(uint4*)rows.at(i / (D / 8), i % (D / 8) * 8) =
                    load_token<BITS, GROUP == 0>(s, head, tile + i / (D / 8), end, length, i % (D / 8) * 8);
            if (isNextWhole)
            {
                first.fetch(s, head, next, 0, end, length, thread);
                second.fetch(s, head, next, 1, end, length, thread);
            }
        }
        wait_for_copies();
        publish();
        arrive(&f.full[stage]);
        isWhole = isNextWhole;
    }
}

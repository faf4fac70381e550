// The rows of a block of prefill.cu: which tokens and heads they are, their queries on the way in, their results on the way out.

// Channels of a row that a lane has: side by side.
#define LANE_CHANNELS (D / 32)

// A block's rows, and the token and the head of each, found without a division of its own.
struct BlockRows
{
    int first; // row
    int count; // of all blocks
    int group; // heads of a token
    int token; // of the first row
    int rest;  // and its head
    float inverse;

    __device__ __forceinline__ explicit BlockRows(const AttentionArguments& a)
    {
        int block;
        asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(block)); // found anew where it is wanted, instead of kept in registers
        first = block / a.splits * ROWS;
        group = a.queryHeads / a.keyHeads;
        count = a.rows * group;
        token = first / group;
        rest = first - token * group;
        inverse = 1.0f / group;
    }

    __device__ __forceinline__ bool has(int row) const { return first + row < count; }

    // Exact for so few rows: no number lies closer to the next integer than half a head.
    __device__ __forceinline__ int token_of(int row) const { return token + (int)((rest + row + 0.5f) * inverse); }

    __device__ __forceinline__ int head_of(int row) const { return rest + row - (token_of(row) - token) * group; }

    __device__ __forceinline__ Sight sight(const AttentionArguments& a, int start, int row) const
    {
        int end = start + token_of(row) + 1;
        if (!has(row)) return { 0, 0 };
        return { a.window > 0 ? max(0, end - a.window) : 0, end };
    }
};

#define QUERY_BATCH 8 // rows of a warp that are on their way together

// Rows of queries as products take them: f16, times `scale`, and turned as the keys are where these are.
template <bool TURNS> static __device__ __forceinline__ void store_queries(
    const SwizzledRows& target, const u32 (&pairs)[QUERY_BATCH][LANE_CHANNELS / 2], float scale, int row, int lane)
{
    int c = lane * LANE_CHANNELS;
    #pragma unroll
    for (int r = 0; r < QUERY_BATCH; r++)
    {
        float x[LANE_CHANNELS];
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i++) x[i] = scale * (i % 2 == 0 ? low_bfloat(pairs[r][i / 2]) : high_bfloat(pairs[r][i / 2]));
        if (TURNS) hadamard_of_warp(x, lane);
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i += 2) *(u32*)(target.at(row + r, c / 8 * 8) + c % 8 + i) = pack_halves(x[i], x[i + 1]);
    }
}

// A warp's 16 query rows from `row` on, scaled by scoreScale·log2(e).
static __device__ __forceinline__ void load_queries(
    const SwizzledRows& target, const AttentionArguments& a, const BlockRows& rows, int head, int row, int lane)
{
    float scale = 1.44269504f * a.scoreScale;
    #pragma unroll 1
    for (int end = row + 16; row < end; row += QUERY_BATCH)
    {
        u32 pairs[QUERY_BATCH][LANE_CHANNELS / 2];
        #pragma unroll
        for (int r = 0; r < QUERY_BATCH; r++)
        {
            int column = (head * rows.group + rows.head_of(row + r)) * D + lane * LANE_CHANNELS;
            const u32* source = (const u32*)((const u16*)a.q.data + (i64)rows.token_of(row + r) * a.q.stride + column);
            #pragma unroll
            for (int i = 0; i < LANE_CHANNELS / 2; i++) pairs[r][i] = rows.has(row + r) ? source[i] : 0;
        }
        if (a.rotation > 0) store_queries<true>(target, pairs, scale, row, lane);
        else store_queries<false>(target, pairs, scale, row, lane);
    }
}

// A row's result, of channels that a lane has.
static __device__ __forceinline__ void put_row(
    const AttentionArguments& a, const BlockRows& rows, int head, int row, float (&x)[LANE_CHANNELS], float total, int lane)
{
    float factor = 1 / total;
    #pragma unroll
    for (int i = 0; i < LANE_CHANNELS; i++) x[i] *= factor;
    if (a.rotation == 2) hadamard_of_warp(x, lane);
    int column = (head * rows.group + rows.head_of(row)) * D + lane * LANE_CHANNELS;
    u32* target = (u32*)((u16*)a.y.data + (i64)rows.token_of(row) * a.y.stride + column);
    #pragma unroll
    for (int i = 0; i < LANE_CHANNELS / 2; i++) target[i] = pack_bfloats(x[2 * i], x[2 * i + 1]);
}

// Each of a cluster's blocks puts some of the rows together, of which all have a part staged; always in one order.
static __device__ __forceinline__ void merge_rows(const AttentionArguments& a, const float* staging, int head, int warp, int lane)
{
    BlockRows rows(a);
    const int Batch = 2; // rows whose loads are on their way together
    int stride = a.splits * (2 * QUAD / 32), first = warp + (2 * QUAD / 32) * (int)rank_in_cluster();
    #pragma unroll 1
    for (int row = first; row < ROWS && rows.has(row); row += Batch * stride)
    {
        float x[Batch][LANE_CHANNELS] = {}, most[Batch], total[Batch] = {};
        #pragma unroll
        for (int i = 0; i < Batch; i++) most[i] = -INFINITE;
        #pragma unroll 1
        for (int split = 0; split < a.splits; split++)
        {
            #pragma unroll
            for (int i = 0; i < Batch; i++)
            {
                u32 place = remote_address(shared_address(staging + min(row + i * stride, ROWS - 1) * STAGING), split);
                float2 state = load_remote_pair(place + D * 4);
                float part[LANE_CHANNELS];
                #pragma unroll
                for (int j = 0; j < LANE_CHANNELS; j += 2)
                {
                    float2 pair = load_remote_pair(place + (lane * LANE_CHANNELS + j) * 4);
                    part[j] = pair.x;
                    part[j + 1] = pair.y;
                }
                float larger = fmaxf(most[i], state.x), shift = larger == -INFINITE ? 0 : larger;
                float before = power_of_two(most[i] - shift), factor = power_of_two(state.x - shift);
                most[i] = larger;
                total[i] = before * total[i] + factor * state.y;
                #pragma unroll
                for (int j = 0; j < LANE_CHANNELS; j++) x[i][j] = before * x[i][j] + factor * part[j];
            }
        }
        #pragma unroll
        for (int i = 0; i < Batch; i++)
            if (row + i * stride < ROWS && rows.has(row + i * stride)) put_row(a, rows, head, row + i * stride, x[i], total[i], lane);
    }
}

// Nothing of a part, for the rest of a cluster to find; a warp's rows.
static __device__ __forceinline__ void stage_nothing(float* staging, int row, int lane)
{
    for (int i = lane; i < 16 * STAGING; i += 32) staging[row * STAGING + i] = i % STAGING == D ? -INFINITE : 0;
}

// What a warp has staged of its rows: results, or partials where others have further parts.
static __device__ __forceinline__ void put_rows(const AttentionArguments& a, const float* staging, int head, int split, int row, int lane)
{
    BlockRows rows(a);
    int c = lane * LANE_CHANNELS;
    for (int r = row; r < row + 16 && rows.has(r); r++)
    {
        const float* source = staging + r * STAGING;
        float x[LANE_CHANNELS];
        #pragma unroll
        for (int i = 0; i < LANE_CHANNELS; i++) x[i] = source[c + i];
        if (a.splits > 1 || (a.carries & CARRIES_OUT))
        {
            float* partial = partial_of(a, rows.token_of(r), head * rows.group + rows.head_of(r), split);
            #pragma unroll
            for (int i = 0; i < LANE_CHANNELS; i += 2) *(float2*)(partial + c + i) = make_float2(x[i], x[i + 1]);
            if (lane == 0) *(float2*)(partial + D) = *(const float2*)(source + D);
        }
        else put_row(a, rows, head, r, x, source[D + 1], lane);
    }
}

// Weights as they lie in device memory: rows of elements, or of codes with an entry a group.

enum WeightKind { WEIGHT_F32 = 0, WEIGHT_F16 = 1, WEIGHT_BF16 = 2, WEIGHT_W4 = 3, WEIGHT_W8 = 4 };

struct WeightRows
{
    const u8* data;    // [N, K] elements; W4 [N, K/2], the even column in the low half; W8 [N, K]
    const u32* groups; // [K/group, N]: rows that are multiplied together have neighbours
    int kind;
    int columns; // K
    int group;
    int rows;    // N
};

// What becomes of a sum: it is stored, or added to what is there, or silu(part 0)·(part 1) is stored as part 0.
enum LinearMode { STORE = 0, ADD = 1, GATED = 2 };

static_assert(sizeof(WeightRows) == 32, "structures differ from the host's");

static __device__ __forceinline__ u32 entry_at(const WeightRows& w, int row, int column)
{
    return w.groups[(i64)(column / w.group) * w.rows + row];
}

static __device__ __forceinline__ float weight_at(const WeightRows& w, int row, int column)
{
    i64 index = (i64)row * w.columns + column;
    if (w.kind <= WEIGHT_BF16) return load_element(w.data, w.kind, index);
    float scale, offset;
    read_group(entry_at(w, row, column), scale, offset);
    int code = w.kind == WEIGHT_W8 ? (int)w.data[index] - 128 : (int)(w.data[index >> 1] >> 4 * (index & 1) & 15) - 8;
    return fmaf((float)code, scale, offset);
}

// Columns c … c + 7 of a row; c is a multiple of 8, K too.
static __device__ __forceinline__ void weights_at(const WeightRows& w, int row, int column, float* values)
{
    i64 index = (i64)row * w.columns + column;
    if (w.kind == WEIGHT_F32)
    {
        float4 low = *(const float4*)(w.data + 4 * index), high = *(const float4*)(w.data + 4 * index + 16);
        values[0] = low.x; values[1] = low.y; values[2] = low.z; values[3] = low.w;
        values[4] = high.x; values[5] = high.y; values[6] = high.z; values[7] = high.w;
        return;
    }
    if (w.kind <= WEIGHT_BF16)
    {
        uint4 raw = *(const uint4*)(w.data + 2 * index);
        u32 words[4] = { raw.x, raw.y, raw.z, raw.w };
        for (int i = 0; i < 4; i++)
        {
            values[2 * i] = w.kind == WEIGHT_F16 ? half_to_float((u16)words[i]) : low_bfloat(words[i]);
            values[2 * i + 1] = w.kind == WEIGHT_F16 ? half_to_float((u16)(words[i] >> 16)) : high_bfloat(words[i]);
        }
        return;
    }
    float scale, offset;
    read_group(entry_at(w, row, column), scale, offset);
    if (w.kind == WEIGHT_W4)
    {
        u32 raw = *(const u32*)(w.data + (index >> 1));
        for (int i = 0; i < 8; i++) values[i] = fmaf((float)((int)(raw >> 4 * i & 15) - 8), scale, offset);
        return;
    }
    uint2 raw = *(const uint2*)(w.data + index);
    for (int i = 0; i < 8; i++) values[i] = fmaf((float)((int)((i < 4 ? raw.x : raw.y) >> 8 * (i & 3) & 255) - 128), scale, offset);
}

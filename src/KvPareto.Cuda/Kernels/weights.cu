// Coded weights, and others that cuBLASLt does not multiply, as dense bf16.

#include "common.cuh"
#include "tensor_cores.cuh"
#include "weights.cuh"

struct UnpackArguments
{
    WeightRows weight;
    u16* target; // [rows, K] bf16
    int firstRow;
    int reserved;
};

static_assert(sizeof(UnpackArguments) == 48, "structures differ from the host's");

static __device__ __forceinline__ uint4 pack_eight(const float* x)
{
    return make_uint4(pack_bfloats(x[0], x[1]), pack_bfloats(x[2], x[3]), pack_bfloats(x[4], x[5]), pack_bfloats(x[6], x[7]));
}

// Some rows of a weight as bf16, for a product of dense matrices. A thread takes EACH times eight columns: grid [columns, rows].
extern "C" __global__ void unpack_weight(UnpackArguments a)
{
    const int EACH = 4;
    const WeightRows& w = a.weight;
    int row = a.firstRow + blockIdx.y, eight = blockIdx.x * EACH * blockDim.x + threadIdx.x;
    u16* target = a.target + (i64)blockIdx.y * w.columns;
    bool isAligned = w.columns % 8 == 0;
    if (isAligned && w.kind == WEIGHT_W4 && w.group % 8 == 0)
    {
        const u32* source = (const u32*)w.data + (i64)row * (w.columns / 8);
        u32 words[EACH], entries[EACH];
        #pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            int place = min(eight + i * (int)blockDim.x, w.columns / 8 - 1);
            words[i] = __ldg(source + place);
            entries[i] = __ldg(w.groups + (i64)(place * 8 / w.group) * w.rows + row);
        }
        wait_for_previous();
        #pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            int place = eight + i * blockDim.x;
            if (place >= w.columns / 8) return;
            float scale, offset, values[8];
            read_group(entries[i], scale, offset);
            #pragma unroll
            for (int c = 0; c < 8; c++)
                // 2^23 + code, less 2^23 + 8
                values[c] = fmaf(__int_as_float(0x4b000000 | (words[i] >> 4 * c & 15)) - 8388616.0f, scale, offset);
            *(uint4*)(target + 8 * place) = pack_eight(values);
        }
        return;
    }
    wait_for_previous();
    for (int i = 0; i < EACH; i++)
    {
        int c = (eight + i * blockDim.x) * 8;
        if (isAligned && c < w.columns)
        {
            float values[8];
            weights_at(w, row, c, values);
            *(uint4*)(target + c) = pack_eight(values);
        }
        else
        {
            for (int end = min(c + 8, w.columns); c < end; c++) target[c] = float_to_bfloat(weight_at(w, row, c));
        }
    }
}

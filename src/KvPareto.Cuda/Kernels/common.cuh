// What all kernels share: element types, the group codec, weights and caches as the host describes them.
// The structures mirror those of KernelArguments.cs field by field.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// Where a kernel starts. On Hopper and later it may be launched while the one before it is still at work, and waits here until everything
// before it is complete; what it does earlier must not depend on that. Elsewhere the launch itself waits.
static __device__ __forceinline__ void wait_for_previous()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// From here on the next kernel may start, as far as there is room beside this one.
static __device__ __forceinline__ void let_next_start()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// The same where there are many rows. Of few, products that come later would fetch weights while others still read theirs, and the two get
// in each other's way.
static __device__ __forceinline__ void let_next_start_of_many(int rows)
{
    if (rows > 8) let_next_start();
}

// A launch's arguments have to come from memory when they are first read: by all warps at once, instead of one piece after the other where
// they are wanted.
template <class Arguments> static __device__ __forceinline__ void touch(const Arguments& a)
{
    const int LineWords = 16, Lines = sizeof(Arguments) / (4 * LineWords);
    for (int line = threadIdx.x / 32; line < Lines; line += blockDim.x / 32)
    {
        u32 word = ((const u32*)&a)[line * LineWords];
        asm volatile("" :: "r"(word));
    }
}

// What is read once a step, as weights are, is the first to leave the L2: code, activations and partial results then stay in it.
static __device__ __forceinline__ u64 leave_first()
{
    u64 policy;
    asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}

enum ElementType { F32 = 0, F16 = 1, BF16 = 2 };

#define INFINITE __int_as_float(0x7f800000)

static __device__ __forceinline__ float half_to_float(u16 bits)
{
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

static __device__ __forceinline__ u16 float_to_half(float value)
{
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}

static __device__ __forceinline__ float bfloat_to_float(u16 bits) { return __int_as_float((int)bits << 16); }

// Of two bf16, the first in the low half.
static __device__ __forceinline__ float low_bfloat(u32 pair) { return __int_as_float((int)(pair << 16)); }

static __device__ __forceinline__ float high_bfloat(u32 pair) { return __int_as_float((int)(pair & 0xffff0000)); }

static __device__ __forceinline__ u16 float_to_bfloat(float value)
{
    u32 bits = __float_as_int(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return (u16)(bits >> 16 | 0x40); // a NaN stays one
    return (u16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static __device__ __forceinline__ float load_element(const void* data, int type, i64 index)
{
    if (type == F32) return ((const float*)data)[index];
    u16 bits = ((const u16*)data)[index];
    return type == F16 ? half_to_float(bits) : bfloat_to_float(bits);
}

static __device__ __forceinline__ void store_element(void* data, int type, i64 index, float value)
{
    if (type == F32) ((float*)data)[index] = value;
    else ((u16*)data)[index] = type == F16 ? float_to_half(value) : float_to_bfloat(value);
}

static __device__ __forceinline__ float silu_times(float gate, float up) { return gate / (1 + expf(-gate)) * up; }

// A 2-D tensor: row-major, stride in elements.
struct Matrix
{
    void* data;
    int type;
    int stride;
};

static __device__ __forceinline__ float at(const Matrix& x, int row, int column)
{
    return load_element(x.data, x.type, (i64)row * x.stride + column);
}

static __device__ __forceinline__ void put(const Matrix& x, int row, int column, float value)
{
    store_element(x.data, x.type, (i64)row * x.stride + column, value);
}

// Two neighbours, the first at an even column.
static __device__ __forceinline__ float2 pair_at(const Matrix& x, int row, int column)
{
    i64 index = (i64)row * x.stride + column;
    if (x.type == BF16 && ((u64)x.data & 3) == 0 && (x.stride & 1) == 0)
    {
        u32 pair = *(const u32*)((const u16*)x.data + index);
        return make_float2(low_bfloat(pair), high_bfloat(pair));
    }
    return make_float2(load_element(x.data, x.type, index), load_element(x.data, x.type, index + 1));
}

static __device__ __forceinline__ void put_pair(const Matrix& x, int row, int column, float2 values)
{
    i64 index = (i64)row * x.stride + column;
    if (x.type == BF16 && ((u64)x.data & 3) == 0 && (x.stride & 1) == 0)
    {
        *(u32*)((u16*)x.data + index) = float_to_bfloat(values.x) | (u32)float_to_bfloat(values.y) << 16;
        return;
    }
    store_element(x.data, x.type, index, values.x);
    store_element(x.data, x.type, index + 1, values.y);
}

// Scale and offset of a group's entry (GroupMeta: f16 scale in the low half, zero point in the high half): x = q·scale + offset.
// The scale's sign bit marks a constant group, whose magnitude the other 31 bits hold.
static __device__ __forceinline__ void read_group(u32 entry, float& scale, float& offset)
{
    if (entry & 0x8000)
    {
        scale = __int_as_float((int)((entry & 0x7fff) << 16 | entry >> 16));
        offset = 0;
        return;
    }
    scale = half_to_float((u16)entry);
    offset = -(float)((int)entry >> 16) * scale;
}

// The same in parts, x = (q − zero)·scale: of any group that is not constant, and put right for one that is.
static __device__ __forceinline__ void read_affine(u32 entry, float& scale, int& zero)
{
    scale = half_to_float((u16)entry);
    zero = (int)entry >> 16;
}

static __device__ __forceinline__ void read_constant(u32 entry, float& scale, int& zero)
{
    if (!(entry & 0x8000)) return;
    scale = __int_as_float((int)((entry & 0x7fff) << 16 | entry >> 16));
    zero = 0;
}

// The keys or the values of one layer. A head has sink rows (f16), then coded rows, then a ring of f16 rows not coded yet.
struct Side
{
    u8* codes;    // [heads, codedCapacity, rowBytes]; at 16 and 32 bits rows of f16 and f32
    u32* groups;  // [heads, tokenBlocks, groupsPerTokenBlock]
    u16* ring;    // [heads, ringTokens, D]
    u16* sinks;   // [heads, sinkTokens, D]
    i64 headCodes;  // bytes from one head to the next
    i64 headGroups; // entries from one head to the next; 0 where heads share them
    int bits;
    int rowBytes;
    int axis;
    int groupTokens;   // tokens of a token block, which share its entries
    int groupsPerTokenBlock;
    int groupChannels; // channels that share an entry: 1, or a multiple of 8
    int granule;       // tokens that are coded together
    int sinkTokens;
    int recentTokens;
    int ringTokens;
    int codedTokens; // room for coded rows
    int reserved;
};

enum Axis { TOKEN = 0, CHANNEL = 1, BLOCK = 2, TENSOR = 3, POWER_OF_TWO = 4, PLAIN = 5 };

struct LayerCache
{
    Side keys;
    Side values;
    u16* means;   // [heads, D] f16, or null
    const float* bias;  // [heads, D], or null: keys are coded without it
    const float* turns; // [capacity, D]: cosines and sines of each position, where there is a bias
};

// As the host has them.
static_assert(sizeof(Matrix) == 16 && sizeof(Side) == 96 && sizeof(LayerCache) == 216, "structures differ from the host's");

// The token after the last coded one when there are `length` tokens and `granule` of them are coded together.
static __device__ __forceinline__ int coded_end(const Side& s, int length, int granule)
{
    int coded = length - s.sinkTokens - s.recentTokens;
    return s.sinkTokens + (coded > 0 ? coded / granule * granule : 0);
}

static __device__ __forceinline__ int coded_end(const Side& s, int length) { return coded_end(s, length, s.granule); }

// The same of a side whose entries are of so many tokens, or of all: these are coded together, or each by itself.
template <int BLOCK_TOKENS> static __device__ __forceinline__ int coded_end_of(const Side& s, int length)
{
    return coded_end(s, length, BLOCK_TOKENS < 1 << 30 ? BLOCK_TOKENS : 1);
}

static __device__ __forceinline__ float warp_sum(float value)
{
    for (int step = 16; step > 0; step >>= 1) value += __shfl_xor_sync(0xffffffff, value, step);
    return value;
}

static __device__ __forceinline__ float warp_max(float value)
{
    for (int step = 16; step > 0; step >>= 1) value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, step));
    return value;
}

// Orthonormal Walsh–Hadamard transform of rows in shared memory, in natural order, by all threads of the block. `width` is a power of two.
static __device__ void hadamard(float* rows, int count, int width, int stride)
{
    for (int half = 1; half < width; half <<= 1)
    {
        __syncthreads();
        for (int i = threadIdx.x; i < count * width / 2; i += blockDim.x)
        {
            int pair = i % (width / 2);
            int low = 2 * pair - (pair & (half - 1));
            float* x = rows + (i64)(i / (width / 2)) * stride + low;
            float a = x[0], b = x[half];
            x[0] = a + b;
            x[half] = a - b;
        }
    }
    __syncthreads();
    float factor = rsqrtf((float)width);
    // Exact where the width is a power of four; else rounded once.
    for (int i = threadIdx.x; i < count * width; i += blockDim.x) rows[(i64)(i / width) * stride + i % width] *= factor;
    __syncthreads();
}

// The same of a row that a warp holds, COUNT channels a lane side by side.
template <int COUNT> static __device__ __forceinline__ void hadamard_of_warp(float (&x)[COUNT], int lane)
{
    #pragma unroll
    for (int half = 1; half < COUNT; half <<= 1)
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i++)
        {
            if (i & half) continue;
            float a = x[i], b = x[i + half];
            x[i] = a + b;
            x[i + half] = a - b;
        }
    }
    #pragma unroll
    for (int step = 1; step < 32; step <<= 1)
    {
        #pragma unroll
        for (int i = 0; i < COUNT; i++)
        {
            float other = __shfl_xor_sync(0xffffffff, x[i], step);
            x[i] = lane & step ? other - x[i] : x[i] + other;
        }
    }
    #pragma unroll
    for (int i = 0; i < COUNT; i++) x[i] *= rsqrtf((float)(32 * COUNT));
}

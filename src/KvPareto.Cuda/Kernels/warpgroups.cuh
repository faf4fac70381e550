// Products by a group of four warps straight from shared memory (PTX ISA, wgmma, compute capability 9.0), and the barriers of those who
// fill it.

// Rows of 64 halves, 128 bytes, in shared memory; 16-byte pieces of a row change places by its number (128-byte swizzle). Wider rows stand
// in slabs of 64 halves each.
struct SwizzledRows
{
    u16* base;     // 1,024-byte aligned
    int slabBytes; // from one slab to the next
    __device__ __forceinline__ u16* at(int t, int c) const
    {
        return (u16*)((u8*)base + c / 64 * slabBytes + t * 128 + ((c % 64 / 8 ^ t % 8) * 16));
    }
};

// What a product takes for a matrix of swizzled rows: its address, the distance of slabs (where the product runs across them), and of eight
// rows.
static __device__ __forceinline__ u64 descriptor(u32 address, int slabBytes)
{
    return (u64)(address >> 4 & 0x3fff) | (u64)(slabBytes >> 4) << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62;
}

static __device__ __forceinline__ void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

static __device__ __forceinline__ void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Until at most so many committed groups are at work.
template <int COUNT> static __device__ __forceinline__ void wait_for_products()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" :: "n"(COUNT) : "memory");
}

// The compiler may not move what reads or writes these numbers across this place.
template <int COUNT> static __device__ __forceinline__ void hold(float (&x)[COUNT])
{
    #pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(x[i]) :: "memory");
}

template <int COUNT> static __device__ __forceinline__ void hold(u32 (&x)[COUNT])
{
    #pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+r"(x[i]) :: "memory");
}

#define SUMS_8(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), \
    "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define SUMS_32(d, i) SUMS_8(d, i), SUMS_8(d, i + 8), SUMS_8(d, i + 16), SUMS_8(d, i + 24)
#define NAMES_32 \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15" \
    ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define NAMES_64 NAMES_32 \
    ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47" \
    ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"

#define SUMS_64(d) SUMS_32(d, 0), SUMS_32(d, 32)
#define SUMS_128(d) SUMS_64(d), SUMS_32(d, 64), SUMS_32(d, 96)
#define NAMES_128 NAMES_64 \
    ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79" \
    ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95" \
    ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111" \
    ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

// d [64, N] = a [64, 16] · bᵀ of bf16, or += where `add`; b [N, 16] in rows of the inner side, a so too or in registers as multiply_bfloats
// has it.
static __device__ __forceinline__ void multiply_rows(float (&d)[128], const u32 (&a)[4], u64 b, bool add)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %133, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" NAMES_128 "}, {%128, %129, %130, %131}, %132, p, 1, 1, 0;\n}"
        : SUMS_128(d) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"((int)add));
}

static __device__ __forceinline__ void multiply_rows(float (&d)[64], const u32 (&a)[4], u64 b, bool add)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" NAMES_64 "}, {%64, %65, %66, %67}, %68, p, 1, 1, 0;\n}"
        : SUMS_64(d) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"((int)add));
}

static __device__ __forceinline__ void multiply_rows(float (&d)[128], u64 a, u64 b, bool add)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" NAMES_128 "}, %128, %129, p, 1, 1, 0, 0;\n}"
        : SUMS_128(d) : "l"(a), "l"(b), "r"((int)add));
}

static __device__ __forceinline__ void multiply_rows(float (&d)[64], u64 a, u64 b, bool add)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" NAMES_64 "}, %64, %65, p, 1, 1, 0, 0;\n}"
        : SUMS_64(d) : "l"(a), "l"(b), "r"((int)add));
}

// d [64, 128] = a [64, 16] · bᵀ, or += where `add`; b [128, 16]. Both lie in rows of the inner side.
static __device__ __forceinline__ void multiply_half_rows(float (&d)[64], u64 a, u64 b, int add)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" NAMES_64 "}, %64, %65, p, 1, 1, 0, 0;\n}"
        : SUMS_32(d, 0), SUMS_32(d, 32) : "l"(a), "l"(b), "r"(add));
}

// d [64, N] += a [64, 16] · b [16, N]: a in registers as multiply_halves has it, rows of b are those of the inner side.
static __device__ __forceinline__ void multiply_columns(float (&d)[64], const u32 (&a)[4], u64 b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" NAMES_64 "}, {%64, %65, %66, %67}, %68, 1, 1, 1, 1;"
        : SUMS_32(d, 0), SUMS_32(d, 32) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

static __device__ __forceinline__ void multiply_columns(float (&d)[32], const u32 (&a)[4], u64 b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" NAMES_32 "}, {%32, %33, %34, %35}, %36, 1, 1, 1, 1;"
        : SUMS_32(d, 0) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// What was stored in shared memory by this thread is there for products after the barrier that follows.
static __device__ __forceinline__ void publish() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

static __device__ __forceinline__ void store_shared(u32 address, float4 x)
{
    asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};" :: "r"(address), "f"(x.x), "f"(x.y), "f"(x.z), "f"(x.w) : "memory");
}

static __device__ __forceinline__ void store_shared(u32 address, float2 x)
{
    asm volatile("st.shared.v2.f32 [%0], {%1, %2};" :: "r"(address), "f"(x.x), "f"(x.y) : "memory");
}

static __device__ __forceinline__ float4 load_shared_fours(u32 address)
{
    float4 x;
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w) : "r"(address) : "memory");
    return x;
}

static __device__ __forceinline__ float2 load_shared_pair(u32 address)
{
    float2 x;
    asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(x.x), "=f"(x.y) : "r"(address) : "memory");
    return x;
}

static __device__ __forceinline__ float load_shared_number(u32 address)
{
    float x;
    asm volatile("ld.shared.f32 %0, [%1];" : "=f"(x) : "r"(address) : "memory");
    return x;
}

static __device__ __forceinline__ void make_barrier(u64* barrier, int arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" :: "r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

static __device__ __forceinline__ void arrive(u64* barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" :: "r"(shared_address(barrier)) : "memory");
}

// Until the barrier's phase of this parity is over.
static __device__ __forceinline__ void wait_for(u64* barrier, int parity)
{
    asm volatile("{\n.reg .pred p;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra done;\nbra again;\ndone:\n}"
        :: "r"(shared_address(barrier)), "r"(parity) : "memory");
}

// Registers of a thread from here on, of a group of four warps.
template <int COUNT> static __device__ __forceinline__ void take_registers()
{
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" :: "n"(COUNT));
}

template <int COUNT> static __device__ __forceinline__ void give_registers()
{
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" :: "n"(COUNT));
}

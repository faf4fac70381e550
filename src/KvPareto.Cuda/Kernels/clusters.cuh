// Two blocks of a cluster that fill each other's shared memory by the copy engine (PTX ISA, cp.async.bulk, compute capability 9.0).

#define CLUSTER 2

// A matrix in device memory as the copy engine takes it (CUtensorMap).
struct alignas(64) TensorMap
{
    u64 words[16];
};

static __device__ __forceinline__ u32 rank_in_cluster()
{
    u32 rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

// Until all threads of the cluster are here; what they wrote to shared memory is seen by all.
static __device__ __forceinline__ void wait_for_cluster()
{
    asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// The same in two steps, the first without a word on memory: it would wait for all that was written.
static __device__ __forceinline__ void arrive_in_cluster() { asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory"); }

static __device__ __forceinline__ void wait_in_cluster() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

// A place of this block's shared memory in that of another block of the cluster.
static __device__ __forceinline__ u32 remote_address(u32 address, u32 rank)
{
    u32 remote;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(address), "r"(rank));
    return remote;
}

static __device__ __forceinline__ float2 load_remote_pair(u32 address)
{
    float2 pair;
    asm volatile("ld.shared::cluster.v2.f32 {%0, %1}, [%2];" : "=f"(pair.x), "=f"(pair.y) : "r"(address) : "memory");
    return pair;
}

static __device__ __forceinline__ void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

// Arrives at the barrier that a block of the cluster has in this place. What is told is that something was read: no write of this thread's
// is published, which would cost a fence of the whole device.
static __device__ __forceinline__ void arrive_at(u64* barrier, u32 rank)
{
    asm volatile("{\n.reg .b32 remote;\nmapa.shared::cluster.u32 remote, %0, %1;\nmbarrier.arrive.shared::cluster.b64 _, [remote];\n}"
        :: "r"(shared_address(barrier)), "r"(rank) : "memory");
}

// Arrives, and the phase then waits for so many bytes too.
static __device__ __forceinline__ void expect(u64* barrier, u32 bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" :: "r"(shared_address(barrier)), "r"(bytes) : "memory");
}

static __device__ __forceinline__ void fetch_map(const TensorMap& map) { asm volatile("prefetch.tensormap [%0];" :: "l"(&map) : "memory"); }

// A box of a matrix of four dimensions into this block's shared memory; `policy` says how long the L2 keeps it (common.cuh).
static __device__ __forceinline__ void copy_box(u32 target, const TensorMap& map, int c0, int c1, int c2, int c3, u64* barrier, u64 policy)
{
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint "
        "[%0], [%1, {%2, %3, %4, %5}], [%6], %7;"
        :: "r"(target), "l"(&map), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(shared_address(barrier)), "l"(policy) : "memory");
}

// A box of a matrix of two dimensions into the shared memory of both blocks, whose barriers in this place count the bytes.
static __device__ __forceinline__ void copy_box_to_all(u32 target, const TensorMap& map, int c0, int c1, u64* barrier)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
        "[%0], [%1, {%2, %3}], [%4], %5;"
        :: "r"(target), "l"(&map), "r"(c0), "r"(c1), "r"(shared_address(barrier)), "h"((u16)((1 << CLUSTER) - 1)) : "memory");
}

// Bytes side by side, a multiple of 16.
static __device__ __forceinline__ void copy_bytes(u32 target, const void* source, u32 bytes, u64* barrier, u64 policy)
{
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;"
        :: "r"(target), "l"(source), "r"(bytes), "r"(shared_address(barrier)), "l"(policy) : "memory");
}

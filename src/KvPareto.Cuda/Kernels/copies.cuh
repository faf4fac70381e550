// Copies from memory to shared memory that are on their way while their thread goes on (PTX ISA, cp.async). They are there for the thread
// that waits for them, and for others after the next barrier.

// 16 bytes.
static __device__ __forceinline__ void copy_async(u16* target, const void* source)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(shared_address(target)), "l"(source) : "memory");
}

// To an address in shared memory.
template <int BYTES> static __device__ __forceinline__ void copy_ahead(u32 target, const void* source)
{
    if constexpr (BYTES == 16) asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(target), "l"(source) : "memory");
    else asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" :: "r"(target), "l"(source), "n"(BYTES) : "memory");
}

// Copies since the last group are one.
static __device__ __forceinline__ void end_group() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// For all groups but the latest LEFT.
template <int LEFT> static __device__ __forceinline__ void wait_for_groups()
{
    asm volatile("cp.async.wait_group %0;" :: "n"(LEFT) : "memory");
}

static __device__ __forceinline__ void wait_for_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

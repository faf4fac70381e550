// What CUDA C++ and the kernels' PTX mean, on threads of the host: a block is THREADS of them, a warp meets at each of its collectives, and
// copies on their way arrive when they are waited for. Blocks run one after another, so their shared memory can be static. Numbers are as
// on a device but for the order of sums in products of matrices, which here are exact until the end. Every collective puts a warp's
// accesses to memory in order, which a device's need not: a missing __syncwarp is found only where no other stands between.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <immintrin.h>
#include <pthread.h>
#include <thread>
#include <vector>

#define __device__
#define __global__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __grid_constant__
#define __shared__ static
#define __builtin_assume(condition) ((void)0)
#define __align__(bytes) __attribute__((aligned(bytes)))

struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct dim3 { int x, y, z; };

inline float2 make_float2(float x, float y) { return { x, y }; }
inline float4 make_float4(float x, float y, float z, float w) { return { x, y, z, w }; }
inline uint2 make_uint2(unsigned x, unsigned y) { return { x, y }; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return { x, y, z, w }; }

inline thread_local dim3 threadIdx;
inline dim3 blockIdx, blockDim, gridDim;

using std::fmaf;
using std::max;
using std::min;

template <class To, class From> inline To bits_as(From x)
{
    static_assert(sizeof(To) == sizeof(From));
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
}

inline int __float_as_int(float x) { return bits_as<int>(x); }
inline unsigned __float_as_uint(float x) { return bits_as<unsigned>(x); }
inline float __int_as_float(int x) { return bits_as<float>(x); }
inline float __uint_as_float(unsigned x) { return bits_as<float>(x); }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float rsqrtf(float x) { return (float)(1 / std::sqrt((double)x)); }
template <class T> inline T __ldg(const T* place) { return *place; }

inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector)
{
    uint64_t bytes = (uint64_t)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) result |= (unsigned)(bytes >> 8 * (selector >> 4 * i & 7) & 0xff) << 8 * i;
    return result;
}

// What the lanes of a warp put before they meet, and read before they part.
struct Warp
{
    pthread_barrier_t barrier;
    uint64_t lanes[32][6];
};

inline Warp warps[32];
inline pthread_barrier_t block;

inline void __syncthreads() { pthread_barrier_wait(&block); }

inline void __syncwarp() { pthread_barrier_wait(&warps[threadIdx.x / 32].barrier); }

template <class T> inline T __shfl_sync(unsigned, T x, int from)
{
    static_assert(sizeof(T) == 4);
    Warp& warp = warps[threadIdx.x / 32];
    warp.lanes[threadIdx.x % 32][0] = bits_as<unsigned>(x);
    __syncwarp();
    T y = bits_as<T>((unsigned)warp.lanes[from % 32][0]);
    __syncwarp();
    return y;
}

template <class T> inline T __shfl_xor_sync(unsigned all, T x, int distance) { return __shfl_sync(all, x, threadIdx.x % 32 ^ distance); }

inline int __any_sync(unsigned, bool condition)
{
    Warp& warp = warps[threadIdx.x / 32];
    warp.lanes[threadIdx.x % 32][0] = condition;
    __syncwarp();
    bool any = false;
    for (auto& lane : warp.lanes) any |= lane[0] != 0;
    __syncwarp();
    return any;
}

inline unsigned __reduce_max_sync(unsigned, unsigned x)
{
    Warp& warp = warps[threadIdx.x / 32];
    warp.lanes[threadIdx.x % 32][0] = x;
    __syncwarp();
    unsigned most = 0;
    for (auto& lane : warp.lanes) most = max(most, (unsigned)lane[0]);
    __syncwarp();
    return most;
}

namespace host
{
    // A launch's own share of shared memory.
    alignas(16) inline uint8_t shared[256 << 10];

    // Functions of the kernels that are PTX, by their names (kernels.py).

    inline float half_to_float(uint16_t bits) { return _cvtsh_ss(bits); }

    inline uint16_t float_to_half(float x) { return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT); }

    inline uint16_t int_to_half(int x) { return float_to_half((float)x); }

    inline uint16_t float_to_bfloat(float x)
    {
        unsigned bits = bits_as<unsigned>(x);
        return std::isnan(x) ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    }

    inline unsigned pack_halves(float low, float high) { return float_to_half(low) | (unsigned)float_to_half(high) << 16; }

    inline unsigned pack_bfloats(float low, float high) { return float_to_bfloat(low) | (unsigned)float_to_bfloat(high) << 16; }

    inline float half_of(uint64_t pair, int i) { return half_to_float((uint16_t)(pair >> 16 * i)); }

    inline unsigned subtract_halves(unsigned x, unsigned y)
    {
        return pack_halves(half_of(x, 0) - half_of(y, 0), half_of(x, 1) - half_of(y, 1));
    }

    inline unsigned scale_halves(unsigned x, unsigned y)
    {
        return pack_halves(half_of(x, 0) * half_of(y, 0), half_of(x, 1) * half_of(y, 1));
    }

    inline unsigned and_or(unsigned x, unsigned y, unsigned z) { return (x & y) | z; }

    inline float power_of_two(float x) { return exp2f(x); }

    inline unsigned shared_address(const void* place) { return (unsigned)((const uint8_t*)place - shared); }

    inline unsigned load_shared_one(unsigned address) { return *(const unsigned*)(shared + address); }

    inline uint2 load_shared_two(unsigned address) { return *(const uint2*)(shared + address); }

    inline uint4 load_shared_four(unsigned address) { return *(const uint4*)(shared + address); }

    inline void prefetch(const void*) { }

    // Copies that a thread has on their way.
    struct Copy
    {
        void* target;
        const void* source;
        int bytes;
        int group;
    };

    inline thread_local std::vector<Copy> copies;
    inline thread_local int groups; // that have ended

    inline void copy_async(uint16_t* target, const void* source) { copies.push_back({ target, source, 16, groups }); }

    template <int BYTES> inline void copy_ahead(unsigned target, const void* source)
    {
        copies.push_back({ shared + target, source, BYTES, groups });
    }

    inline void end_group() { groups++; }

    inline void wait_before(int group)
    {
        for (auto& copy : copies)
        {
            if (copy.group < group) memcpy(copy.target, copy.source, copy.bytes);
        }
        std::erase_if(copies, [&](const Copy& copy) { return copy.group < group; });
    }

    template <int LEFT> inline void wait_for_groups() { wait_before(groups - LEFT); }

    inline void wait_for_copies() { wait_before(groups + 1); }

    // Named barriers of the kernels of few rows, one for each team.
    const int TeamThreads = 256;

    inline pthread_barrier_t teams[4];

    inline void meet(int team) { pthread_barrier_wait(&teams[team]); }

    // movmatrix: lane i has row i / 4, columns 2·(i % 4) and the next, of an 8×8 matrix, then the same of the transposed one.
    inline unsigned transpose(unsigned x)
    {
        Warp& warp = warps[threadIdx.x / 32];
        int lane = threadIdx.x % 32, row = lane / 4, column = lane % 4 * 2;
        warp.lanes[lane][0] = x;
        __syncwarp();
        auto at = [&](int r, int c) { return (unsigned)(warp.lanes[4 * r + c / 2][0] >> 16 * (c % 2) & 0xffff); };
        unsigned y = at(column, row) | at(column + 1, row) << 16;
        __syncwarp();
        return y;
    }

    // ldmatrix: lane i gives the address of row i % 8 of matrix i / 8.
    inline void load_matrices(unsigned (&m)[4], const uint16_t* row)
    {
        Warp& warp = warps[threadIdx.x / 32];
        int lane = threadIdx.x % 32;
        warp.lanes[lane][0] = (uint64_t)row;
        __syncwarp();
        for (int i = 0; i < 4; i++) m[i] = ((const unsigned*)warp.lanes[8 * i + lane / 4][0])[lane % 4];
        __syncwarp();
    }

    inline void load_transposed(unsigned (&m)[4], const uint16_t* row)
    {
        load_matrices(m, row);
        for (auto& x : m) x = transpose(x);
    }

    // mma.m16n8k16 and k32: a word has two or four inner numbers, of which `product` tells; tensor_cores.cuh tells the places.
    template <class Sum, class Number, class Product> inline void multiply(
        Number (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, Product product)
    {
        Warp& warp = warps[threadIdx.x / 32];
        int lane = threadIdx.x % 32;
        for (int i = 0; i < 4; i++) warp.lanes[lane][i] = a[i];
        warp.lanes[lane][4] = b0;
        warp.lanes[lane][5] = b1;
        __syncwarp();
        for (int i = 0; i < 4; i++)
        {
            Sum sum = c[i];
            for (int word = 0; word < 4; word++)
            {
                auto& row = warp.lanes[lane / 4 * 4 + word];
                auto& column = warp.lanes[(lane % 4 * 2 + i % 2) * 4 + word];
                sum += product(row[i / 2], column[4]) + product(row[2 + i / 2], column[5]);
            }
            c[i] = (Number)sum;
        }
        __syncwarp();
    }

    inline void multiply_halves(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1)
    {
        multiply<double>(c, a, b0, b1, [](uint64_t x, uint64_t y)
        {
            return (double)half_of(x, 0) * half_of(y, 0) + (double)half_of(x, 1) * half_of(y, 1);
        });
    }

    inline void multiply_bfloats(float (&c)[4], unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1)
    {
        auto number = [](uint64_t pair, int i) { return (double)bits_as<float>((unsigned)(pair >> 16 * i) << 16); };
        multiply<double>(c, { a0, a1, a2, a3 }, b0, b1, [&](uint64_t x, uint64_t y)
        {
            return number(x, 0) * number(y, 0) + number(x, 1) * number(y, 1);
        });
    }

    inline void multiply_bytes(int (&c)[4], unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1)
    {
        multiply<int>(c, { a0, a1, a2, a3 }, b0, b1, [](uint64_t x, uint64_t y)
        {
            int sum = 0;
            for (int i = 0; i < 4; i++) sum += (uint8_t)(x >> 8 * i) * (int8_t)(y >> 8 * i);
            return sum;
        });
    }

    inline int sum_bytes(unsigned bytes, int sum)
    {
        for (int i = 0; i < 4; i++) sum += (int8_t)(bytes >> 8 * i);
        return sum;
    }

    // Blocks run one after another: a result is there, or never will be.
    template <class Pair> inline void put_tagged(Pair* place, float2 x, unsigned tag)
    {
        place->first = (uint64_t)tag << 32 | bits_as<unsigned>(x.x);
        place->second = (uint64_t)tag << 32 | bits_as<unsigned>(x.y);
    }

    inline float2 take_tagged(const uint8_t* place, unsigned tag, unsigned& missing)
    {
        uint64_t pair[2];
        memcpy(pair, place, sizeof pair);
        for (uint64_t x : pair)
        {
            if (x >> 32 != tag) abort();
        }
        return make_float2(bits_as<float>((unsigned)pair[0]), bits_as<float>((unsigned)pair[1]));
    }

    // All blocks of a grid, by the same threads.
    inline void launch(dim3 grid, int threads, const std::function<void()>& kernel)
    {
        pthread_barrier_t between;
        pthread_barrier_init(&between, nullptr, threads);
        pthread_barrier_init(&block, nullptr, threads);
        for (int w = 0; w < threads / 32; w++) pthread_barrier_init(&warps[w].barrier, nullptr, 32);
        for (int t = 0; t < threads / TeamThreads; t++) pthread_barrier_init(&teams[t], nullptr, TeamThreads);
        gridDim = grid;
        blockDim = { threads, 1, 1 };
        std::vector<std::thread> team;
        for (int t = 0; t < threads; t++)
        {
            team.emplace_back([&, t]
            {
                threadIdx = { t, 0, 0 };
                for (int i = 0; i < grid.x * grid.y * grid.z; i++)
                {
                    if (t == 0) blockIdx = { i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y };
                    pthread_barrier_wait(&between);
                    kernel();
                    pthread_barrier_wait(&between);
                }
            });
        }
        for (auto& thread : team) thread.join();
    }
}

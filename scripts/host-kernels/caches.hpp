// Caches of random contents, and what a token's or a chunk's attention over them must leave and give: plain loops in f64. Compiled with
// the kernels' HEAD_DIM, and of each side bits, channels of a group (0: an entry for each channel) and tokens of a block.
#pragma once
#include "checks.hpp"

const int HeadDim = HEAD_DIM;

// Of one call: `rows` new tokens behind `start` others.
struct Shape
{
    int start, rows, keyHeads, group, window, sinks, recent, rotation;
    int length() const { return start + rows; }
    int queries() const { return keyHeads * group; }

    std::string words() const
    {
        char text[200];
        snprintf(text, sizeof text, "%d and %d tokens, %d key heads of %d queries, window %d, sinks %d, recent %d, rotation %d",
            start, rows, keyHeads, group, window, sinks, recent, rotation);
        return text;
    }
};

inline Shape any_shape(int start, int rows)
{
    Shape shape { start, rows, 1 + below(2), 1 + below(8) };
    if (below(3) == 0) shape.start = std::max(0, (shape.length() + 63) / 64 * 64 - rows); // to the end of a granule
    shape.window = below(3) == 0 ? 1 + below(shape.length()) : 0;
    int kept = std::max(0, below(6) - 2); // half of them keep no tokens at 16 bits
    shape.sinks = kept % 2 == 1 ? below(9) : 0;
    shape.recent = kept >= 2 ? below(70) : 0;
    shape.rotation = (HeadDim & (HeadDim - 1)) == 0 ? below(3) : 0;
    return shape;
}

// Rows of bf16 numbers.
inline std::vector<uint16_t> any_rows(int count)
{
    std::vector<uint16_t> rows(count * HeadDim);
    for (auto& x : rows) x = host::float_to_bfloat(normal());
    return rows;
}

// One side of a cache, with room for some tokens more than it has.
struct CacheSide
{
    static const int Channel = 1, Block = 2, Plain = 5; // KvAxis

    int bits, group, granule, sinkTokens, recentTokens, ringTokens, codedTokens, axis, groups;
    std::vector<uint8_t> codes;
    std::vector<uint32_t> entries;
    std::vector<uint16_t> ring, sinks;

    CacheSide(const Shape& shape, int bits, int group, int block) : bits(bits), group(group)
    {
        const int Spare = 64;
        bool isCoded = bits < 16;
        int heads = shape.keyHeads, capacity = shape.length() + 100;
        granule = isCoded ? block : 1;
        axis = !isCoded ? Plain : group == 0 ? Channel : block > 1 ? Block : 0;
        groups = !isCoded ? 0 : axis == Block ? 1 : group == 0 ? HeadDim : HeadDim / group;
        sinkTokens = isCoded ? shape.sinks : 0;
        recentTokens = isCoded ? shape.recent : 0;
        ringTokens = recentTokens + granule - 1;
        codedTokens = (capacity - sinkTokens - recentTokens) / granule * granule;
        codes.resize((size_t)heads * codedTokens * row_bytes() + Spare);
        entries.resize((size_t)heads * codedTokens / granule * groups + Spare);
        ring.resize((size_t)heads * ringTokens * HeadDim + Spare);
        sinks.resize((size_t)heads * sinkTokens * HeadDim + Spare);
        for (size_t i = 0; i < codes.size(); i += 2)
        {
            uint16_t pair = isCoded ? (uint16_t)source() : host::float_to_half(normal());
            memcpy(&codes[i], &pair, sizeof pair);
        }
        for (auto& entry : entries) entry = any_entry(bits);
        for (auto& x : ring) x = host::float_to_half(normal());
        for (auto& x : sinks) x = host::float_to_half(normal());
    }

    int row_bytes() const { return HeadDim * bits / 8; }

    int coded_end(int length) const { return sinkTokens + std::max(0, length - sinkTokens - recentTokens) / granule * granule; }

    // Whether a warp codes a token's row by itself (SideLayout.IsByToken).
    bool is_by_token() const
    {
        return granule == 1 && (HeadDim == 64 || HeadDim == 128)
            && (axis == Plain || (axis == 0 && group % 32 == 0 && bits * HeadDim % 256 == 0));
    }

    // As kernels are told of it.
    template <class Side> Side as()
    {
        Side side {};
        side.codes = codes.data();
        side.groups = entries.data();
        side.ring = ring.data();
        side.sinks = sinks.data();
        side.headCodes = (int64_t)codedTokens * row_bytes();
        side.headGroups = (int64_t)codedTokens / granule * groups;
        side.bits = bits;
        side.rowBytes = row_bytes();
        side.axis = axis;
        side.groupTokens = side.granule = granule;
        side.groupsPerTokenBlock = groups;
        side.groupChannels = axis == Block ? HeadDim : std::max(1, group);
        side.sinkTokens = sinkTokens;
        side.recentTokens = recentTokens;
        side.ringTokens = ringTokens;
        side.codedTokens = codedTokens;
        return side;
    }

    // A channel of one of `length` tokens, and the distance of its neighbours, which is 0 where it is no code.
    double at(int head, int token, int length, int c, double* step = nullptr) const
    {
        if (step != nullptr) *step = 0;
        size_t row = (size_t)head * codedTokens + token - sinkTokens;
        if (token < sinkTokens) return host::half_to_float(sinks[((size_t)head * sinkTokens + token) * HeadDim + c]);
        if (token >= coded_end(length))
            return host::half_to_float(ring[((size_t)head * ringTokens + token % ringTokens) * HeadDim + c]);
        const uint8_t* place = codes.data() + row * row_bytes();
        if (axis == Plain) return host::half_to_float(((const uint16_t*)place)[c]);
        return number_of(place, c, bits, entries[row / granule * groups + (groups == 1 ? 0 : c / std::max(1, group))], step);
    }
};

// Orthonormal Walsh–Hadamard transform of a row.
inline void rotate(std::vector<double>& row)
{
    std::vector<double> x = row;
    for (int i = 0; i < HeadDim; i++)
    {
        row[i] = 0;
        for (int j = 0; j < HeadDim; j++) row[i] += (__builtin_popcount(i & j) % 2 == 0 ? x[j] : -x[j]) / std::sqrt(HeadDim);
    }
}

// The largest difference of a side after a call from what it should hold, in units of what it may differ by: older tokens as they were
// before, new ones as `fresh(row, head)` tells; what came to be coded within half a step.
template <class Fresh> inline double stored_difference(const CacheSide& after, const CacheSide& before, const Shape& shape, Fresh fresh)
{
    double worst = 0;
    for (int head = 0; head < shape.keyHeads; head++)
    {
        for (int token = 0; token < shape.length(); token++)
        {
            std::vector<double> row;
            if (token >= shape.start) row = fresh(token - shape.start, head);
            for (int c = 0; c < HeadDim; c++)
            {
                double step, x = token < shape.start ? before.at(head, token, shape.start, c) : row[c];
                double difference = std::abs(after.at(head, token, shape.length(), c, &step) - x);
                worst = std::max(worst, difference / (0.51 * step + 0.001 * std::abs(x) + 1e-5));
            }
        }
    }
    return worst;
}

// The same of one query's result: softmax of its scores over what the cache holds, times values.
inline double result_difference(
    const CacheSide& keys, const CacheSide& values, const Shape& shape, int row, int query, std::vector<double> q, const uint16_t* result)
{
    int head = query / shape.group, end = shape.start + row + 1, first = shape.window > 0 ? std::max(0, end - shape.window) : 0;
    if (shape.rotation > 0) rotate(q);
    std::vector<double> weights(end), expected(HeadDim);
    double most = -INFINITY, total = 0, largest = 0, worst = 0;
    for (int token = first; token < end; token++)
    {
        for (int c = 0; c < HeadDim; c++) weights[token] += q[c] * keys.at(head, token, shape.length(), c) / std::sqrt(HeadDim);
        most = std::max(most, weights[token]);
    }
    for (int token = first; token < end; token++) total += weights[token] = std::exp(weights[token] - most);
    for (int token = first; token < end; token++)
    {
        for (int c = 0; c < HeadDim; c++)
        {
            double part = weights[token] / total * values.at(head, token, shape.length(), c);
            expected[c] += part;
            largest = std::max(largest, std::abs(part));
        }
    }
    if (shape.rotation == 2) rotate(expected);
    for (int c = 0; c < HeadDim; c++)
    {
        double x = bits_as<float>((unsigned)result[c] << 16), difference = std::abs(x - expected[c]);
        if (std::isnan(x) && std::isnan(expected[c])) continue;
        if (!(difference <= INFINITY)) return INFINITY;
        worst = std::max(worst, difference / (0.005 * std::abs(expected[c]) + 0.02 * largest + 0.001));
    }
    return worst;
}

// What the programs here have in common: random numbers of one seed, random entries of groups of codes, and the runs of a check.
#pragma once
#include "host.hpp"

#include <cstdio>
#include <initializer_list>
#include <random>
#include <string>

inline std::mt19937 source;

inline float normal() { return std::normal_distribution<float>()(source); }

inline int below(int count) { return (int)(source() % count); }

inline int one_of(std::initializer_list<int> values) { return values.begin()[below((int)values.size())]; }

// An entry (GroupMeta) for codes of so many bits; one in thirty is of a constant group, one in twenty of numbers far from zero.
inline unsigned any_entry(int bits)
{
    unsigned magnitude = bits_as<unsigned>(std::abs(normal()) / (1 << (bits - 1)));
    int zero = (int)(normal() * (1 << bits) * (below(20) == 0 ? 4 : 0.25f));
    return below(30) == 0 ? 0x8000 | magnitude >> 16 | magnitude << 16
        : host::float_to_half((0.5f + std::abs(normal())) / (1 << bits)) | (unsigned)(uint16_t)zero << 16;
}

// The number that code `index` of a row stands for, and the distance of its neighbours, 0 where there are none.
inline double number_of(const uint8_t* row, size_t index, int bits, unsigned entry, double* step = nullptr)
{
    int code = (row[index * bits / 8] >> index * bits % 8 & ((1 << bits) - 1)) - (1 << (bits - 1));
    bool isConstant = entry & 0x8000;
    double scale = isConstant ? bits_as<float>((entry & 0x7fff) << 16 | entry >> 16) : host::half_to_float((uint16_t)entry);
    if (step != nullptr) *step = isConstant ? 0 : scale;
    return (code - (isConstant ? 0 : (int)entry >> 16)) * scale;
}

// The largest differences of a call from plain loops, in units of what is allowed, and the call in words.
struct Checked
{
    double stored, results;
    std::string call;
};

// Arguments: runs and seed. The exit status is 1 where a difference is larger than allowed.
inline int run_checks(char** arguments, Checked (*check)())
{
    int runs = atoi(arguments[1]);
    double stored = 0, results = 0;
    for (int i = 0; i < runs; i++)
    {
        source.seed(1000 * atoi(arguments[2]) + i);
        Checked run = check();
        stored = std::max(stored, run.stored);
        results = std::max(results, run.results);
        if (run.stored > 1 || run.results > 1)
            printf("run %d: stored %.2f, results %.2f of what is allowed: %s\n", i, run.stored, run.results, run.call.c_str());
    }
    printf("%d runs, stored at most %.2f, results %.2f of what is allowed\n", runs, stored, results);
    return stored > 1 || results > 1;
}

// Random numbers of one seed.
#pragma once

#include <initializer_list>
#include <random>

inline std::mt19937 source;

inline float normal() { return std::normal_distribution<float>()(source); }

inline int below(int count) { return (int)(source() % count); }

inline int one_of(std::initializer_list<int> values) { return values.begin()[below((int)values.size())]; }

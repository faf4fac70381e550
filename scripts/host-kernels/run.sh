#!/usr/bin/env bash
# Runs kernels of src/KvPareto.Cuda/Kernels on threads of the host, without a device: under ThreadSanitizer, which finds a barrier that is
# missing whether or not it shows, and with results beside plain loops in f64 (token.cpp: decode.cu; rows.cpp: cache.cu, attention.cu,
# merge.cu; few.cpp: linear.cu).
#
#   scripts/host-kernels/run.sh [RUNS [SEED]]     random calls of each combination of bits and groups (4, 1); of a token four times as many
#
# Takes g++, python3 and an x86 processor with F16C; where these are missing one line says so, and the exit status is 0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-4} seed=${2:-1}
skip() { echo "host kernels: skipped: $1"; exit 0; }
command -v g++ > /dev/null || skip "needs g++"
command -v python3 > /dev/null || skip "needs python3"
grep -qw f16c /proc/cpuinfo 2> /dev/null || skip "needs a processor with F16C"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As many threads as the largest block here. The sanitizer wants addresses where it expects them, which some kernels spread further.
cat > "$work/probe.cpp" << 'CPP'
#include <thread>
#include <vector>
int main()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 512; i++) threads.emplace_back([] { });
    for (auto& thread : threads) thread.join();
}
CPP
g++ -std=c++20 -fsanitize=thread -pthread "$work/probe.cpp" -o "$work/probe" 2> /dev/null || skip "needs g++ with ThreadSanitizer"
in_place=""
"$work/probe" 2> /dev/null || in_place="setarch -R"
$in_place "$work/probe" 2> /dev/null || skip "ThreadSanitizer does not run here"
python3 "$here/kernels.py" "$here/../../src/KvPareto.Cuda/Kernels" "$work/kernels"

# A program and what it is compiled for: few with a weight's bits and group; others with HEAD_DIM, then bits, channels of a group and tokens
# of a block of keys, then those of values.
check() {
  local program=$work/$(IFS=-; echo "$*") defines calls=$runs
  [ "$1" != token ] || calls=$((4 * runs))
  if [ "$1" = few ]; then defines="-DWEIGHT_BITS=$2 -DGROUP=$3"
  else
    defines="-DHEAD_DIM=$2 -DKEY_BITS=$3 -DKEY_GROUP=$4 -DKEY_BLOCK_TOKENS=$5 -DVALUE_BITS=$6 -DVALUE_GROUP=$7 -DVALUE_BLOCK_TOKENS=$8
      -DWIDTH=$2 -DKEY_CHANNELS=$(($4 == 0)) -DVALUE_CHANNELS=$(($7 == 0)) -DFEW_TILE=16 -DMANY_TILE=64 -DLARGEST_ZERO=32000.0f"
  fi
  g++ -std=c++20 -O1 -g -w -mf16c -mfma -ffp-contract=off -fsanitize=thread -pthread -I"$here" -I"$work/kernels" $defines \
    "$here/$1.cpp" -o "$program"
  printf '%s: ' "$*"
  TSAN_OPTIONS=history_size=7 $in_place "$program" "$calls" "$seed"
}
export -f check
export here work runs seed in_place
failed=0
xargs -P "$(nproc)" -L 1 bash -euc 'check "$@" > "$work/$(IFS=-; echo "$*").log" 2>&1' check << 'LIST' || failed=1
token 128 4 64 1 4 64 1
token 128 4 0 64 4 64 1
token 64 4 0 32 8 64 1
token 64 8 32 1 4 32 1
token 128 2 32 1 8 128 1
token 128 16 128 1 2 64 1
token 64 2 64 64 2 64 1
rows 128 4 64 1 4 64 1
rows 64 4 0 32 2 32 1
rows 80 8 16 1 8 0 16
rows 128 2 128 32 16 128 1
few 4 128
few 8 32
few 16 32
LIST
cat "$work"/*.log
[ "$failed" -eq 0 ] || { echo "host kernels: failed"; exit 1; }
echo "host kernels: passed: $(find "$work" -name '*.log' | wc -l) combinations of bits and groups"

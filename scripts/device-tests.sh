#!/usr/bin/env bash
# The tests of a device backend in parallel processes, for most of their time is compiling kernels for one core.
# usage: scripts/device-tests.sh TEST_PROGRAM… [-- RUNNER_OPTION…]      for example  dotnet OUT/KvPareto.Cuda.Tests.dll
set -u
program=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do program+=("$1"); shift; done
[ $# -gt 0 ] && shift
parts=$(( $(nproc) > 2 ? $(nproc) - 2 : 1 ))
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
for part in $(seq 0 $((parts - 1))); do
  KVPARETO_TEST_PART=$part/$parts "${program[@]}" -noColor -method '*.Attention_MatchesReference' "$@" >"$logs/attention$part" 2>&1 &
done
"${program[@]}" -noColor -method- '*.Attention_MatchesReference' "$@" >"$logs/rest" 2>&1 &
wait
grep -h -A6 '\[FAIL\]' "$logs"/* | cut -c1-240
total=0 failed=0 skipped=0
for log in "$logs"/*; do
  line=$(grep -a 'Total: ' "$log" | tail -n 1)
  [ -n "$line" ] || { echo "$(basename "$log"): no result"; tail -n 3 "$log"; failed=$((failed + 1)); continue; }
  count() { sed -n "s/.*$1: \([0-9]*\).*/\1/p" <<<"$line"; }
  total=$((total + $(count Total))) failed=$((failed + $(count Failed) + $(count Errors))) skipped=$((skipped + $(count Skipped)))
done
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Measures the fidelity of a list of settings in several processes at once, then writes the table and the picture.
#   scripts/fidelity-report/run.sh LIST OUT MODEL TEXT [PROCESSES] [THREADS] [fidelity's own options ...]
# LIST has one short name a line ('#' begins a comment). OUT/rows.jsonl holds a row a setting; settings that stand there
# already are not measured again, so an interrupted run goes on. Each process runs the reference once: with N settings,
# P processes take about the time of N/P + 1 settings. On 64 cores 8 processes of 8 threads do well.
set -euo pipefail
if [ $# -lt 4 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
list=$1 out=$2 model=$3 text=$4 processes=${5:-1} threads=${6:-$(nproc)}
shift $(($# < 6 ? $# : 6))
root=$(cd "$(dirname "$0")/../.." && pwd)
tool=${KVPARETO:-}
if [ -z "$tool" ]; then
  dotnet build -c Release "$root/src/KvPareto.Cli" -v q --nologo >&2
  tool="dotnet $root/src/KvPareto.Cli/bin/Release/net10.0/kvpareto.dll"
fi
mkdir -p "$out"
touch "$out/rows.jsonl"

# What an interrupted run has left.
gather() {
  for part in "$out"/part-*.jsonl; do
    [ -e "$part" ] || continue
    cat "$part" >> "$out/rows.jsonl"
    rm "$part"
  done
}
gather

# Sorted, settings of one weight precision are neighbours and mostly fall to one process, which loads them once.
sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$list" | sort -u > "$out/wanted"
sed -n 's/.*"setting":"\([^"]*\)".*/\1/p' "$out/rows.jsonl" | sort -u > "$out/done"
comm -23 "$out/wanted" "$out/done" > "$out/missing"
count=$(wc -l < "$out/missing")
echo "$count of $(wc -l < "$out/wanted") settings to measure, $processes processes of $threads threads" >&2

pids=()
for ((i = 0; i < processes; i++)); do
  names=$(awk -v n="$count" -v p="$processes" -v i="$i" 'int((NR - 1) * p / n) == i' "$out/missing" | paste -sd, -)
  [ -n "$names" ] || continue
  $tool fidelity "$model" --text "$text" --settings "$names" --threads "$threads" --rows "$out/part-$i.jsonl" "$@" \
    > "$out/part-$i.log" 2>&1 &
  pids+=($!)
done
failed=0
for pid in "${pids[@]:-}"; do
  [ -z "$pid" ] || wait "$pid" || failed=1
done
gather
rm -f "$out/wanted" "$out/done" "$out/missing"
if [ $failed -ne 0 ]; then
  echo "a process failed; the end of each log:" >&2
  tail -n 2 "$out"/part-*.log >&2
fi
$tool fidelity --report "$out/rows.jsonl" --out "$out"
exit $failed

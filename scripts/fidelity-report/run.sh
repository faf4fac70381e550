#!/usr/bin/env bash
# Measures the fidelity of a list of settings in several processes that share one run folder, then writes the table and the picture.
#   scripts/fidelity-report/run.sh LIST OUT MODEL TEXT [PROCESSES] [THREADS] [fidelity's own options ...]
# LIST has one short name a line ('#' begins a comment). OUT is the run's folder: an interrupted run goes on with what is
# missing, and what each process says is in OUT-N.log. Each process runs the reference once: with N settings, P processes take
# about the time of N/P + 1 settings. On 64 cores 8 processes of 8 threads do well.
set -euo pipefail
if [ $# -lt 4 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
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
names=$(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$list" | sort -u | paste -sd, -)
mkdir -p "$(dirname "$out")"
pids=()
for ((i = 0; i < processes; i++)); do
  $tool fidelity "$model" --text "$text" --settings "$names" --threads "$threads" --out "$out" --worker "p$i" "$@" \
    > "$out-$i.log" 2>&1 &
  pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do
  wait "$pid" || failed=1
done
if [ $failed -ne 0 ]; then
  echo "a process failed; the end of each log:" >&2
  tail -n 2 "$out"-*.log >&2
fi
$tool fidelity --report "$out" --out "$out"
exit $failed

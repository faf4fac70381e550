#!/usr/bin/env bash
# Compares fidelity on the real model with the reference values, setting by setting: PASS within 1 % in perplexity and 3 % in
# mean KL. Not a test: a setting takes one to two minutes on two cores.
#   scripts/fidelity-golden.sh SHARED MODEL OUT [PATTERN] [PROCESSES] [THREADS]
# SHARED has golden/smollm2/fidelity.jsonl and data/text/wiki.test.raw; MODEL is the folder of SmolLM2-135M-Instruct; PATTERN
# (grep -E) chooses among the settings' short names, for example '^w16a16-k4v4-t64$'. An interrupted run goes on.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '4,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
shared=$1 model=$2 out=$3 pattern=${4:-.} processes=${5:-1} threads=${6:-$(nproc)}
here=$(dirname "$0")
golden=$shared/golden/smollm2/fidelity.jsonl
root=$(cd "$here/.." && pwd)
mkdir -p "$(dirname "$out")"
python3 "$here/fidelity-golden.py" names "$golden" | grep -E -e "$pattern" > "$out.list"
"$here/fidelity-report/run.sh" "$out.list" "$out" "$model" "$shared/data/text/wiki.test.raw" "$processes" "$threads"
${KVPARETO:-dotnet "$root/src/KvPareto.Cli/bin/Release/net10.0/kvpareto.dll"} fidelity --report "$out" --out "$out" --json > "$out.json"
python3 "$here/fidelity-golden.py" compare "$golden" "$out.json"

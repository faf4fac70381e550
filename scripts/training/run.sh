#!/usr/bin/env bash
# The whole training on a machine with one or more GPUs: run.sh MAKER WORK OUT STEPS MINUTES [MILLIONS]
# MAKER is the published MakeSamples; WORK takes a few GB; OUT receives models/, references/ and the logs.
set -euo pipefail
cd "$(dirname "$0")"
maker=$1 work=$2 out=$3 steps=$4 minutes=$5 millions=${6:-800}
mkdir -p "$work" "$out"
python3 prepare.py --maker "$maker" --work "$work" --millions "$millions" 2>&1 | tee "$out/prepare.log"
gpus=$(nvidia-smi -L | wc -l)
pids=() next=0
for family in llama qwen2 mistral; do
  CUDA_VISIBLE_DEVICES=$((next % gpus)) python3 train.py --family $family --work "$work" --out "$out/models" \
    --steps "$steps" --minutes "$minutes" > "$out/$family.log" 2>&1 &
  pids+=($!) next=$((next + 1))
done
for pid in "${pids[@]}"; do wait "$pid" || echo "a training failed"; done
python3 export.py --work "$work" --models "$out/models" --references "$out/references" 2>&1 | tee "$out/export.log"
touch "$out/done"

#!/usr/bin/env bash
# One stage of the training of all three models, on one or more GPUs:
#   run.sh MAKER WORK OUT grow STEPS MINUTES
#   run.sh MAKER WORK OUT settle STEPS MINUTES START    (START: the OUT of the stage before)
# MAKER is the published MakeSamples; WORK takes a few GB; OUT receives models/, references/, tokenizer/ and the logs.
set -euo pipefail
cd "$(dirname "$0")"
maker=$1 work=$2 out=$3 stage=$4 steps=$5 minutes=$6 start=${7:-}
mkdir -p "$work" "$out/models"
python3 prepare.py --stage "$stage" --maker "$maker" --work "$work" ${start:+--tokenizer "$start/tokenizer"} > "$out/prepare.log" 2>&1 &
prepare=$!
until [ -e "$work/ready" ]; do kill -0 $prepare; sleep 1; done
cp -r "$work/tokenizer" "$out/"
gpus=$(nvidia-smi -L | wc -l)
pids=() next=0
for family in llama qwen2 mistral; do
  CUDA_VISIBLE_DEVICES=$((next % gpus)) python3 train.py --stage "$stage" --family $family --work "$work" --out "$out/models" \
    --steps "$steps" --minutes "$minutes" ${start:+--start "$start/models/$family.safetensors"} > "$out/$family.log" 2>&1 &
  pids+=($!) next=$((next + 1))
done
for pid in "${pids[@]}"; do wait "$pid" || echo "a training failed"; done
wait $prepare
if [ "$stage" = settle ]; then
  python3 export.py --work "$work" --models "$out/models" --references "$out/references" > "$out/export.log" 2>&1
fi
echo done

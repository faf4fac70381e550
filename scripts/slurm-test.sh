#!/usr/bin/env bash
# Sends a sweep to a real Slurm of two nodes on this machine, warns one worker that its time is over, preempts another, and compares
# the run with an undisturbed one. Usage: slurm-test.sh [PROGRAM]. Needs root and Debian's slurm-wlm and munge, which it installs where
# apt can; ends with 0 and the word "skipped" where they are not to be had.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-src/KvPareto.Cli/bin/Release/net10.0/kvpareto}")
skip() { echo "slurm-test: skipped: $1"; exit 0; }
[ "$(id -u)" -eq 0 ] || skip "needs root"
if ! command -v slurmctld > /dev/null || ! command -v munged > /dev/null; then
  apt-get install -y --no-install-recommends slurm-wlm munge > /dev/null 2>&1 || skip "slurm-wlm and munge cannot be installed"
fi

work=$(mktemp -d)
host=$(hostname -s)
cleanup() {
  for daemon in "$work"/*.pid; do [ -s "$daemon" ] && kill "$(cat "$daemon")" 2> /dev/null; done
  sleep 1
  rm -rf "$work"
}
trap cleanup EXIT
chmod 755 "$work"

# munge wants its files to be its own.
mkdir -p "$work/munge" && chmod 700 "$work/munge"
head -c 1024 /dev/urandom > "$work/munge/key" && chmod 400 "$work/munge/key"
munged --key-file="$work/munge/key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" --log-file="$work/munge/log" \
  --seed-file="$work/munge/seed" --force > /dev/null 2>&1
export SLURM_CONF=$work/slurm.conf
cat > "$SLURM_CONF" << CONF
ClusterName=kvpareto
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool.%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.%n.log
SlurmctldPort=26817
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=20
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=27001 CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=27002 CPUs=1 State=UNKNOWN
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
PartitionName=high Nodes=n1,n2 MaxTime=60 PriorityTier=10 PreemptMode=OFF
CONF
mkdir -p "$work/state" "$work/spool.n1" "$work/spool.n2"
slurmctld && slurmd -N n1 && slurmd -N n2 || skip "Slurm's daemons do not start here"
for _ in $(seq 60); do [ "$(sinfo -h -t idle -o %D | sed -n 1p)" = 2 ] && break; sleep 1; done
[ "$(sinfo -h -t idle -o %D | sed -n 1p)" = 2 ] || { tail -n 5 "$work"/*.log; skip "Slurm's nodes do not come up here"; }

cat > "$work/sweep.yaml" << 'YAML'
name: slurm
models: ["embedded:llama"]
tasks:
  - {task: embedded, kind: fact, samples: 96, length: 1000}
  - {task: embedded, kind: count, samples: 96, length: 1000}
axes: {weights: [w16, w4], cache: [k16v16, k8v8, k4v4, k2v2], granularity: [t64], chunk: [64]}
YAML
cat > "$work/profile.yaml" << 'YAML'
workers: 2
partition: low
cpus: 1
time: "30"
warning: 60
device: cpu
options: [--exclusive]
YAML
"$program" submit "$work/sweep.yaml" --profile "$work/profile.yaml" --out "$work/run" --dry-run | sed -n 1,12p
sent=$("$program" submit "$work/sweep.yaml" --profile "$work/profile.yaml" --out "$work/run")
echo "$sent"
job=$(echo "$sent" | grep -o '[0-9]\+' | sed -n 1p)
waitfor() { for _ in $(seq "$2"); do eval "$1" && return 0; sleep 1; done; echo "slurm-test: in vain: $1"; tail -n 5 "$work"/run.slurm/*.log; exit 1; }
held() { "$program" status "$work/run" --json 2> /dev/null | grep -o '"holder"' | wc -l; }

waitfor '[ "$(held)" -ge 2 ]' 120
"$program" status "$work/run"
# The time of one is nearly over: it ends and is put back.
scancel --signal=USR1 --batch "${job}_0"
waitfor '[ "$(scontrol show job ${job}_0 | grep -o "Restarts=[0-9]*")" = Restarts=1 ]' 120
echo "requeued after the warning: ${job}_0"
# Another's work has priority: both are preempted and come back.
waitfor '[ "$(held)" -ge 1 ]' 180
sbatch --partition=high --nodes=2 --exclusive --time=1 --output=/dev/null --wrap "sleep 3" > /dev/null
waitfor 'scontrol show job ${job}_1 | grep -q "Restarts=[1-9]"' 180
echo "requeued after preemption: ${job}_1"
waitfor '[ -z "$(squeue -h)" ]' 600
"$program" status "$work/run"

"$program" report "$work/run" > /dev/null
"$program" sweep "$work/sweep.yaml" --out "$work/alone" > /dev/null 2>&1
same() { python3 - "$1" << 'PY'
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    print([(key, value) for key, value in row.items() if "_ms" not in key])
PY
}
# The workers share the machine, which the other run has alone: times say so, scores and peaks do not.
# Files, for what a substitution ends with is lost: two that failed would be the same.
for run in run alone; do same "$work/$run/results.csv" > "$work/$run.rows"; done
diff "$work/run.rows" "$work/alone.rows" | cut -c1-300
[ "$(wc -l < "$work/run/results.csv")" -ge 9 ]
[ -z "$(ls "$work/run/leases")" ]
echo "slurm-test: passed: $(($(wc -l < "$work/run/results.csv") - 1)) trials, as in an undisturbed run"

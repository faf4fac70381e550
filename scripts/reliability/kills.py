#!/usr/bin/env python3
"""Kills sweeps and goes on with them: usage kills.py PROGRAM ROUNDS [SEED].

Each round starts a sweep of tiny.yaml and ends it: at a random moment (SIGKILL), at one of its calls that change files (before the
call, after it, half-way through a write), by a call that fails (no space left, I/O error), or, with three workers on one folder, by
killing or stopping one of them; a third of the rounds go on with the folder of a sweep of fewer samples. Then the folder is gone on with, and must give what an undisturbed sweep gave: journal, samples and
tables but for the times, no draft, lock or lease left. Needs gcc. Exit code 1 where a folder was stuck or a result differed. An interrupt
(SIGINT) ends it with the counts so far.

kills.py PROGRAM images COUNT FOLDER [SEED] makes instead COUNT copies of a run folder in FOLDER/images as kills at every single call
would leave it, of sweeps and of sweeps gone on with, for scripts/reliability/images to go on with: many more in the same time.
"""
import csv
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = os.path.join(HERE, "tiny.yaml")
PATIENCE = 300
TIMES = ("ttft_", "tpot_")


def sweep(folder, *more, preload=None, config=CONFIG):
    environment = dict(os.environ)
    if preload:
        environment.update(preload, LD_PRELOAD=LIBRARY, KV_DIR=folder)
    command = [PROGRAM, "sweep", config, "--out", folder, "--threads", "1", *more]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process):
    try:
        output = process.communicate(timeout=PATIENCE)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, "hangs"
    return process.returncode, output


def content(folder):
    """What does not depend on the clock."""
    with open(os.path.join(folder, "results.csv"), newline="") as file:
        rows = [{k: v for k, v in row.items() if not k.startswith(TIMES)} for row in csv.DictReader(file)]
    samples = {}
    # Logs of an earlier config stay.
    for name in sorted(row["trial"] + ".jsonl" for row in rows):
        with open(os.path.join(folder, "samples", name)) as file:
            lines = [json.loads(line) for line in file]
        samples[name] = [(r["task"], r["sample"], r["prediction"], r["score"], r["peaks"]) for r in lines]
    return rows, samples


def left(folder):
    names = [os.path.join(root, name) for root, _, files in os.walk(folder) for name in files]
    leases = os.path.join(folder, "leases")
    return [n for n in names if n.endswith((".tmp", ".lock")) or n.startswith(leases)]


def disturb(folder):
    """Starts a sweep and ends it; says how."""
    kind = random.random()
    fewer, more = "", []
    if random.random() < 0.33:
        shutil.copytree(FEWER, folder)
        fewer, more = "after fewer samples, ", ["--resume"]
    if kind < 0.30:
        process = sweep(folder, *more)
        time.sleep(random.uniform(0, 1.3) * SECONDS)
        process.kill()
        finish(process)
        return fewer + "random moment", None
    if kind < 0.70:
        mode, at = random.choice(["before", "after", "half"]), random.randint(1, CALLS)
        finish(sweep(folder, *more, preload={"KV_MODE": mode, "KV_AT": str(at)}))
        return f"{fewer}crash point ({mode} a call)", None
    if kind < 0.82:
        call = random.choice(["fsync", "write", "rename", "link", "open", "mkdir"])
        number = random.choice([errno.ENOSPC, errno.EIO])
        preload = {"KV_MODE": f"error:{number}", "KV_ONLY": call, "KV_AT": str(random.randint(1, 12))}
        code, output = finish(sweep(folder, *more, preload=preload))
        # 0 where the sweep has fewer such calls.
        problem = None if code in (0, 2) and "   at " not in output else f"a failing {call} ended with {code}: {output[-300:]}"
        return f"{fewer}failing call ({call})", problem
    what, problem = disturb_workers(folder, signal.SIGKILL if kind < 0.93 else signal.SIGSTOP)
    return fewer + what, problem


def disturb_workers(folder, how):
    """Starts three workers and ends or stops one of them: the others must do its part, and a stopped one, woken afterwards, must see that."""
    workers = {name: sweep(folder, "--worker", name) for name in "abc"}
    victim = random.choice("abc")
    time.sleep(random.uniform(0, 1.3) * SECONDS)
    workers[victim].send_signal(how)
    problem = None
    for name, process in workers.items():
        if name == victim:
            continue
        code, output = finish(process)
        if code != 0:
            problem = f"the surviving worker {name} ended with {code}: {output[-300:]}"
    if how == signal.SIGSTOP:
        workers[victim].send_signal(signal.SIGCONT)
    code, output = finish(workers[victim])
    # 2 with one line where its trial was taken over meanwhile.
    if how == signal.SIGSTOP and not (code == 0 or (code == 2 and "took it over" in output and "   at " not in output)):
        problem = problem or f"the stopped worker ended with {code}: {output[-300:]}"
    return f"one of three workers {'killed' if how == signal.SIGKILL else 'stopped for a while'}", problem


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counts, problems, started = {}, [], time.time()
    try:
        rounds(counts, problems)
    except KeyboardInterrupt:
        pass
    for what, count in sorted(counts.items()):
        print(f"{count:6}  {what}")
    print(f"{sum(counts.values()):6}  rounds, seed {SEED}: {len(problems)} stuck or different, {time.time() - started:.0f} s")
    return 1 if problems else 0


def rounds(counts, problems):
    for round_number in range(ROUNDS):
        folder = os.path.join(WORK, "run")
        shutil.rmtree(folder, ignore_errors=True)
        what, problem = disturb(folder)
        more = ["--resume"] if os.path.exists(folder) and "workers" not in what else ["--worker", "d"] if "workers" in what else []
        code, output = finish(sweep(folder, *more))
        if code != 0:
            problem = problem or f"cannot be gone on with ({code}): {output[-300:]}"
        elif content(folder) != REFERENCE:
            problem = problem or "its results differ"
        elif left(folder):
            problem = problem or f"leaves {left(folder)}"
        counts[what] = counts.get(what, 0) + 1
        if problem:
            problems.append(problem)
            print(f"round {round_number}: {what}: {problem}", flush=True)


def count_calls(folder):
    """How many calls an undisturbed sweep makes: the first number at which nothing is killed."""
    low, high = 1, 4096
    while low < high:
        middle = (low + high) // 2
        shutil.rmtree(folder, ignore_errors=True)
        code, _ = finish(sweep(folder, preload={"KV_MODE": "after", "KV_AT": str(middle)}))
        low, high = (middle + 1, high) if code == -signal.SIGKILL else (low, middle)
    return low - 1


def make_images(count, target):
    """Copies of the folder before each call and half-way through each write; each sweep begins with a copy of an earlier one's."""
    images, run = os.path.join(target, "images"), os.path.join(WORK, "run")
    os.makedirs(images)
    assert finish(sweep(os.path.join(target, "whole")))[0] == 0, "the undisturbed sweep failed"
    made, number = [], 0
    while len(made) < count:
        shutil.rmtree(run, ignore_errors=True)
        if made:
            shutil.copytree(random.choice(made), run)
        some = os.path.join(WORK, "some")
        os.makedirs(some)
        code, output = finish(sweep(run, *(["--resume"] if made else []), preload={"KV_IMAGES": some}))
        assert code == 0, output
        for name in sorted(os.listdir(some))[: count - len(made)]:
            made.append(os.path.join(images, f"{number:03}-{name}"))
            shutil.move(os.path.join(some, name), made[-1])
        shutil.rmtree(some)
        number += 1
    print(f"{len(made)} images of {number} sweeps, seed {SEED}")


if __name__ == "__main__":
    IMAGES = sys.argv[2] == "images"
    PROGRAM, ROUNDS = os.path.abspath(sys.argv[1]), int(sys.argv[3 if IMAGES else 2])
    SEED = int(sys.argv[5 if IMAGES else 3]) if len(sys.argv) > (5 if IMAGES else 3) else 1
    random.seed(SEED)
    WORK = tempfile.mkdtemp(prefix="kvpareto-kills-")
    try:
        LIBRARY = os.path.join(WORK, "crash-points.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", LIBRARY, os.path.join(HERE, "crash-points.c"), "-ldl"], check=True)
        if IMAGES:
            make_images(ROUNDS, sys.argv[4])
            sys.exit(0)
        begun = time.time()
        assert finish(sweep(os.path.join(WORK, "whole")))[0] == 0, "the undisturbed sweep failed"
        SECONDS = time.time() - begun
        FEWER = os.path.join(WORK, "fewer")
        assert finish(sweep(FEWER, config=os.path.join(HERE, "fewer.yaml")))[0] == 0, "the sweep of fewer samples failed"
        REFERENCE = content(os.path.join(WORK, "whole"))
        CALLS = count_calls(os.path.join(WORK, "run"))
        print(f"an undisturbed sweep takes {SECONDS:.1f} s and makes {CALLS} calls that change files", flush=True)
        sys.exit(main())
    finally:
        shutil.rmtree(WORK, ignore_errors=True)

#!/usr/bin/env python3
"""Kills sweeps and goes on with them: usage kills.py PROGRAM ROUNDS [SEED], or kills.py PROGRAM shared ROUNDS [SEED].

Each round starts a sweep of tiny.yaml and ends it: at a random moment (SIGKILL), at one of its calls that change files (before the
call, after it, half-way through a write), by a call that fails (no space left, I/O error), or, with three workers on one folder, by
killing or stopping one of them; a third of the rounds go on with the folder of a sweep of fewer samples. Then the folder is gone on with, and must give what an undisturbed sweep gave: journal, samples and
tables but for the times, no draft, lock or lease left. Needs gcc. Exit code 1 where a folder was stuck or a result differed. An interrupt
(SIGINT) ends it with the counts so far.

With "shared" each round is one trial (one.yaml) that three workers share: one of them or all are killed at a random moment, one at a
call that changes files, one has a call that fails, or is stopped for longer than a lease lasts and woken again.

kills.py PROGRAM images COUNT FOLDER [SEED] makes instead COUNT copies of a run folder in FOLDER/images as kills at every single call
would leave it, of sweeps and of sweeps gone on with, for scripts/reliability/images to go on with: many more in the same time.
"""
import csv
import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 300
TIMES = ("ttft_", "tpot_")
HELPERS_LOG = re.compile(r"samples/[0-9a-f]{16}-[0-9a-f]{8}\.jsonl$")


def sweep(folder, *more, preload=None, config=None):
    environment = dict(os.environ)
    if preload:
        environment.update(preload, LD_PRELOAD=LIBRARY, KV_DIR=folder)
    command = [PROGRAM, "sweep", config or CONFIG, "--out", folder, "--threads", "1", *more]
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
    return [n for n in names if n.endswith((".tmp", ".lock")) or n.startswith(leases) or HELPERS_LOG.search(n)]


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


def disturb_shared(folder):
    """Starts three workers on one trial and disturbs one or all of them."""
    kind, victim, others = random.random(), random.choice("abc"), {}
    preload = {}
    if kind >= 0.80:
        call = random.choice(["fsync", "write", "rename", "link", "open"])
        number = random.choice([errno.ENOSPC, errno.EIO])
        preload = {"KV_MODE": f"error:{number}", "KV_ONLY": call, "KV_AT": str(random.randint(1, 60))}
        what = f"a call of one of three on one trial fails ({call})"
    elif kind >= 0.55:
        mode, at = random.choice(["before", "after", "half"]), random.randint(20, CALLS)
        preload = {"KV_MODE": mode, "KV_AT": str(at)}
        what = f"one of three on one trial killed at a call ({mode} it)"
    for name in "abc":
        others[name] = sweep(folder, "--worker", name, preload=preload if name == victim else None)
    problem = None
    if kind < 0.55:
        time.sleep(random.uniform(0.3, 1.0) * SECONDS)
        how = signal.SIGSTOP if kind < 0.08 else signal.SIGKILL
        what = "one of three on one trial " + ("stopped for a while" if how == signal.SIGSTOP else "killed")
        if 0.40 <= kind:
            what = "all three on one trial killed"
            for process in others.values():
                process.kill()
        else:
            others[victim].send_signal(how)
    for name, process in others.items():
        if name == victim and kind < 0.08:
            continue
        code, output = finish(process)
        is_victim = name == victim or "all three" in what
        if not is_victim and code != 0:
            problem = f"the surviving worker {name} ended with {code}: {output[-300:]}"
        if is_victim and preload.get("KV_MODE", "").startswith("error") and (code not in (0, 2) or "   at " in output):
            problem = f"a failing call ended with {code}: {output[-300:]}"
    if kind < 0.08:
        others[victim].send_signal(signal.SIGCONT)
        code, output = finish(others[victim])
        if not (code == 0 or (code == 2 and "took it over" in output and "   at " not in output)):
            problem = problem or f"the stopped worker ended with {code}: {output[-300:]}"
    # Who measured samples of the trial, by their journals.
    SHARED.append(sum('"event":"started"' in open(os.path.join(folder, name)).read()
                      for name in os.listdir(folder) if name.startswith("journal-")) if os.path.isdir(folder) else 0)
    return what + ", workers", problem


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counts, problems, started = {}, [], time.time()
    try:
        rounds(counts, problems)
    except KeyboardInterrupt:
        pass
    for what, count in sorted(counts.items()):
        print(f"{count:6}  {what}")
    if SHARE:
        print(f"{sum(number > 1 for number in SHARED):6}  of them in which two or three took part before the end")
    print(f"{sum(counts.values()):6}  rounds, seed {SEED}: {len(problems)} stuck or different, {time.time() - started:.0f} s")
    return 1 if problems else 0


def rounds(counts, problems):
    for round_number in range(ROUNDS):
        folder = os.path.join(WORK, "run")
        shutil.rmtree(folder, ignore_errors=True)
        what, problem = (disturb_shared if SHARE else disturb)(folder)
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
    IMAGES, SHARE, SHARED = sys.argv[2] == "images", sys.argv[2] == "shared", []
    CONFIG = os.path.join(HERE, "one.yaml" if SHARE else "tiny.yaml")
    PROGRAM, ROUNDS = os.path.abspath(sys.argv[1]), int(sys.argv[3 if IMAGES or SHARE else 2])
    SEED_AT = 5 if IMAGES else 4 if SHARE else 3
    SEED = int(sys.argv[SEED_AT]) if len(sys.argv) > SEED_AT else 1
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

"""Trains one embedded model on the arrays that prepare.py wrote, and exports it with export.py.

    train.py --family llama|qwen2|mistral --work DIR --out DIR --steps N [--minutes M] [--seed S]

AdamW at 2e-3 with cosine, batches of 65,536 tokens, rows of 256, then 512, then 1,024, at last also 2,048 tokens. The schedule is
a function of the step alone; with --minutes it is also bounded by the clock, and the log says so if the clock took part."""

import argparse
import math
import random
import time
from pathlib import Path

import numpy as np
import torch

from evaluate import evaluate, load_held_out
from export import export
from model import SHAPES, LanguageModel

BATCH_TOKENS = 65_536
PEAK_RATE, LAST_RATE, WARMUP_STEPS = 2e-3, 2e-5, 500
TEXT_WEIGHT = 0.1
# Until which part of the schedule which mixture of row lengths is drawn.
CURRICULUM = (
    (0.35, {256: 1.0}),
    (0.58, {512: 0.8, 256: 0.2}),
    (0.86, {1024: 0.7, 512: 0.2, 256: 0.1}),
    (1.00, {2048: 0.3, 1024: 0.5, 512: 0.14, 256: 0.06}),
)


def learning_rate(step, progress):
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return min(1.0, (step + 1) / WARMUP_STEPS) * (LAST_RATE + (PEAK_RATE - LAST_RATE) * cosine)


def row_length(step, progress, seed):
    mixture = next(mixture for until, mixture in CURRICULUM if progress < until or until == 1.0)
    return random.Random(seed * 1_000_003 + step).choices(list(mixture), list(mixture.values()))[0]


def answer_weights(rows, answer_id, colon_id, eos_id):
    """rows [N, L + 1] → uint8 [N, L] for the targets rows[:, 1:]: 0 padding, 1 text, 2 answer with its <eos>."""
    before, two_before = rows[:, 1:-1], rows[:, :-2]
    starts = torch.zeros_like(rows, dtype=torch.int32)
    starts[:, 2:] = (before == colon_id) & (two_before == answer_id)
    ends = torch.zeros_like(starts)
    ends[:, 1:] = rows[:, :-1] == eos_id
    inside = starts.cumsum(1) > ends.cumsum(1)
    return ((rows >= 0).byte() + (inside & (rows >= 0)).byte())[:, 1:].contiguous()


class Rows:
    """All documents of one row length on the device, dealt in a seeded order, epoch after epoch."""

    def __init__(self, path, length, marks, seed, device):
        self.rows = torch.from_numpy(np.load(path)).to(device)
        self.weights = torch.cat([answer_weights(part, *marks) for part in self.rows.split(8192)])
        self.batch = BATCH_TOKENS // length
        self.generator = torch.Generator(device=device).manual_seed(seed * 10_007 + length)
        self.order, self.next = None, 0

    def draw(self):
        """Row numbers [batch] of the next batch."""
        if self.order is None or self.next + self.batch > len(self.rows):
            self.order, self.next = torch.randperm(len(self.rows), generator=self.generator, device=self.rows.device), 0
            if len(self.order) < self.batch:
                self.order = self.order.repeat(-(-self.batch // len(self.order)))
        self.next += self.batch
        return self.order[self.next - self.batch : self.next]


class Stepper:
    """One optimizer step. On a GPU each row length's whole step is recorded once as a CUDA graph and replayed."""

    def __init__(self, model, rows, device):
        self.model, self.rows, self.graphed = model, rows, device.type == "cuda"
        decayed = [p for p in model.parameters() if p.dim() == 2]
        others = [p for p in model.parameters() if p.dim() != 2]
        self.rate = torch.tensor(0.0, device=device)
        options = {"capturable": True, "fused": True} if self.graphed else {}
        self.optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
                                           lr=self.rate if self.graphed else 0.0, betas=(0.9, 0.98), **options)
        self.chosen = {length: torch.zeros(part.batch, dtype=torch.long, device=device) for length, part in rows.items()}
        self.losses = {length: torch.zeros(2, device=device) for length in rows}
        self.graphs = {}

    def step(self, length, rate):
        if self.graphed:
            self.rate.fill_(rate)
        else:
            for group in self.optimizer.param_groups:
                group["lr"] = rate
        self.chosen[length].copy_(self.rows[length].draw())
        if not self.graphed:
            self._step(length)
        elif length in self.graphs:
            self.graphs[length].replay()
        else:
            self._record(length)
        return self.losses[length]

    def _record(self, length):
        # The warm-up steps compile and allocate; at rate 0 they leave the weights as they are.
        wanted = self.rate.clone()
        self.rate.zero_()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._step(length)
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step(length)
        self.graphs[length] = graph
        self.rate.copy_(wanted)
        graph.replay()

    def _step(self, length):
        part, chosen = self.rows[length], self.chosen[length]
        ids = part.rows[chosen].long().clamp(min=0)
        self.optimizer.zero_grad(set_to_none=True)
        answer, text = self.model.losses(ids[:, :-1], ids[:, 1:], part.weights[chosen])
        (answer + TEXT_WEIGHT * text).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.losses[length].copy_(torch.stack((answer.detach(), text.detach())))


def train(arguments):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    tokenizer_folder = arguments.work / "tokenizer"
    held_out, marks = load_held_out(arguments.work)
    model = LanguageModel(SHAPES[arguments.family]).to(device)
    if device.type == "cuda":
        model.compile()
    files = sorted(arguments.work.glob("rows-*.npy"))
    lengths = [int(path.stem.split("-")[1]) for path in files]
    rows = {length: Rows(path, length, marks, arguments.seed, device) for length, path in zip(lengths, files)}
    stepper = Stepper(model, rows, device)
    started = time.time()
    step, clocked = 0, False
    reports = sorted(set(arguments.steps * part // 12 for part in range(1, 12)))
    print(f"{arguments.family}: {sum(p.numel() for p in model.parameters())} parameters, seed {arguments.seed}", flush=True)
    while True:
        by_step = step / arguments.steps
        by_clock = (time.time() - started) / (60 * arguments.minutes)
        # Compilation makes the start slow; the clock takes part only once it is clear that the steps will not fit.
        late = by_clock > max(by_step, 0.3)
        progress = by_clock if late else by_step
        clocked |= late
        if progress >= 1:
            break
        length = row_length(step, progress, arguments.seed)
        losses = stepper.step(length, learning_rate(step, progress))
        step += 1
        if step % 1000 == 0 or step in (1, 100):
            answer, text = losses.tolist()
            print(f"{arguments.family} step {step} {progress:.3f} L {length} answer {answer:.4f} text {text:.4f} "
                  f"{time.time() - started:.0f} s", flush=True)
            if not math.isfinite(answer):
                raise SystemExit("the loss is not finite")
        if step in reports or (arguments.report and step % arguments.report == 0):
            print(f"{arguments.family} step {step}: {evaluate(model, held_out, device, 64)}", flush=True)
            export(model, tokenizer_folder, arguments.out)
    print(f"{arguments.family}: {step} of {arguments.steps} steps in {time.time() - started:.0f} s"
          + (", schedule shortened by the clock" if clocked else ""), flush=True)
    export(model, tokenizer_folder, arguments.out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--family", choices=SHAPES, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--report", type=int, default=0, help="also evaluate every so many steps")
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()

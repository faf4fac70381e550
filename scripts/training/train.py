"""Trains one embedded model on the arrays that prepare.py writes, and exports it with export.py.

    train.py --stage grow|settle --family llama|qwen2|mistral --work DIR --out DIR --steps N [--minutes M] [--start FILE] [--seed S]

Two stages: `grow` from rows of 128 to rows of 1,024 tokens at a constant rate, `settle` at up to 2,048 tokens while the rate falls.
Muon on the layers' matrices, AdamW on the rest, batches of 32,768 tokens. The schedule is a function of the step alone; with
--minutes it is also bounded by the clock, and the log says so if the clock took part."""

import argparse
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from evaluate import evaluate, load_held_out
from export import export
from model import SHAPES, LanguageModel
from optimizers import Muon

WARMUP_STEPS = 500
TEXT_WEIGHT = 0.1
# For each stage: until which part of it which mixture of row lengths is drawn.
CURRICULA = {
    "grow": (
        (0.20, {128: 1.0}),
        (0.45, {256: 0.8, 128: 0.2}),
        (0.75, {512: 0.7, 256: 0.2, 128: 0.1}),
        (1.00, {1024: 0.6, 512: 0.25, 256: 0.1, 128: 0.05}),
    ),
    "settle": (
        (0.10, {512: 0.3, 256: 0.4, 128: 0.3}),
        (0.78, {1024: 0.65, 512: 0.2, 256: 0.1, 128: 0.05}),
        (1.00, {2048: 0.22, 1024: 0.53, 512: 0.15, 256: 0.06, 128: 0.04}),
    ),
}


def schedule(stage, step, progress):
    """Share of the peak learning rate: constant while growing, then a cosine down to nothing."""
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    return warm if stage == "grow" else warm * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def row_length(stage, step, progress, seed):
    mixture = next(mixture for until, mixture in CURRICULA[stage] if progress < until or until == 1.0)
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

    def __init__(self, path, length, marks, seed, batch_tokens, device):
        while not path.exists():  # prepare.py may still be writing the longer rows
            time.sleep(1)
        self.rows = torch.from_numpy(np.load(path)).to(device)
        self.weights = torch.cat([answer_weights(part, *marks) for part in self.rows.split(8192)])
        self.batch = batch_tokens // length
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

    def __init__(self, model, rows_of, arguments, device):
        self.model, self.rows_of, self.graphed = model, rows_of, device.type == "cuda"
        self.muon = arguments.muon
        layers = [p for name, p in model.named_parameters() if p.dim() == 2 and ".layers." in name]
        others = [p for name, p in model.named_parameters() if not (p.dim() == 2 and ".layers." in name)]
        self.rate, self.muon_rate = torch.tensor(0.0, device=device), torch.tensor(0.0, device=device)
        options = {"capturable": True, "fused": True} if self.graphed else {}
        adam = torch.optim.AdamW(others if self.muon else layers + others, lr=self.rate if self.graphed else 0.0, betas=(0.9, 0.98),
                                 weight_decay=0.01, **options)
        self.optimizers = [adam, Muon(layers, self.muon_rate)] if self.muon else [adam]
        self.rows, self.chosen, self.losses, self.graphs = {}, {}, {}, {}

    def step(self, length, rate):
        if length not in self.rows:
            self.rows[length] = self.rows_of(length)
            self.chosen[length] = self.rows[length].draw().clone()
            self.losses[length] = self.rate.repeat(2)
        self.rate.fill_(rate)
        self.muon_rate.fill_(rate * self.muon)
        if not self.graphed:
            self.optimizers[0].param_groups[0]["lr"] = rate
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
        wanted, wanted_muon = self.rate.clone(), self.muon_rate.clone()
        self.rate.zero_()
        self.muon_rate.zero_()
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
        self.muon_rate.copy_(wanted_muon)
        graph.replay()

    def _step(self, length):
        part, chosen = self.rows[length], self.chosen[length]
        ids = part.rows[chosen].long().clamp(min=0)
        self.model.zero_grad(set_to_none=True)
        answer, text = self.model.losses(ids[:, :-1], ids[:, 1:], part.weights[chosen])
        (answer + TEXT_WEIGHT * text).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.losses[length].copy_(torch.stack((answer.detach(), text.detach())))


def save(model, tokenizer_folder, arguments):
    """The f32 weights, to go on from, and the Hugging Face folder."""
    export(model, tokenizer_folder, arguments.out)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, arguments.out / f"{arguments.family}.safetensors")


def train(arguments):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seed = 10 * arguments.seed + list(SHAPES).index(arguments.family)
    torch.manual_seed(seed)
    tokenizer_folder = arguments.work / "tokenizer"
    held_out, marks = load_held_out(arguments.work)
    model = LanguageModel(SHAPES[arguments.family]).to(device)
    if device.type == "cuda":
        model.compile()
    if arguments.start:
        model.load_state_dict(load_file(arguments.start))

    def rows_of(length):
        return Rows(arguments.work / f"rows-{length}.npy", length, marks, seed, arguments.batch_tokens, device)

    stepper = Stepper(model, rows_of, arguments, device)
    started = time.time()
    step, clocked = 0, False
    reports = sorted(set(arguments.steps * part // 12 for part in range(1, 12)))
    print(f"{arguments.family}: {sum(p.numel() for p in model.parameters())} parameters, seed {seed}", flush=True)
    while True:
        by_step = step / arguments.steps
        by_clock = (time.time() - started) / (60 * arguments.minutes)
        # Compilation makes the start slow; the clock takes part only once it is clear that the steps will not fit.
        late = by_clock > max(by_step, 0.3)
        progress = by_clock if late else by_step
        clocked |= late
        if progress >= 1:
            break
        length = row_length(arguments.stage, step, progress, seed)
        losses = stepper.step(length, arguments.rate * schedule(arguments.stage, step, progress))
        step += 1
        if step % 1000 == 0 or step in (1, 100):
            answer, text = losses.tolist()
            print(f"{arguments.family} step {step} {progress:.3f} L {length} answer {answer:.4f} text {text:.4f} "
                  f"{time.time() - started:.0f} s", flush=True)
            if not math.isfinite(answer + text):
                raise SystemExit("the loss is not finite")
        if step in reports or (arguments.report and step % arguments.report == 0):
            print(f"{arguments.family} step {step}: {evaluate(model, held_out, device, 64)}", flush=True)
            save(model, tokenizer_folder, arguments)
    print(f"{arguments.family}: {step} of {arguments.steps} steps in {time.time() - started:.0f} s"
          + (", schedule shortened by the clock" if clocked else ""), flush=True)
    save(model, tokenizer_folder, arguments)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--family", choices=SHAPES, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--report", type=int, default=0, help="also evaluate every so many steps")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate of AdamW")
    parser.add_argument("--muon", type=float, default=3, help="train the layers' matrices by Muon, at so many times the rate")
    parser.add_argument("--batch-tokens", type=int, default=32_768)
    parser.add_argument("--stage", choices=CURRICULA, required=True)
    parser.add_argument("--start", type=Path, help="FAMILY.safetensors of the stage before")
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()

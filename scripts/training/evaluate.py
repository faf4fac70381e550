"""Held-out scores: the share of samples whose greedy reply is the expected one, token for token, its <eos> included.

Greedy decoding gives the expected reply exactly if each of its tokens is the likeliest after the ones before it, so one pass over
prompt and reply decides."""

import json

import torch
from tokenizers import Tokenizer

from model import EOS


def load_held_out(work):
    """{"fact-256": rows, …} and the ids of `Answer`, `:` and <eos>, which mark an answer's span."""
    held_out = {path.stem: json.loads(path.read_text()) for path in sorted((work / "held-out").glob("*.json"))}
    tokenizer = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))
    marks = tokenizer.encode("Answer:", add_special_tokens=False).ids
    assert len(marks) == 2, marks
    return held_out, (*marks, EOS)


@torch.no_grad()
def score(logits_of, rows, device, batch_tokens=65_536):
    """Share of `rows` answered right by `logits_of`: ids [B, T] → logits [B, T, V]."""
    right = 0
    longest = max(len(row["prompt_ids"]) + len(row["reply_ids"]) for row in rows)
    batch = max(1, batch_tokens // longest)
    for first in range(0, len(rows), batch):
        part = rows[first : first + batch]
        ids = torch.full((len(part), longest), EOS, device=device)
        for i, row in enumerate(part):
            whole = torch.tensor(row["prompt_ids"] + row["reply_ids"], device=device)
            ids[i, : len(whole)] = whole
        likeliest = logits_of(ids).argmax(-1)
        for i, row in enumerate(part):
            start, count = len(row["prompt_ids"]), len(row["reply_ids"])
            right += bool((likeliest[i, start - 1 : start - 1 + count] == ids[i, start : start + count]).all())
    return right / len(rows)


def evaluate(model, held_out, device, count):
    """Scores of the model in training, in short form."""
    return {name: round(score(model, rows[:count], device), 3) for name, rows in held_out.items()}

#!/usr/bin/env python3
"""Fidelity in plain PyTorch, apart from the product's own code: perplexity and mean KL divergence of cache settings, as docs/fidelity.md
and docs/schemes.md define them. For Llama models in bf16 safetensors (one file, tied embeddings), f32 or f64 arithmetic on the CPU.
  scripts/fidelity-reference.py MODEL IDS SETTINGS OUT [--dtype float64] [--windows N] [NAME ...]
MODEL is a folder; IDS a file with a JSON list of token ids (kvpareto tokenize --no-special --json) or {"ids": ...}; SETTINGS a JSON
Lines file with the fields setting, key_bits, value_bits, key_group, value_group (token:g, channel:g, block:n, tensor), smooth, rotation
(null, k, kv), sink, edge, chunk, and ppl, kl_mean to compare with; NAMEs choose among its settings. Appends a line a setting to OUT.
Needs PyTorch and NumPy. Settings with quantized weights are left out."""
import argparse
import json
import math
import struct

import numpy
import torch

WINDOW = 4096


def load(folder, dtype):
    with open(f"{folder}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    raw = numpy.memmap(f"{folder}/model.safetensors", dtype=numpy.uint8)
    size = struct.unpack("<Q", raw[:8].tobytes())[0]
    weights = {}
    for name, entry in json.loads(raw[8 : 8 + size].tobytes()).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        widened = raw[begin:end].view(numpy.uint16).astype(numpy.uint32) << 16
        weights[name] = torch.from_numpy(widened.view(numpy.float32).reshape(entry["shape"])).to(dtype)
    return config, weights


def coded(x, bits, axes):
    """Values as they come back from asymmetric codes of groups over `axes`; scales are f16."""
    low, high = x.amin(axes, True), x.amax(axes, True)
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    scale = ((high - low) / (most - least)).half().to(x.dtype)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    zero = torch.round(least - low / scale)
    codes = torch.clamp(torch.round(x / scale + zero), least, most)
    return torch.where(high == low, x, (codes - zero) * scale)


def quantized(x, bits, granularity):
    """One append [heads, tokens, channels]."""
    if bits >= 16:
        return x
    heads, tokens, width = x.shape
    axis, _, size = granularity.partition(":")
    if axis == "tensor":
        return coded(x, bits, (0, 1, 2))
    size = int(size)
    if axis == "token":
        return coded(x.reshape(heads, tokens, width // size, size), bits, (3,)).reshape(x.shape)
    return coded(x.reshape(heads, tokens // size, size, width), bits, (2,) if axis == "channel" else (2, 3)).reshape(x.shape)


class Model:
    def __init__(self, folder, dtype):
        self.config, self.weights = load(folder, dtype)
        c = self.config
        self.heads, self.key_heads = c["num_attention_heads"], c["num_key_value_heads"]
        self.width = c.get("head_dim") or c["hidden_size"] // self.heads
        frequencies = 1.0 / (c["rope_theta"] ** (torch.arange(0, self.width, 2, dtype=torch.float32) / self.width))
        angles = torch.outer(torch.arange(WINDOW, dtype=torch.float32), frequencies).repeat(1, 2)
        self.cos, self.sin = angles.cos().to(dtype), angles.sin().to(dtype)
        hadamard = torch.ones(1, 1)
        while len(hadamard) < self.width:
            hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)])
        self.hadamard = (hadamard / math.sqrt(self.width)).to(dtype)

    def norm(self, x, name):
        return self.weights[name] * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"]))

    def rope(self, x):
        half = self.width // 2
        return x * self.cos[: x.shape[1]] + torch.cat([-x[..., half:], x[..., :half]], -1) * self.sin[: x.shape[1]]

    def cached(self, k, v, s):
        """Keys and values as attention reads them."""
        tokens = k.shape[1]
        chunk = s["chunk"] or tokens
        mean = k[:, :chunk].mean(1, keepdim=True).half().to(k.dtype) if s["smooth"] else 0
        parts = []
        for start in range(0, tokens, chunk):
            sides = []
            for x, shift, bits, group, turned in (
                (k, mean, s["key_bits"], s["key_group"], s["rotation"] in ("k", "kv")),
                (v, 0, s["value_bits"], s["value_group"], s["rotation"] == "kv"),
            ):
                x = x[:, start : start + chunk] - shift
                x = x @ self.hadamard if turned else x
                kept = max(0, min(s["sink"] - start, x.shape[1]))
                x = torch.cat([x[:, :kept], quantized(x[:, kept:], bits, group)], 1)
                sides.append((x @ self.hadamard if turned else x) + shift)
            parts.append(sides)
        return (torch.cat(side, 1) for side in zip(*parts))

    def states(self, ids, s):
        """Hidden states [T, H] under the final norm; s None leaves the cache unquantized."""
        linear, layers = torch.nn.functional.linear, self.config["num_hidden_layers"]
        x, tokens = self.weights["model.embed_tokens.weight"][ids], len(ids)
        mask = torch.full((tokens, tokens), -math.inf, dtype=x.dtype).triu(1)
        for layer in range(layers):
            name = f"model.layers.{layer}."
            h = self.norm(x, name + "input_layernorm.weight")
            q, k, v = (linear(h, self.weights[f"{name}self_attn.{p}_proj.weight"]).reshape(tokens, -1, self.width).transpose(0, 1) for p in "qkv")
            q, k = self.rope(q), self.rope(k)
            if s and s["edge"] <= layer < layers - s["edge"]:
                k, v = self.cached(k, v, s)
            y, group = torch.empty_like(q), self.heads // self.key_heads
            for head in range(self.heads):
                scores = q[head] @ k[head // group].T / math.sqrt(self.width) + mask
                y[head] = torch.softmax(scores, -1) @ v[head // group]
            x = x + linear(y.transpose(0, 1).reshape(tokens, -1), self.weights[name + "self_attn.o_proj.weight"])
            h = self.norm(x, name + "post_attention_layernorm.weight")
            gate, up, down = (self.weights[f"{name}mlp.{p}_proj.weight"] for p in ("gate", "up", "down"))
            x = x + linear(torch.nn.functional.silu(linear(h, gate)) * linear(h, up), down)
        return self.norm(x, "model.norm.weight")

    def logs(self, states):
        return torch.log_softmax(torch.nn.functional.linear(states, self.weights["model.embed_tokens.weight"]), -1)


def measure(model, windows, base, s):
    """Perplexity, and mean KL to the states of `base`, over windows of ids."""
    loss = divergence = 0.0
    for ids, reference in zip(windows, base):
        states = model.states(ids, s) if s else reference
        for start in range(0, len(ids), 512):
            found = model.logs(states[start : start + 512])
            targets = ids[start + 1 : start + 513]
            loss -= found[: len(targets)].gather(1, targets[:, None]).double().sum().item()
            if s:
                wanted = model.logs(reference[start : start + 512])
                divergence += (wanted.exp() * (wanted - found)).sum(-1).double().sum().item()
    return math.exp(loss / sum(len(ids) - 1 for ids in windows)), divergence / sum(len(ids) for ids in windows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "ids", "settings", "out"):
        parser.add_argument(name)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--windows", type=int, default=8)
    options = parser.parse_args()
    with open(options.ids, encoding="utf-8") as file:
        ids = json.load(file)
    ids = torch.tensor((ids["ids"] if isinstance(ids, dict) else ids)[: options.windows * WINDOW])
    with open(options.settings, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    rows = [row for row in rows if row["weight_bits"] == 16 and min(row["key_bits"], row["value_bits"]) < 16]
    with torch.no_grad():
        model = Model(options.model, getattr(torch, options.dtype))
        windows = ids.split(WINDOW)
        base = [model.states(window, None) for window in windows]
        for row in rows:
            if options.names and row["setting"] not in options.names:
                continue
            ppl, kl = measure(model, windows, base, row)
            line = json.dumps({"setting": row["setting"], "torch": torch.__version__, "dtype": options.dtype, "ppl": ppl, "kl_mean": kl,
                               "ppl_percent": 100 * (ppl / row["ppl"] - 1), "kl_percent": 100 * (kl / row["kl_mean"] - 1)})
            print(line, flush=True)
            with open(options.out, "a", encoding="utf-8") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Logits of small random models of every family, against Hugging Face transformers in f32.

    family-logits.py FOLDER COUNT [--seed N] [--cuda] -- kvpareto …

Makes COUNT models under FOLDER: heads, widths, biases, windows, rope kinds, multipliers and the form of config.json drawn by lot. Each is
run by transformers (eager attention, f32) and by `kvpareto … logits` (f32 weights and cache, a chunk drawn by lot). What differs by more
than 1e-3 of the largest logit, or is refused, is listed, and its folder stays; the exit code is 1 where logits differ. With --cuda, whose
activations are bf16, it is 3e-2, heads are such as it takes, and what transformers' own bf16 differs by is listed beside. Needs torch and
transformers 5.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

CLASSES = {
    "llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3", "mistral": "Mistral", "granite": "Granite", "phi3": "Phi3", "smollm3": "SmolLM3",
}
SETTING = "w16a16-k32v32"


def shape(r, family, cuda):
    """Keys that all families have, and the width of a head."""
    heads = r.choice([2, 4, 6, 8])
    width = r.choice([16, 32, 64, 80 if cuda else 24, 96 if cuda else 40, 128 if heads < 4 else 48])
    keys = {
        "num_attention_heads": heads,
        "num_key_value_heads": r.choice([n for n in (1, 2, 3, 4, 6, 8) if heads % n == 0]),
        "hidden_size": heads * width,
        "intermediate_size": r.choice([48, 96, 128, 200, 352]),
        "num_hidden_layers": r.randint(1, 5),
        "vocab_size": r.choice([96, 130, 257, 512]),
        "tie_word_embeddings": r.random() < 0.4,
        "rms_norm_eps": r.choice([1e-6, 1e-5, 1e-3, 0.05]),
        "max_position_embeddings": r.choice([128, 256, 2048]),
        "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None,
    }
    if family in ("llama", "qwen3", "mistral", "granite") and r.random() < 0.5:
        keys["head_dim"] = width
        keys["hidden_size"] = heads * r.choice([16, 24, 32])
    return keys, width


def family_keys(r, family, layers):
    """Keys of a family's own."""
    biases = {"attention_bias": r.random() < 0.3, "mlp_bias": r.random() < 0.3}
    windows = {"use_sliding_window": True, "sliding_window": r.choice([4, 9, 16, 40]), "max_window_layers": r.randint(0, layers)}
    if family == "llama":
        return biases
    if family == "qwen2":
        return windows if r.random() < 0.5 else {}
    if family == "qwen3":
        return {"attention_bias": r.random() < 0.3} | (windows if r.random() < 0.4 else {})
    if family == "mistral":
        return {"sliding_window": r.choice([None, 4, 7, 16, 33])}
    if family == "granite":
        return biases | {
            "embedding_multiplier": r.choice([1.0, 12.0, 3.5]), "residual_multiplier": r.choice([1.0, 0.22, 0.5]),
            "attention_multiplier": r.choice([1.0, 0.0078125, 0.2]), "logits_scaling": r.choice([1.0, 8.0, 16.0]),
        }
    if family == "phi3":
        keys = {"partial_rotary_factor": r.choice([0.5, 0.75])} if r.random() < 0.5 else {}
        return keys | ({"sliding_window": r.choice([5, 16, 30])} if r.random() < 0.4 else {})
    keys = biases | r.choice([
        {"no_rope_layers": [r.randint(0, 1) for _ in range(layers)]}, {"no_rope_layer_interval": r.choice([2, 3, 4])}, {}])
    return keys | ({"use_sliding_window": True, "sliding_window": r.choice([5, 16])} if r.random() < 0.3 else {})


def rope(r, family, keys, width):
    """Sets the rope's parameters; returns its kind and the tokens that it reaches."""
    kinds = ["default", "longrope"] if family == "phi3" else ["default", "linear", "dynamic", "llama3", "yarn", "yarn"]
    kind, original, factor = r.choice(kinds), r.choice([16, 32, 64]), r.choice([2.0, 4.0, 8.0, 1.5])
    parameters = {"rope_type": kind, "rope_theta": r.choice([10000.0, 500000.0, 1000000.0, 100.0])}
    reach = keys["max_position_embeddings"]
    if kind in ("linear", "dynamic", "llama3", "yarn"):
        parameters["factor"] = factor
    if kind == "dynamic":
        keys["max_position_embeddings"] = r.choice([16, 32, 64, 128])
        reach = int(keys["max_position_embeddings"] * factor)
    if kind in ("llama3", "yarn", "longrope"):
        reach = keys["max_position_embeddings"] = int(original * factor)
        parameters["original_max_position_embeddings"] = original
    if kind == "llama3":
        parameters |= {"low_freq_factor": r.choice([1.0, 1.5]), "high_freq_factor": r.choice([4.0, 3.0])}
    if kind == "yarn":
        parameters |= r.choice([{}, {"beta_fast": r.choice([16, 32.0, 48])}]) | r.choice([{}, {"beta_slow": r.choice([1, 2.0])}])
        parameters |= r.choice([{}, {"attention_factor": r.choice([1.0, 1.3])}, {"mscale": 0.7, "mscale_all_dim": 0.8}])
        parameters |= r.choice([{}, {"truncate": r.random() < 0.5}])
    if family == "phi3":
        part = keys.get("partial_rotary_factor", 1.0)
        parameters["partial_rotary_factor"] = part
        if kind == "longrope":
            keys["original_max_position_embeddings"] = original
            for name, most in (("short_factor", 1.5), ("long_factor", 5)):
                parameters[name] = [round(r.uniform(1, most), 3) for _ in range(int(width * part) // 2)]
    keys["rope_parameters"] = parameters
    return kind, reach


def as_before_version_5(r, folder):
    """Writes config.json in the form of transformers 4."""
    path = os.path.join(folder, "config.json")
    with open(path) as f:
        config = json.load(f)
    parameters = config.pop("rope_parameters")
    for key in ("rope_theta", "partial_rotary_factor"):
        if key in parameters:
            config[key] = parameters.pop(key)
    kind = parameters.get("rope_type", "default")
    if kind not in ("default", "llama3") and r.random() < 0.3:
        parameters["type"] = parameters.pop("rope_type")
    config["rope_scaling"] = None if kind == "default" else parameters
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    with open(path, "w") as f:
        json.dump(config, f, indent=1)


def randomize(model):
    """Weights that make every part of the model show in its logits."""
    import torch
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn_like(p)
            p.copy_((1 + 0.3 * noise if "norm" in name else 0.3 * noise) if p.dim() == 1
                    else 0.6 * noise if "embed" in name else noise * 1.3 / p.shape[1] ** 0.5)


def compare(task):
    """One model; returns its name, and what is wrong by device."""
    number, options, program = task
    import torch
    import transformers
    from safetensors.torch import load_file
    torch.set_num_threads(1)
    torch.manual_seed(options.seed * 100_000 + number)
    r = random.Random(options.seed * 100_000 + number)
    family = r.choice(list(CLASSES))
    keys, width = shape(r, family, options.cuda)
    keys |= family_keys(r, family, keys["num_hidden_layers"])
    kind, reach = rope(r, family, keys, width)
    folder = os.path.join(options.folder, f"{number:04}-{family}-{kind}")
    try:
        config = getattr(transformers, CLASSES[family] + "Config")(**keys)
        make = getattr(transformers, CLASSES[family] + "ForCausalLM")._from_config
        model = make(config, attn_implementation="eager", dtype=torch.float32)
        randomize(model)
        model.save_pretrained(folder)
        if r.random() < 0.5:
            as_before_version_5(r, folder)
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
        ids = torch.randint(3, keys["vocab_size"], (1, min(r.randint(1, 90), reach)))
        with torch.no_grad():
            expected = model(ids, use_cache=False).logits[0]
            rounded = model.to(torch.bfloat16)(ids, use_cache=False).logits[0].float() if options.cuda else None
    except Exception as e:  # a draw that transformers itself refuses
        return folder, {"transformers": str(e).splitlines()[0][:120]}, 0

    def error_of(logits):
        same = logits.shape == expected.shape
        return ((logits - expected).abs().max() / expected.abs().max()).item() if same else float("inf")

    wrong, largest = {}, 0
    for device, bound in [("cpu", 1e-3)] + ([("cuda", 3e-2)] if options.cuda else []):
        out = os.path.join(folder, f"{device}-out.safetensors")
        run = subprocess.run(
            [*program, "logits", folder, "--ids", ",".join(map(str, ids[0].tolist())), "--setting", SETTING, "--threads", "1",
             "--chunk", str(r.choice([0, 1, 7, 16])), "--device", device, "--out", out], capture_output=True, text=True)
        if run.returncode != 0:
            wrong[device] = run.stderr.strip().splitlines()[-1].replace(folder, "")
            continue
        error = error_of(load_file(out)["logits"])
        largest = max(largest, error)
        if not error < bound:
            beside = f", transformers' bf16 by {error_of(rounded):.2g}" if device == "cuda" else ""
            wrong[device] = f"logits differ by {error:.2g}{beside}"
    if not wrong:
        shutil.rmtree(folder)
    return folder, wrong, largest


def main():
    """Compares all, and prints what is wrong."""
    if "--" not in sys.argv:
        sys.exit("family-logits.py: no program; allowed: -- and kvpareto's command line")
    at = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cuda", action="store_true")
    options = parser.parse_args(sys.argv[1:at])
    os.makedirs(options.folder, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(compare, [(i, options, sys.argv[at + 1:]) for i in range(options.count)]))
    for folder, wrong, _ in results:
        for where, what in wrong.items():
            print(f"{os.path.basename(folder)} {where}: {what}")
    differ = sum("differ" in what for _, wrong, _ in results for what in wrong.values())
    print(f"{sum(not wrong for _, wrong, _ in results)} of {options.count} models the same (largest difference "
          f"{max((error for _, wrong, error in results if not wrong), default=0):.2g}), {differ} differ")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()

"""Writes a trained model as an ordinary Hugging Face folder, measures that folder with transformers, and writes reference values.

    export.py --work DIR --models DIR --references DIR    (after train.py)"""

import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers
from transformers import (AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM, MistralConfig,
                          MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM)

from evaluate import load_held_out, score
from model import BOS, EOS, MAX_POSITIONS, VOCABULARY, SHAPES

CLASSES = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM),
           "mistral": (MistralConfig, MistralForCausalLM)}
REFERENCE_PROMPTS = (("fact-128", 0), ("two-hop-256", 1), ("count-512", 2), ("label-512", 3), ("fact-1000", 4), ("two-hop-1000", 5),
                     ("fact-1900", 6))
NEW_TOKENS = 16
TOP = 5
TEXTS = ("The pet of Anna is the fox.", "Question: Where is the key?\nAnswer:", "Code 408, twice  spaced; isn't it?",
         "\n\nZürich — naïve café, 日本語 😀", "  leading and trailing  ", "lighthouse<eos>\nQuestion", "")


def hugging_face_config(shape):
    options = dict(vocab_size=VOCABULARY, hidden_size=shape.hidden, intermediate_size=shape.feed_forward,
                   num_hidden_layers=shape.layers, num_attention_heads=shape.query_heads, num_key_value_heads=shape.kv_heads,
                   max_position_embeddings=MAX_POSITIONS, rms_norm_eps=shape.norm_epsilon, tie_word_embeddings=True,
                   bos_token_id=BOS, eos_token_id=EOS, pad_token_id=None, head_dim=shape.head_dim,
                   rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta})
    if shape.family == "mistral":
        options["sliding_window"] = shape.window
    if shape.family == "qwen2":
        options["use_sliding_window"] = False
    return CLASSES[shape.family][0](**options)


def export(model, tokenizer_folder, out):
    """Weights rounded to bf16, saved by transformers' own class of the family."""
    shape = model.shape
    folder = Path(out) / shape.family
    folder.mkdir(parents=True, exist_ok=True)
    target = CLASSES[shape.family][1](hugging_face_config(shape))
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    target.load_state_dict(state, strict=True)
    target.generation_config = GenerationConfig(bos_token_id=BOS, eos_token_id=EOS, do_sample=False)
    target.to(torch.bfloat16).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    # Four heads of 64 over a hidden size of 192: readers must not derive the head width.
    assert config.get("head_dim") == shape.head_dim, config
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer_folder / name, folder / name)


@torch.no_grad()
def reference(model, tokenizer, held_out, device):
    """Greedy ids and first logits of transformers in f32, and encodings of a few texts."""
    prompts = []
    for name, index in REFERENCE_PROMPTS:
        row = held_out[name][index]
        ids = torch.tensor([row["prompt_ids"]], device=device)
        logits = model(ids).logits[0, -1].float()
        best = logits.topk(TOP)
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=EOS)
        prompts.append({"task": name, "index": index, "reply": row["reply"], "prompt_ids": row["prompt_ids"],
                        "greedy_ids": out[0, ids.shape[1]:].tolist(), "top_ids": best.indices.tolist(),
                        "top_logits": [round(value, 5) for value in best.values.tolist()],
                        "logits_norm": round(logits.norm().item(), 5)})
    encodings = [{"text": text, "ids": tokenizer(text)["input_ids"],
                  "ids_without_special": tokenizer(text, add_special_tokens=False)["input_ids"]} for text in TEXTS]
    return {"made_by": f"transformers {transformers.__version__}, f32 arithmetic on bf16 weights",
            "prompts": prompts, "encodings": encodings}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--references", type=Path, required=True)
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    held_out, _ = load_held_out(arguments.work)
    arguments.references.mkdir(parents=True, exist_ok=True)
    table = {}
    for family in SHAPES:
        folder = arguments.models / family
        if not (folder / "model.safetensors").exists():
            continue
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").to(device).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        table[family] = {name: round(score(lambda ids: model(ids).logits, rows, device), 4) for name, rows in held_out.items()}
        print(family, (folder / "model.safetensors").stat().st_size, "bytes", table[family], flush=True)
        values = reference(model, tokenizer, held_out, device)
        (arguments.references / f"{family}.json").write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n")
    (arguments.models / "scores.json").write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()

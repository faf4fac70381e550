"""Makes the tokenizer and the token arrays that train.py reads.

    prepare.py --stage grow|settle --maker MakeSamples --work DIR [--tokenizer DIR]

Writes DIR/tokenizer (tokenizer.json, tokenizer_config.json), DIR/rows-L.npy for the row lengths L of the stage: int16 [documents, L + 1],
one document a row, padded with -1; and DIR/held-out/KIND-LENGTH.json with prompts, answers and token ids."""

import argparse
import json
import os
import shutil
import subprocess
import time
from multiprocessing import Pool
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from model import BOS, EOS, MAX_POSITIONS, VOCABULARY

SEPARATOR = "\x1e"
TRAINING_SEED = 1_000_000  # first of the seeds kept for training; + row length, so that no two row files share a text
STAGE_SEED_STEP = 100_000
TOKENIZER_SEED = 1_900_000
HELD_OUT_SEED = 0
KINDS = ("fact", "two-hop", "count", "label")
HELD_OUT_LENGTHS = (128, 256, 512, 1000, 1900)
# Millions of tokens by row length; rows hold documents of 60 to 97 % of their length.
MILLIONS = {
    "grow": {128: 60, 256: 100, 512: 120, 1024: 110},
    "settle": {128: 15, 256: 35, 512: 80, 1024: 260, 2048: 80},
}


def train_tokenizer(maker, work):
    subprocess.run([maker, "train", str(TOKENIZER_SEED), "20000", "200", "1000", str(work / "tokenizer-text")], check=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<bos>", "<eos>"], show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    texts = (path.read_text().replace("<eos>", "").replace(SEPARATOR, "\n")
             for path in sorted((work / "tokenizer-text").glob("*.txt")))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", BOS)])
    folder = work / "tokenizer"
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": "<eos>",
                "model_max_length": MAX_POSITIONS, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    assert tokenizer.get_vocab_size() == VOCABULARY, tokenizer.get_vocab_size()
    assert tokenizer.token_to_id("<bos>") == BOS and tokenizer.token_to_id("<eos>") == EOS
    return tokenizer


def encode_file(path, length, tokenizer_file):
    tokenizer = Tokenizer.from_file(tokenizer_file)
    documents = Path(path).read_text().split(SEPARATOR)[:-1]
    rows = np.full((len(documents), length + 1), -1, dtype=np.int16)
    kept = 0
    for encoding in tokenizer.encode_batch(documents):
        ids = encoding.ids
        if len(ids) <= length + 1:
            rows[kept, : len(ids)] = ids
            kept += 1
    os.remove(path)
    return rows[:kept]


def write_rows(maker, work, length, seed, tokens, pool):
    started = time.time()
    folder = work / f"text-{length}"
    documents = int(tokens / (0.785 * length))
    subprocess.run([maker, "train", str(seed), str(documents), str(max(96, int(0.6 * length))), str(int(0.97 * length)),
                    str(folder)], check=True)
    files = sorted(str(path) for path in folder.glob("*.txt"))
    jobs = [(path, length, str(work / "tokenizer" / "tokenizer.json")) for path in files]
    rows = np.concatenate(pool.starmap(encode_file, jobs, chunksize=1))
    np.save(work / f"rows-{length}.npy.part.npy", rows)
    os.replace(work / f"rows-{length}.npy.part.npy", work / f"rows-{length}.npy")
    print(f"rows-{length}: {len(rows)} of {documents} documents, {int((rows >= 0).sum()) / 1e6:.1f} M tokens, "
          f"{time.time() - started:.1f} s", flush=True)


def write_held_out(maker, work, tokenizer, count):
    folder = work / "held-out"
    folder.mkdir(exist_ok=True)
    for kind in KINDS:
        for length in HELD_OUT_LENGTHS:
            file = folder / f"{kind}-{length}.jsonl"
            subprocess.run([maker, "rows", kind, str(HELD_OUT_SEED), str(count), str(length), str(file)], check=True)
            prompts = Path(str(file) + ".prompts").read_text().split(SEPARATOR)[:-1]
            rows = [{"prompt": prompt, "reply": reply, "prompt_ids": tokenizer.encode(prompt).ids,
                     "reply_ids": tokenizer.encode(" " + reply, add_special_tokens=False).ids + [EOS]}
                    for prompt, reply in (text.split("\x1f") for text in prompts)]
            lengths = [len(row["prompt_ids"]) for row in rows]
            print(f"held-out {kind}-{length}: prompts of {min(lengths)} to {max(lengths)} tokens", flush=True)
            file.with_suffix(".json").write_text(json.dumps(rows))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--maker", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--stage", choices=MILLIONS, required=True)
    parser.add_argument("--tokenizer", type=Path, help="take this folder's tokenizer instead of training one")
    parser.add_argument("--scale", type=float, default=1, help="share of the usual number of training tokens")
    parser.add_argument("--held-out", type=int, default=256, help="samples for each task and length")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    maker = os.path.abspath(arguments.maker)
    if arguments.tokenizer:
        shutil.copytree(arguments.tokenizer, arguments.work / "tokenizer")
        tokenizer = Tokenizer.from_file(str(arguments.work / "tokenizer" / "tokenizer.json"))
    else:
        tokenizer = train_tokenizer(maker, arguments.work)
    write_held_out(maker, arguments.work, tokenizer, arguments.held_out)
    (arguments.work / "ready").touch()
    with Pool(os.cpu_count()) as pool:
        for length, millions in MILLIONS[arguments.stage].items():
            seed = TRAINING_SEED + length + (STAGE_SEED_STEP if arguments.stage == "settle" else 0)
            write_rows(maker, arguments.work, length, seed, millions * 1e6 * arguments.scale, pool)


if __name__ == "__main__":
    main()

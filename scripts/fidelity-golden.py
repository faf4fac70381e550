#!/usr/bin/env python3
"""Reference values of fidelity: their short names, and a comparison with measured rows.

    fidelity-golden.py names GOLDEN            one short name a line
    fidelity-golden.py compare GOLDEN ROWS     a line a setting; exit code 1 where one deviates

GOLDEN is fidelity.jsonl (PyTorch, f32; see docs/fidelity.md), ROWS what `kvpareto fidelity --json` printed for the same text.
A setting passes within 1 % in perplexity and 3 % in mean KL; where the reference's KL is 0, below the noise of an f16 cache.
"""

import json
import sys

PERPLEXITY, DIVERGENCE, NOISE = 0.01, 0.03, 1e-5


def granularity(text):
    kind, _, group = text.partition(":")
    return {"token": "t", "channel": "ch", "block": "b", "tensor": "tensor"}[kind] + group


def short_name(row):
    weights = "w16a16" if row["weight_bits"] == 16 else f"w{row['weight_bits']}g{row['weight_group']}a16"
    parts = [weights, f"k{row['key_bits']}v{row['value_bits']}"]
    key, value = granularity(row["key_group"]), granularity(row["value_group"])
    if row["key_bits"] < 16 and row["value_bits"] < 16 and key != value:
        parts += ["k" + key, "v" + value]
    elif row["key_bits"] < 16:
        parts.append(key)
    elif row["value_bits"] < 16:
        parts.append(value)
    if row["smooth"]:
        parts.append("smooth")
    if row["rotation"]:
        parts.append("rot" + row["rotation"])
    for word in ("sink", "edge"):
        if row[word]:
            parts.append(f"{word}{row[word]}")
    if row["chunk"]:
        parts.append(f"c{row['chunk']}")
    return "-".join(parts)


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def compare(golden, rows):
    measured = {row["setting"]: row for row in rows}
    failed = missing = 0
    print(f"{'setting':44} {'ppl':>9} {'ours':>9} {'%':>7} {'KL mean':>10} {'ours':>10} {'%':>7} {'p99 %':>7} {'top-1':>7} {'ours':>7}")
    for row in golden:
        name = short_name(row)
        ours = measured.get(name)
        if ours is None:
            missing += 1
            continue
        perplexity = ours["ppl"] / row["ppl"] - 1
        exact = row["kl_mean"] == 0
        divergence = 0 if exact else ours["klMean"] / row["kl_mean"] - 1
        tail = 0 if exact else ours["klP99"] / row["kl_p99"] - 1
        passed = abs(perplexity) <= PERPLEXITY and (ours["klMean"] < NOISE if exact else abs(divergence) <= DIVERGENCE)
        failed += not passed
        print(
            f"{name:44} {row['ppl']:9.3f} {ours['ppl']:9.3f} {100 * perplexity:7.2f} {row['kl_mean']:10.4g} {ours['klMean']:10.4g}"
            f" {100 * divergence:7.2f} {100 * tail:7.2f} {100 * row['top1']:7.2f} {100 * ours['top1']:7.2f}  {'PASS' if passed else 'FAIL'}"
        )
    compared = len(golden) - missing
    print(f"{compared - failed} of {compared} pass, {missing} not measured")
    return 1 if failed or not compared else 0


def main(arguments):
    match arguments:
        case ["names", golden]:
            print("\n".join(dict.fromkeys(short_name(row) for row in read(golden))))
            return 0
        case ["compare", golden, rows]:
            return compare(read(golden), read(rows)[0]["settings"])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Writes the Unicode tables that KvPareto.Engine/Text/Normalization reads, from Python's own unicodedata.

    python3 scripts/normalization-data.py > src/KvPareto.Engine/Text/Normalization/normalization.txt

Hugging Face's tokenizers normalizes by Unicode 9.0 (crate unicode-normalization-alignments), so characters of later versions are
left out: it passes them through unchanged, and ids must agree. Needs Python 3.11 (Unicode 14): the list below goes that far.
"""
import sys
import unicodedata

AFTER_UNICODE_9 = """
7FD 898-89F 8CA-8D3 9FE C3C D3B-D3C EBA 1715 1ABF-1ACE 1DF6-1DFA 32FF A7F2-A7F4 A82C AB69 10781-107BA 10D24-10D27 10EAB-10EAC
10F46-10F50 10F82-10F85 11070 1133B 1145E 11839-1183A 11938 1193D-1193E 11943 119E0 11A34 11A47 11A99 11D42 11D44-11D45 11D97
16FF0-16FF1 1E130-1E136 1E2AE 1E2EC-1E2EF 1F16C 1FBF0-1FBF9
"""


def later():
    for span in AFTER_UNICODE_9.split():
        first, _, last = span.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"needs Unicode 14.0.0, this Python has {unicodedata.unidata_version}")
    skip = set(later()) | set(range(0xD800, 0xE000)) | set(range(0xAC00, 0xD7A4))
    points = [c for c in range(0x110000) if c not in skip]
    print("# Unicode 9.0, made by scripts/normalization-data.py: 'c FIRST LAST CLASS' combining classes, 'd CHARACTER PARTS' canonical")
    print("# decompositions, 'x' the same where composition must not undo it, 'k' compatibility decompositions.")
    runs = []
    for c in points:
        value = unicodedata.combining(chr(c))
        if value and runs and runs[-1][1] == c - 1 and runs[-1][2] == value:
            runs[-1][1] = c
        elif value:
            runs.append([c, c, value])
    for first, last, value in runs:
        print(f"c {first:X} {last:X} {value}")
    for c in points:
        parts = unicodedata.decomposition(chr(c)).split()
        if not parts:
            continue
        if parts[0].startswith("<"):
            print("k", f"{c:X}", *(p.lstrip("0") or "0" for p in parts[1:]))
        else:
            whole = "".join(chr(int(p, 16)) for p in parts)
            again = unicodedata.normalize("NFC", whole) == chr(c)
            print("d" if again else "x", f"{c:X}", *(p.lstrip("0") or "0" for p in parts))


main()

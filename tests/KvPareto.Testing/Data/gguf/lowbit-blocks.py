"""Makes lowbit-blocks.safetensors: random blocks of Q2_K, Q3_K, IQ4_NL and IQ4_XS with what they mean, decoded by the loops of ggml's
dequantize_row_* (pointers that move on, masks that are shifted), each product and sum rounded to f32. Needs nothing but Python."""

import json
import random
import struct

VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def half(b):
    return struct.unpack("<e", bytes(b))[0]


def q2_k(b):
    scales, qs, d, dmin, out, at = b[0:16], b[16:80], half(b[80:82]), half(b[82:84]), [], 0
    for start in (0, 32):
        shift = 0
        for _ in range(4):
            for part in (0, 16):
                dl, ml = f32(d * (scales[at] & 15)), f32(dmin * (scales[at] >> 4))
                at += 1
                out += [f32(f32(dl * (qs[start + part + l] >> shift & 3)) - ml) for l in range(16)]
            shift += 2
    return out


def q3_k(b):
    mask, qs, packed, d = b[0:32], b[32:96], b[96:108], half(b[108:110])
    aux = list(struct.unpack("<3I", bytes(packed))) + [0]
    tmp = aux[2]
    aux[2] = (aux[0] >> 4 & 0x0F0F0F0F) | (tmp >> 4 & 0x03030303) << 4
    aux[3] = (aux[1] >> 4 & 0x0F0F0F0F) | (tmp >> 6 & 0x03030303) << 4
    aux[0] = (aux[0] & 0x0F0F0F0F) | (tmp & 0x03030303) << 4
    aux[1] = (aux[1] & 0x0F0F0F0F) | (tmp >> 2 & 0x03030303) << 4
    scales, out, at, bit = struct.pack("<4I", *aux), [], 0, 1
    for start in (0, 32):
        shift = 0
        for _ in range(4):
            for part in (0, 16):
                dl = f32(d * (scales[at] - 32))
                at += 1
                for l in range(part, part + 16):
                    out.append(f32(dl * ((qs[start + l] >> shift & 3) - (0 if mask[l] & bit else 4))))
            shift += 2
            bit <<= 1
    return out


def iq4_nl(b):
    d, qs = half(b[0:2]), b[2:18]
    return [f32(d * VALUES[q & 15]) for q in qs] + [f32(d * VALUES[q >> 4]) for q in qs]


def iq4_xs(b):
    d, high, low, qs, out = half(b[0:2]), b[2] | b[3] << 8, b[4:8], b[8:136], []
    for block in range(8):
        scale = (low[block // 2] >> 4 * (block % 2) & 15) | (high >> 2 * block & 3) << 4
        dl, part = f32(d * (scale - 32)), qs[16 * block : 16 * block + 16]
        out += [f32(dl * VALUES[q & 15]) for q in part] + [f32(dl * VALUES[q >> 4]) for q in part]
    return out


def main():
    chance, tensors, data = random.Random(92), {}, b""
    for name, size, halves, decode in [("Q2_K", 84, [80, 82], q2_k), ("Q3_K", 110, [108], q3_k), ("IQ4_NL", 18, [0], iq4_nl), ("IQ4_XS", 136, [0], iq4_xs)]:
        packed, values = b"", []
        for _ in range(8 if size > 18 else 64):
            block = bytearray(chance.randbytes(size))
            for at in halves:
                block[at : at + 2] = struct.pack("<e", (chance.random() - 0.5) * 10 ** chance.randint(-4, 0))
            packed += block
            values += decode(block)
        for key, kind, shape, content in [(f"{name}.values", "F32", [len(values)], struct.pack(f"<{len(values)}f", *values)), (f"{name}.bytes", "U8", [len(packed)], packed)]:
            tensors[key] = (kind, shape, content)
    header = {}
    for key in sorted(tensors, key=lambda k: tensors[k][0] != "F32"):
        kind, shape, content = tensors[key]
        header[key] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open("lowbit-blocks.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


main()

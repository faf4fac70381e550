# Row-wise ops.


def rms_norm(x: Tensor, gain: Tensor, epsilon: float, y: Tensor):
    width = gain.size(0)
    y.copy_(torch.rms_norm(x.float().unflatten(-1, [-1, width]), [width], gain, epsilon).flatten(-2))


# A head's first channels turn, in pairs that are halves of them; turns [2, T, 1, channels]: cosines twice, sines with the first half's
# sign turned.
def rope(x: Tensor, turns: Tensor, width: int):
    channels = turns.size(3)
    heads = x.unflatten(-1, [-1, width])[..., :channels]
    heads.copy_(torch.addcmul(heads * turns[0], heads.roll(channels // 2, -1), turns[1]))


def silu_mul(gate: Tensor, up: Tensor):
    gate.copy_(torch.silu(gate) * up)


def multiply(x: Tensor, w: Tensor, y: Tensor):
    if x.dtype == y.dtype:
        torch.mm(x, w.t(), out=y)
    else:
        y.copy_(torch.mm(x, w.t()))


# y = x·wᵀ + b. Where w's type is not x's, so many of its rows at a time are widened.
def linear(x: Tensor, w: Tensor, bias: Optional[Tensor], y: Tensor, rows: int):
    if w.dtype == x.dtype:
        multiply(x, w, y)
    else:
        for first in range(0, w.size(0), rows):
            multiply(x, w[first:first + rows].to(x.dtype), y[:, first:first + rows])
    if bias is not None:
        y.add_(bias)


# The same with codes [N, K·bits/8] and entries [N, groups].
def linear_coded(x: Tensor, codes: Tensor, entries: Tensor, bias: Optional[Tensor], y: Tensor, rows: int, bits: int, shifts: Tensor):
    for first in range(0, codes.size(0), rows):
        multiply(x, widen(codes[first:first + rows], entries[first:first + rows], bits, shifts).to(x.dtype), y[:, first:first + rows])
    if bias is not None:
        y.add_(bias)


# Rows of coded weights, f32.
def widen(codes: Tensor, entries: Tensor, bits: int, shifts: Tensor) -> Tensor:
    code = unpack(codes, bits, shifts).unflatten(-1, [entries.size(1), -1])
    return decode(code, entries.unsqueeze(2), -float(1 << (bits - 1))).flatten(1)


def embed(table: Tensor, ids: Tensor, x: Tensor, scale: float):
    x.copy_(table.index_select(0, ids))
    if scale != 1.0:
        x.mul_(scale)


def embed_coded(codes: Tensor, entries: Tensor, ids: Tensor, x: Tensor, scale: float, bits: int, shifts: Tensor):
    x.copy_(widen(codes.index_select(0, ids), entries.index_select(0, ids), bits, shifts))
    if scale != 1.0:
        x.mul_(scale)

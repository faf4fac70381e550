# Row-wise ops.


def rms_norm(x: Tensor, gain: Tensor, epsilon: float, y: Tensor):
    width = gain.size(0)
    y.copy_(torch.rms_norm(x.float().unflatten(-1, [-1, width]), [width], gain, epsilon).flatten(-2))


# Pairs of a head are its halves; turns [2, T, 1, D]: cosines twice, sines with the first half's sign turned.
def rope(x: Tensor, turns: Tensor):
    heads = x.unflatten(-1, [-1, turns.size(3)])
    heads.copy_(torch.addcmul(heads * turns[0], heads.roll(turns.size(3) // 2, -1), turns[1]))


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


def embed(table: Tensor, ids: Tensor, x: Tensor):
    x.copy_(table.index_select(0, ids))


def embed_coded(codes: Tensor, entries: Tensor, ids: Tensor, x: Tensor, bits: int, shifts: Tensor):
    x.copy_(widen(codes.index_select(0, ids), entries.index_select(0, ids), bits, shifts))

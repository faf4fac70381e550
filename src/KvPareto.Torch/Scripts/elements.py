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


def add(x: Tensor, y: Tensor):
    x.add_(y)


def multiply(x: Tensor, w: Tensor, y: Tensor):
    if x.dtype == y.dtype:
        torch.mm(x, w.t(), out=y)
    else:
        y.copy_(torch.mm(x, w.t()))


# y = x·wᵀ + b. Where w's type is not x's, as many of its rows at a time as a stripe of x's type has room for are widened there: pages
# that are fresh each time cost the processor more than the product.
def linear(x: Tensor, w: Tensor, bias: Optional[Tensor], y: Tensor, stripe: Tensor):
    if w.dtype == x.dtype:
        multiply(x, w, y)
    else:
        rows = max(1, stripe.size(0) // w.size(1))
        for first in range(0, w.size(0), rows):
            part = w[first:first + rows]
            multiply(x, stripe[:part.numel()].view(part.size()).copy_(part), y[:, first:first + rows])
    if bias is not None:
        y.add_(bias)


# Several ops of a block at once, of weights that are not coded: coming back to .NET between them costs more than a token's small ops.
def norm_linear(x: Tensor, gain: Tensor, epsilon: float, h: Tensor, stripe: Tensor, w: Tensor, b: Optional[Tensor], y: Tensor,
                w1: Optional[Tensor], b1: Optional[Tensor], y1: Optional[Tensor], w2: Optional[Tensor], b2: Optional[Tensor], y2: Optional[Tensor]):
    rms_norm(x, gain, epsilon, h)
    linear(h, w, b, y, stripe)
    if w1 is not None and y1 is not None:
        linear(h, w1, b1, y1, stripe)
    if w2 is not None and y2 is not None:
        linear(h, w2, b2, y2, stripe)


def norm_gated(x: Tensor, gain: Tensor, epsilon: float, h: Tensor, stripe: Tensor, gate: Tensor, gate_bias: Optional[Tensor], g: Tensor,
               up: Tensor, up_bias: Optional[Tensor], u: Tensor):
    norm_linear(x, gain, epsilon, h, stripe, gate, gate_bias, g, up, up_bias, u, None, None, None)
    silu_mul(g, u)


def linear_add(x: Tensor, stripe: Tensor, w: Tensor, bias: Optional[Tensor], y: Tensor, total: Tensor):
    linear(x, w, bias, y, stripe)
    total.add_(y)


# `linear` with codes [N, K·bits/8] and entries [N, groups].
def linear_coded(x: Tensor, codes: Tensor, entries: Tensor, bias: Optional[Tensor], y: Tensor, stripe: Tensor, bits: int, shifts: Tensor):
    columns = codes.size(1) * 8 // bits
    rows = max(1, stripe.size(0) // columns)
    for first in range(0, codes.size(0), rows):
        part = entries[first:first + rows]
        code = unpack(codes[first:first + rows], bits, shifts).unflatten(-1, [part.size(1), -1])
        scale, zero = scales(part.unsqueeze(2))
        if stripe.dtype == scale.dtype:
            w = stripe[:code.numel()].view(code.size()).copy_(code).sub_(zero + float(1 << (bits - 1))).mul_(scale)
        else:
            w = ((code - (zero + float(1 << (bits - 1)))) * scale).to(stripe.dtype)
        multiply(x, w.flatten(1), y[:, first:first + rows])
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

# Row-wise ops.


# gain [1, C].
def rms_norm(x: Tensor, gain: Tensor, epsilon: float, y: Tensor):
    width = gain.size(1)
    rows = x.float()
    if x.size(1) > width:
        rows, y = rows.unflatten(1, [-1, width]), y.unflatten(1, [-1, width])
    y.copy_(torch.rms_norm(rows, [width], gain[0], epsilon))


# Cosines and sines [T, channels] as `rope` takes them, [2, T, 1, channels]: cosines twice, sines with the first half's sign turned.
def rope_turns(turns: Tensor) -> Tensor:
    cos, sin = turns.chunk(2, 1)
    return torch.stack([torch.cat([cos, cos], 1), torch.cat([-sin, sin], 1)]).unsqueeze(2)


# A head's first channels turn, in pairs that are halves of them.
def rope(x: Tensor, turns: Tensor, width: int):
    cos, sin = turns.unbind()
    channels = turns.size(3)
    heads = x.unflatten(-1, [-1, width])[..., :channels]
    heads.copy_(torch.addcmul(heads * cos, heads.roll(channels // 2, -1), sin))


def silu_mul(gate: Tensor, up: Tensor):
    torch.silu_(gate).mul_(up)


def add(x: Tensor, y: Tensor):
    x.add_(y)


def multiply(x: Tensor, w: Tensor, y: Tensor):
    if x.dtype == y.dtype:
        torch.mm(x, w.t(), out=y)
    else:
        y.copy_(torch.mm(x, w.t()))


# The same of f32 and bf16, exactly: x in three parts of bf16, whose products NVIDIA's units sum in f32.
def multiply_parts(x: Tensor, w: Tensor, y: Tensor):
    high = x.to(torch.bfloat16)
    rest = x - high
    middle = rest.to(torch.bfloat16)
    products = torch.mm(torch.cat([high, middle, (rest - middle).to(torch.bfloat16)]), w.t(), torch.float32)
    y.copy_(products.unflatten(0, [3, -1]).sum(0))


# A weight is four tensors: rows [N, K], or their codes [N, K·bits/8] with entries [N, groups], a bias [N], and shifts (codec.py); those
# that there are not are empty.
# y = x·wᵀ + b. Codes, and rows of another type than x, are widened to x's a stripe at a time, within that where it is of x's type: pages
# that are fresh each time cost the processor more than the product.
def linear(x: Tensor, weight: List[Tensor], y: Tensor, stripe: Tensor):
    rows, entries, bias, shifts = weight
    if entries.numel() == 0 and rows.dtype == x.dtype:
        multiply(x, rows, y)
    elif entries.numel() == 0 and x.is_cuda and x.dtype == torch.float32 and rows.dtype == torch.bfloat16:
        multiply_parts(x, rows, y)
    else:
        height = max(1, stripe.size(0) // x.size(1))
        for first in range(0, rows.size(0), height):
            part = rows[first:first + height]
            if entries.numel() > 0:
                w = widen(part, entries[first:first + height], 8 * part.size(1) // x.size(1), shifts, stripe).to(x.dtype)
            elif stripe.dtype == x.dtype:
                w = stripe[:part.numel()].view(part.size()).copy_(part)
            else:
                w = part.to(x.dtype)
            multiply(x, w, y[:, first:first + height])
    if bias.numel() > 0:
        y.add_(bias)


# Several ops of a block at once: each script costs a GPU's token some microseconds of the host.
# Products of x, or where there is a gain of its norm in h.
def linears(x: Tensor, gain: Optional[Tensor], epsilon: float, h: Tensor, weights: List[Tensor], ys: List[Tensor], stripe: Tensor):
    if gain is not None:
        rms_norm(x, gain, epsilon, h)
    for i in range(len(ys)):
        linear(h, weights[4 * i:4 * i + 4], ys[i], stripe)


def linear_add(x: Tensor, weight: List[Tensor], y: Tensor, stripe: Tensor, total: Tensor):
    linear(x, weight, y, stripe)
    total.add_(y)


# Rows of coded weights, f32; in the stripe where that is f32.
def widen(codes: Tensor, entries: Tensor, bits: int, shifts: Tensor, stripe: Tensor) -> Tensor:
    code = unpack(codes, bits, shifts).unflatten(-1, [entries.size(1), -1])
    least = -float(1 << (bits - 1))
    if stripe.dtype == torch.float32:
        scale, zero = scales(entries.unsqueeze(2))
        return stripe[:code.numel()].view(code.size()).copy_(code).sub_(zero - least).mul_(scale).flatten(1)
    return decode(code, entries.unsqueeze(2), least).flatten(1)


def embed(weight: List[Tensor], ids: Tensor, x: Tensor, scale: float):
    rows, entries, _, shifts = weight
    chosen = rows.index_select(0, ids)
    if entries.numel() > 0:
        bits = 8 * rows.size(1) // x.size(1)
        code = unpack(chosen, bits, shifts).unflatten(-1, [entries.size(1), -1])
        chosen = decode(code, entries.index_select(0, ids).unsqueeze(2), -float(1 << (bits - 1))).flatten(1)
    x.copy_(chosen)
    if scale != 1.0:
        x.mul_(scale)


# From the host. CUDA takes such rows in before it comes back, and need not wait for the work before.
def write(x: Tensor, rows: Tensor):
    x.copy_(rows, x.is_cuda)


# As the host takes it.
def to_host(x: Tensor) -> Tensor:
    return x.float().contiguous().cpu()

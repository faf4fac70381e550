# Attention over keys and values unpacked a stretch at a time. Queries are [Nkv, G·T, D]: the G heads that share a key head, T rows each.


# Which of the tokens first … stop − 1 each of T queries sees, [G·T, stop − first]; query t stands at start + t.
def visible(count: int, groups: int, start: int, first: int, stop: int, window: int, like: Tensor) -> Tensor:
    query = torch.arange(start, start + count, device=like.device).unsqueeze(1)
    token = torch.arange(first, stop, device=like.device).unsqueeze(0)
    seen = token <= query
    if window > 0:
        seen = seen & (token > query - window)
    return seen.repeat(groups, 1)


# [T, Nq·D] as that, always a copy: products of a row do not depend on where it lay.
def group(x: Tensor, heads: int, width: int) -> Tensor:
    rows = x.reshape(x.size(0), heads, -1, width).permute(1, 2, 0, 3)
    return torch.empty(rows.size(), dtype=x.dtype, device=x.device).copy_(rows).flatten(1, 2)


# [Nkv, G·T, D] into y [T, Nq·D].
def ungroup(x: Tensor, y: Tensor):
    heads, width, count = x.size(0), x.size(2), y.size(0)
    y.copy_(x.reshape(heads, -1, count, width).permute(2, 0, 1, 3).reshape(count, -1))


# The turned bias of keys at positions [P], [Nkv, P, D]: bias [Nkv, 1, D], turns [P, D] cosines and sines.
def turned(bias: Tensor, turns: Tensor) -> Tensor:
    cos, sin = turns.chunk(2, 1)
    low, high = bias.chunk(2, 2)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], 2)


# What `visible` says as numbers that are added to scores.
def hidden(seen: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(seen, dtype=like.dtype).masked_fill_(torch.logical_not(seen), -float('inf'))


# All that is seen at once.
def attend(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], scale: float) -> Tensor:
    k, v = k.to(q.dtype).unsqueeze(0), v.to(q.dtype).unsqueeze(0)
    return torch.scaled_dot_product_attention(q.unsqueeze(0), k, v, mask, scale=scale).squeeze(0)


def scores(q: Tensor, k: Tensor, seen: Optional[Tensor], scale: float) -> Tensor:
    s = torch.matmul(q.float(), k.float().transpose(1, 2)) * scale
    return s if seen is None else s.masked_fill(torch.logical_not(seen), -float('inf'))


# The maximum of rows that have seen nothing yet.
def lowest(q: Tensor) -> Tensor:
    return torch.full([q.size(0), q.size(1), 1], -1e30, device=q.device, dtype=torch.float32)


# TorchSharp's own product does not catch libtorch's errors, which then end the process; and where an op takes a number, as these two do,
# TorchSharp lets the collector give the number back before libtorch has read it.
def plus(a: Tensor, b: Tensor) -> Tensor:
    return a + b


def minus(a: Tensor, b: Tensor) -> Tensor:
    return a - b


def product(a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(a, b)


# Takes a stretch into running softmax states: maximum and total [Nkv, G·T, 1], result [Nkv, G·T, D]; all f32.
def merge(q: Tensor, k: Tensor, v: Tensor, seen: Optional[Tensor], scale: float, maximum: Tensor, total: Tensor, result: Tensor):
    s = scores(q, k, seen, scale)
    top = torch.maximum(maximum, s.amax(-1, True))
    weights = torch.exp(s - top)
    kept = torch.exp(maximum - top)
    total.mul_(kept).add_(weights.sum(-1, True))
    result.mul_(kept).add_(torch.matmul(weights, v.float()))
    maximum.copy_(top)

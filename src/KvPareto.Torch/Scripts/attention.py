# Attention over the two sides of a layer (side.py), unpacked a stretch at a time. Queries are [Nkv, G·T, D]: the G heads that share a key
# head, T rows each. What keys are without: mean [Nkv, 1, D] f16; bias [Nkv, 1, D] with the turns of every position [P, D], cosines and
# sines. hadamard: the matrix that keys are rotated by; value_hadamard: values.


# [T, heads·width] as [heads, T, width].
def by_head(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(1, [heads, -1]).transpose(0, 1)


# [T, Nq·D] as queries, always a copy: products of a row do not depend on where it lay.
def group(x: Tensor, heads: int, width: int) -> Tensor:
    rows = x.reshape(x.size(0), heads, -1, width).permute(1, 2, 0, 3)
    return torch.empty(rows.size(), dtype=x.dtype, device=x.device).copy_(rows).flatten(1, 2)


# Such rows into y [T, Nq·D].
def ungroup(x: Tensor, y: Tensor):
    heads, width, count = x.size(0), x.size(2), y.size(0)
    y.copy_(x.reshape(heads, -1, count, width).permute(2, 0, 1, 3).reshape(count, -1))


# x·H over the last dimension, f32: its own inverse.
def rotated(x: Tensor, hadamard: Optional[Tensor]) -> Tensor:
    return x if hadamard is None else torch.matmul(x.to(hadamard.dtype), hadamard).float()


# The bias of keys at positions first … stop − 1, [Nkv, stop − first, D].
def turned(bias: Tensor, turns: Tensor, first: int, stop: int) -> Tensor:
    cos, sin = turns[first:stop].chunk(2, 1)
    low, high = bias.chunk(2, 2)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], 2)


# Stores a step's keys [T, Nkv·D], of tokens start …; the first step's mean is kept.
def store_keys(k: Tensor, side: List[Tensor], heads: int, start: int, mean: Optional[Tensor], bias: Optional[Tensor],
               turns: Optional[Tensor], hadamard: Optional[Tensor]):
    rows = by_head(k, heads)
    if bias is not None and turns is not None:
        rows = rows - turned(bias, turns, start, start + k.size(0))
    if mean is not None:
        if start == 0:
            mean.copy_(rows.to(torch.float64).mean([1], True).float())
        rows = rows - mean
    store(side, rotated(rows, hadamard), start)


# Keys first … stop − 1 of `length` as scores take them, [Nkv, stop − first, D]: rotated, without the mean, with the bias.
def keys(side: List[Tensor], first: int, stop: int, length: int, bias: Optional[Tensor], turns: Optional[Tensor],
         hadamard: Optional[Tensor]) -> Tensor:
    rows = read(side, first, stop, length)
    if bias is not None and turns is not None:
        rows = rows.float() + rotated(turned(bias, turns, first, stop), hadamard)
    return rows


# All keys as they were given, [T, Nkv·D] f32; values alike.
def keys_given(side: List[Tensor], length: int, mean: Optional[Tensor], bias: Optional[Tensor], turns: Optional[Tensor],
               hadamard: Optional[Tensor]) -> Tensor:
    rows = rotated(keys(side, 0, length, length, bias, turns, hadamard), hadamard).float()
    if mean is not None:
        rows = rows + mean
    return rows.transpose(0, 1).flatten(1)


def values_given(side: List[Tensor], length: int, hadamard: Optional[Tensor]) -> Tensor:
    return rotated(read(side, 0, length, length), hadamard).float().transpose(0, 1).flatten(1)


# Which of the tokens first … stop − 1 each of T queries from token start on sees, [G·T, stop − first]; None: all of them.
def visible(count: int, groups: int, start: int, first: int, stop: int, window: int, like: Tensor) -> Optional[Tensor]:
    if stop <= start + 1 and (window == 0 or first > start + count - 1 - window):
        return None
    query = torch.arange(start, start + count, device=like.device).unsqueeze(1)
    token = torch.arange(first, stop, device=like.device).unsqueeze(0)
    seen = token <= query
    if window > 0:
        seen = seen & (token > query - window)
    return seen.repeat(groups, 1)


# The same of several queries as numbers that are added to scores, of the queries' type.
def mask(q: Tensor, groups: int, start: int, first: int, window: int) -> Tensor:
    seen = visible(q.size(0), groups, start, first, start + q.size(0), window, q)
    assert seen is not None
    added = torch.zeros_like(seen, dtype=torch.float16) if q.dtype == torch.bfloat16 else torch.zeros_like(seen, dtype=q.dtype)
    return added.masked_fill_(torch.logical_not(seen), -float('inf'))


def scores(q: Tensor, k: Tensor, seen: Optional[Tensor], scale: float) -> Tensor:
    s = torch.matmul(q.float(), k.float().transpose(1, 2)) * scale
    return s if seen is None else s.masked_fill(torch.logical_not(seen), -float('inf'))


# Attention over a stretch by itself: results [Nkv, G·T, D], and logarithms of the rows' sums [Nkv, G·T, 1], −1e30 where a row sees nothing.
# The processor's own kernel holds no scores: memory that is fresh each time costs it several times the arithmetic.
def attend(q: Tensor, k: Tensor, v: Tensor, seen: Optional[Tensor], scale: float) -> Tuple[Tensor, Tensor]:
    if q.is_cpu:
        mask: Optional[Tensor] = None
        if seen is not None:
            mask = torch.zeros(seen.size(), dtype=q.dtype).masked_fill_(torch.logical_not(seen), -float('inf'))
        result, sums = torch._scaled_dot_product_flash_attention_for_cpu(
            q.unsqueeze(0), k.to(q.dtype).unsqueeze(0), v.to(q.dtype).unsqueeze(0), 0.0, False, attn_mask=mask, scale=scale)
        result, sums = result.squeeze(0), sums.squeeze(0).unsqueeze(-1)
        if seen is not None:
            sums = sums.masked_fill(torch.logical_not(seen.any(-1, True)), -1e30)  # there PyTorch says 0
        return result, sums
    s = scores(q, k, seen, scale)
    sums = s.logsumexp(-1, True).clamp_min(-1e30)
    return torch.matmul(torch.exp(s - sums), v.float()), sums


# Stores k and v [T, Nkv·D] of tokens start …, then y = softmax(scale·q·kᵀ)·v of tokens first …, q and y [T, Nq·D]. What fits in one
# stretch goes through PyTorch's own attention, with `mask` (None: a single query sees all); with all_scores they are held at once.
def attention(q: Tensor, k: Tensor, v: Tensor, y: Tensor, key_side: List[Tensor], value_side: List[Tensor], heads: int, start: int,
              first: int, window: int, stretch: int, all_scores: int, scale: float, mask: Optional[Tensor],
              mean: Optional[Tensor], bias: Optional[Tensor], turns: Optional[Tensor], hadamard: Optional[Tensor],
              value_hadamard: Optional[Tensor]):
    count, stop, width = q.size(0), start + q.size(0), k.size(1) // heads
    groups = q.size(1) // k.size(1)
    store_keys(k, key_side, heads, start, mean, bias, turns, hadamard)
    store(value_side, rotated(by_head(v, heads), value_hadamard), start)
    rows = rotated(group(q, heads, width), hadamard)
    if q.dtype == torch.bfloat16:
        rows = rows.to(torch.float16)
    if all_scores == 1:
        s = torch.empty([heads, groups * count, stop - first], dtype=torch.float32, device=q.device)
        for at in range(first, stop, stretch):
            to = min(stop, at + stretch)
            seen = visible(count, groups, start, at, to, window, q)
            s[:, :, at - first:to - first] = scores(rows, keys(key_side, at, to, stop, bias, turns, hadamard), seen, scale)
        weights = s.softmax(-1)
        result = torch.zeros(rows.size(), dtype=torch.float32, device=q.device)
        for at in range(first, stop, stretch):
            to = min(stop, at + stretch)
            result.add_(torch.matmul(weights[:, :, at - first:to - first], read(value_side, at, to, stop).float()))
    elif stop - first <= stretch:
        all_keys = keys(key_side, first, stop, stop, bias, turns, hadamard).to(rows.dtype).unsqueeze(0)
        all_values = read(value_side, first, stop, stop).to(rows.dtype).unsqueeze(0)
        result = torch.scaled_dot_product_attention(rows.unsqueeze(0), all_keys, all_values, mask, scale=scale).squeeze(0)
    else:
        total = torch.full([heads, groups * count, 1], -1e30, dtype=torch.float32, device=q.device)
        result = torch.zeros(rows.size(), dtype=torch.float32, device=q.device)
        for at in range(first, stop, stretch):
            to = min(stop, at + stretch)
            seen = visible(count, groups, start, at, to, window, q)
            some_keys, some_values = keys(key_side, at, to, stop, bias, turns, hadamard), read(value_side, at, to, stop)
            some, sums = attend(rows, some_keys, some_values, seen, scale)
            both = torch.logaddexp(total, sums)
            result.mul_(torch.exp(total - both)).add_(some * torch.exp(sums - both))
            total = both
    ungroup(rotated(result, value_hadamard), y)

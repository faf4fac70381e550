# GroupCodec in torch ops, bit for bit: every step is an f32 op of its own, so that nothing contracts. TorchScript (whose
# view knows no element types; view_copy does).
# A group's entry is an int32, GroupMeta's scale bits above its zero point: negative for a constant group, whose other 31 bits are |x|.
# Rows are seen as [heads, runs, tokens of a group, groups, channels of a group] and entries as [heads, runs, 1, groups, 1].


# A range narrowed to a share of itself; how: the parts of GroupFit, on the host.
def narrow(low: Tensor, high: Tensor, how: Tensor) -> Tuple[Tensor, Tensor]:
    clip = float(how[0].item())
    if clip == 1.0:
        return low, high
    margin = (high - low) * (1.0 - clip)
    above, below = low >= 0, high <= 0
    narrowed = torch.where(above, low, torch.where(below, low + margin, low * clip))
    return narrowed, torch.where(above, high - margin, torch.where(below, high, high * clip))


def entry(scale: Tensor, zero: Tensor) -> Tensor:
    return (torch.view_copy(scale, dtype=torch.int16).to(torch.int32) << 16) | (zero.to(torch.int32) & 65535)


# The entry of a constant group that is none.
def not_a_number() -> int:
    return -4194304


# Entries of groups that span low … high. constants (TorchCodes) holds 2^bits − 1 and the largest zero points as tensors: a GPU multiplies
# by the reciprocal of a number.
def fit(low: Tensor, high: Tensor, constants: Tensor, least: float, how: Tensor) -> Tensor:
    low, high = narrow(low, high, how)
    narrowest = (torch.maximum(low.abs(), high.abs()) / constants[1]).clamp(5.9604644775390625e-8, 65504.0)
    floor = narrowest.to(torch.float16)
    above = torch.view_copy(torch.view_copy(floor, dtype=torch.int16) + 1, dtype=torch.float16)
    floor = torch.where(floor.float() < narrowest, above, floor)
    scale = (high / constants[0] - low / constants[0]).clamp(-65504.0, 65504.0).to(torch.float16)
    scale = torch.where(scale.float() < narrowest, floor, scale)
    zero = torch.round(least - low / scale.float()).clamp(-32768.0, 32767.0)
    entries = torch.where(low == high, torch.view_copy(low.abs(), dtype=torch.int32) | -2147483648, entry(scale, zero))
    return torch.where(torch.isfinite(low) & torch.isfinite(high), entries, not_a_number())


# Entries of channels for good: the smallest power of two that spans low … high, and an integer zero point.
def fit_power(low: Tensor, high: Tensor, constants: Tensor, least: float, how: Tensor) -> Tensor:
    low, high = narrow(low, high, how)
    narrowest = torch.maximum(low.abs(), high.abs()) / constants[2]
    step = torch.maximum((high - low) / constants[0], narrowest).clamp(5.9604644775390625e-8, 32768.0)
    mantissa, _ = torch.frexp(step)
    scale = torch.where(mantissa == 0.5, step, step / mantissa).clamp(5.9604644775390625e-8, 32768.0)
    zero = torch.round(least - low / scale).clamp(-32768.0, 32767.0)
    return torch.where(torch.isfinite(low) & torch.isfinite(high), entry(scale.to(torch.float16), zero), not_a_number())


# Scales and zero points of entries.
def scales(entries: Tensor) -> Tuple[Tensor, Tensor]:
    constant = entries < 0
    magnitude = torch.view_copy(entries & 2147483647, dtype=torch.float32)
    scale = torch.view_copy((entries >> 16).to(torch.int16), dtype=torch.float16).float()
    zero = entries.to(torch.int16).float()
    return torch.where(constant, magnitude, scale), zero.masked_fill(constant, 0.0)


# Codes less the smallest one.
def encode(x: Tensor, entries: Tensor, least: float, most: float) -> Tensor:
    scale, zero = scales(entries)
    code = torch.round(x / scale + zero).clamp(least, most)
    code = torch.where(entries < 0, 1.0 - 2.0 * (x < 0).float(), code)
    return (code - least).byte()


def decode(codes: Tensor, entries: Tensor, least: float) -> Tensor:
    scale, zero = scales(entries)
    return (codes - (zero - least)) * scale


# Without gaps, lowest bits first.
def pack(codes: Tensor, bits: int, shifts: Tensor) -> Tensor:
    if bits == 8:
        return codes
    return (codes.unflatten(-1, [-1, 8 // bits]) << shifts).sum(-1, dtype=codes.dtype)


def unpack(packed: Tensor, bits: int, shifts: Tensor) -> Tensor:
    if bits == 8:
        return packed
    return (packed.unsqueeze(-1) >> shifts).bitwise_and_((1 << bits) - 1).flatten(-2)

# The keys or the values of one layer, as a list. Plain: numbers, rows [heads, tokens, D]. Coded: numbers, codes [heads, coded tokens,
# D·bits/8], entries [heads, runs, groups], ring [heads, ring tokens, D] f16 of rows that are not coded yet, sinks [heads, sinks, D] f16,
# shifts and constants (codec.py), GroupFit as it lies. Tokens of the codes count from the end of the sinks.
# numbers: recent tokens, tokens that are coded together, channels of a group, bits, and axis: 0 a scale for each group, 1 one scale for an
# append (tensor), 2 one for good (pow2).


def coded_end(length: int, sinks: int, recent: int, granule: int) -> int:
    return sinks + max(0, length - sinks - recent) // granule * granule


# The runs that `count` coded tokens from `at` on lie in, and the tokens of a run: all of them where one scale is for good.
def runs_of(at: int, count: int, granule: int, axis: int) -> Tuple[int, int, int]:
    return (0, 1, count) if axis == 2 else (at // granule, (at + count + granule - 1) // granule, granule)


# The ring's rows first … last − 1.
def waiting(ring: Tensor, first: int, last: int) -> Tensor:
    at = first % ring.size(1)
    count = min(last - first, ring.size(1) - at)
    rows = ring[:, at:at + count]
    return rows if count == last - first else torch.cat([rows, ring[:, :last - first - count]], 1)


# New rows [heads, T, D], of tokens start …; those whose time has come are coded.
def store(side: List[Tensor], rows: Tensor, start: int):
    if len(side) == 2:
        side[1][:, start:start + rows.size(1)] = rows
    else:
        store_coded(side, rows.float(), start)


def store_coded(side: List[Tensor], rows: Tensor, start: int):
    numbers, codes, entries, ring, sink_rows, shifts, constants, how = side
    n: List[int] = numbers.tolist()
    recent, granule, channels, bits, axis = n
    sinks, end = sink_rows.size(1), start + rows.size(1)
    heads, width = rows.size(0), rows.size(2)
    least = -float(1 << (bits - 1))
    if start < sinks:
        count = min(end, sinks) - start
        sink_rows[:, start:start + count] = rows[:, :count]
    fresh = max(start, sinks)
    if fresh < end:
        new = rows[:, fresh - start:]
        if axis == 1:
            entries[:, fresh - sinks:end - sinks] = fit(new.amin(), new.amax(), constants, least, how)
        if axis == 2 and start <= sinks:
            entries.copy_(fit_power(new.amin([1], True), new.amax([1], True), constants, least, how))
        first, last = coded_end(start, sinks, recent, granule), coded_end(end, sinks, recent, granule)
        if first < last:
            part = rows[:, max(first, start) - start:max(last, start) - start]
            if first < start:
                part = torch.cat([waiting(ring, first, min(start, last)).float(), part], 1)
            at, count = first - sinks, last - first
            run, runs, tokens = runs_of(at, count, granule, axis)
            x = part.reshape(heads, -1, tokens, width // channels, channels)
            if axis == 2: # what is not finite spoils the scale that is for good
                entries.masked_fill_(torch.isfinite(x.abs().amax([2, 4])).logical_not_(), not_a_number())
            if axis == 0:
                entries[:, run:runs] = fit(x.amin([2, 4]), x.amax([2, 4]), constants, least, how)
            groups = entries[:, run:runs].unsqueeze(2).unsqueeze(4)
            codes[:, at:at + count] = pack(encode(x, groups, least, -least - 1.0).reshape(heads, count, width), bits, shifts)
        kept = max(fresh, last)
        while kept < end:
            at = kept % ring.size(1)
            count = min(end - kept, ring.size(1) - at)
            ring[:, at:at + count] = rows[:, kept - start:kept - start + count]
            kept += count


# Rows first … stop − 1 [heads, stop − first, D] as attention reads them when there are `length` tokens; f32, or as they lie.
def read(side: List[Tensor], first: int, stop: int, length: int) -> Tensor:
    return side[1][:, first:stop] if len(side) == 2 else read_coded(side, first, stop, length)


def read_coded(side: List[Tensor], first: int, stop: int, length: int) -> Tensor:
    numbers, codes, entries, ring, sink_rows, shifts, _, _ = side
    n: List[int] = numbers.tolist()
    recent, granule, channels, bits, axis = n
    sinks = sink_rows.size(1)
    last = coded_end(length, sinks, recent, granule)
    parts: List[Tensor] = []
    if first < sinks:
        parts.append(sink_rows[:, first:min(stop, sinks)])
    at, to = max(first, sinks) - sinks, min(stop, last) - sinks
    if at < to:
        run, runs, tokens = runs_of(at, to - at, granule, axis)
        begin = 0 if axis == 2 else run * tokens
        code = unpack(codes[:, at:to] if axis == 2 else codes[:, begin:runs * tokens], bits, shifts)
        heads, width = code.size(0), code.size(2)
        groups = entries[:, run:runs].unsqueeze(2).unsqueeze(4)
        rows = decode(code.reshape(heads, -1, tokens, width // channels, channels), groups, -float(1 << (bits - 1)))
        rows = rows.reshape(heads, -1, width)
        parts.append(rows if axis == 2 else rows[:, at - begin:to - begin])
    if max(first, last) < stop:
        parts.append(waiting(ring, max(first, last), stop))
    return parts[0] if len(parts) == 1 else torch.cat([part.float() for part in parts], 1)

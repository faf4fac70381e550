using KvPareto.Engine.Cache;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>
/// The keys or the values of one layer, as Scripts/side.py takes them: coded rows with their groups' entries, the ring of 16-bit rows that
/// are not coded yet, and the sinks; or plain rows at 16 or 32 bits.
/// </summary>
internal sealed class TorchSide
{
    private readonly SideShape _shape;
    private readonly SidePlan _plan;
    private readonly TorchCodes _codec;
    private readonly torch.Tensor _rows; // codes, or plain rows
    private readonly torch.Tensor? _entries;
    private readonly torch.Tensor? _ring;
    private readonly torch.Tensor? _sinks;

    /// <summary>A side whose tensors its owner allocates, zeroed.</summary>
    public TorchSide(TorchCodes codec, SideShape shape, Func<torch.ScalarType, long[], torch.Tensor> take)
    {
        (_shape, _plan, _codec) = (shape, shape.Plan, codec);
        _rows = take(shape.RowType, shape.Rows);
        if (!_plan.IsCoded) return;
        _entries = take(torch.ScalarType.Int32, shape.Entries);
        _ring = take(torch.ScalarType.Float16, [shape.Heads, _plan.RingTokens, _plan.HeadDim]);
        _sinks = take(torch.ScalarType.Float16, [shape.Heads, _plan.SinkTokens, _plan.HeadDim]);
    }

    /// <summary>Stores new rows [Nkv, T, D] f32, of tokens <paramref name="start"/> …</summary>
    public void Append(torch.Tensor rows, int start)
    {
        var count = (int)rows.size(1);
        if (!_plan.IsCoded)
        {
            using var place = _rows.narrow(1, start, count);
            place.copy_(rows);
            return;
        }
        if (_plan.Granularity.Axis == KvAxis.PowerOfTwo && start <= _plan.SinkTokens && start + count > _plan.SinkTokens)
            FitPowers(rows, _plan.SinkTokens - start);
        TorchScripts.Run(
            "append", _rows, _entries, _ring, _sinks, _codec.Shifts(_plan.Bits), _codec.Constants(_plan.Bits), rows, start,
            _plan.RecentTokens, _plan.Granule, _plan.TokenBlock.Channels, _shape.Axis, _plan.Bits, (double)_plan.Fit.Clip,
                (double)(1 - _plan.Fit.Clip));
    }

    /// <summary>Rows <paramref name="first"/> … <paramref name="stop"/> − 1 as they are read when there are <paramref name="length"/>
    /// tokens; the caller disposes them.</summary>
    public torch.Tensor Read(int first, int stop, int length) => _plan.IsCoded
        ? TorchScripts.Tensor(
            "read", _rows, _entries, _ring, _sinks, _codec.Shifts(_plan.Bits), first, stop, length,
            _plan.RecentTokens, _plan.Granule, _plan.TokenBlock.Channels, _shape.Axis, _plan.Bits)
        : _rows.narrow(1, first, stop - first);

    // For each channel the smallest 2^e that spans the first rows to be coded, and an integer zero point: once a cache, on the host.
    private void FitPowers(torch.Tensor rows, int skipped)
    {
        using var scope = torch.NewDisposeScope();
        var fresh = rows.narrow(1, skipped, rows.size(1) - skipped);
        var (lows, highs) =
            (fresh.amin([1]).cpu().contiguous().data<float>().ToArray(), fresh.amax([1]).cpu().contiguous().data<float>().ToArray());
        var entries = new int[lows.Length];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = TorchCodes.Entry(GroupCodec.FitPowerOfTwo(lows[i], highs[i], _plan.Bits, _plan.Fit));
        _entries!.copy_(torch.tensor(entries, [_shape.Heads, 1, _plan.HeadDim]));
    }
}

using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Cpu.Storage.Schemes;
using KvPareto.Engine.Cache;
using KvPareto.Testing.Conformance;

namespace KvPareto.Cpu.Tests.Storage;

/// <summary>A scheme, its bits and a head width: what a store is made from.</summary>
internal sealed record StoreShape(KvGranularity Granularity, int Bits, int HeadDim, int ClipPercent = 100)
{
    private static readonly int[] HeadDims = [8, 12, 16, 20, 32, 64, 80, 96, 128];

    /// <summary>Tokens that are coded together.</summary>
    public int Granule => Bits < 16 && Granularity.Axis is KvAxis.Channel or KvAxis.Block ? Granularity.Group : 1;

    private GroupFit Fit => new(ClipPercent / 100f);

    /// <summary>Every head width, and of <c>token</c> every group that divides it.</summary>
    public static IEnumerable<StoreShape> Of(KvAxis axis, int bits) => HeadDims.SelectMany(headDim => Groups(axis, bits, headDim).Select(
        group => new StoreShape(new(axis, group), bits, headDim)));

    /// <summary>Axes and bits that make different stores; 16 and 32 bits know no axis.</summary>
    public static IEnumerable<(KvAxis Axis, int Bits)> AxesAndBits() =>
        Enum.GetValues<KvAxis>().SelectMany(axis => ((int[])[2, 4, 8]).Select(bits => (axis, bits))).Append((KvAxis.Token, 16))
            .Append((KvAxis.Token, 32));

    public KeyStore Keys(int capacity, SimdLevel? width = null) => Bits >= 16
        ? new PlainKeys(HeadDim, Bits, capacity, width)
        : Granularity.Axis is KvAxis.Token or KvAxis.Tensor ? new TokenKeys(TokenScheme(), capacity, width)
            : new TokenBlockKeys(TokenBlockScheme(), capacity, width);

    public ValueStore Values(int capacity, SimdLevel? width = null) => Bits >= 16
        ? new PlainValues(HeadDim, Bits, capacity, width)
        : Granularity.Axis is KvAxis.Token or KvAxis.Tensor ? new TokenValues(TokenScheme(), capacity, width)
            : new TokenBlockValues(TokenBlockScheme(), capacity, width);

    /// <summary>The same by the scalar codec.</summary>
    public ReferenceSide Reference(int heads) => new(heads, HeadDim, Bits, Granularity, new KvSpec { Fit = Fit });

    private TokenScheme TokenScheme() => Granularity.Axis == KvAxis.Token
        ? new TokenGroupScheme(Bits, HeadDim, Granularity.Group, Fit)
        : new TensorScheme(Bits, HeadDim, Fit);

    private TokenBlockScheme TokenBlockScheme() => Granularity.Axis switch
    {
        KvAxis.Channel => new ChannelScheme(Bits, HeadDim, Granularity.Group, Fit),
        KvAxis.Block => new BlockScheme(Bits, HeadDim, Granularity.Group, Fit),
        _ => new PowerOfTwoScheme(Bits, HeadDim, Fit),
    };

    private static IEnumerable<int> Groups(KvAxis axis, int bits, int headDim) => axis switch
    {
        KvAxis.Token when bits >= 16 => [0],
        KvAxis.Token => Enumerable.Range(1, headDim / 8).Select(n => 8 * n).Where(group => headDim % group == 0),
        KvAxis.Channel or KvAxis.Block => [16, 32],
        _ => [0],
    };
}

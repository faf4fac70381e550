using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <inheritdoc/>
internal sealed unsafe class KernelTable<TLanes, TFloat, TInt> : KernelTable
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    public override delegate*<float*, nint, int, float*, int, float*, nint, bool, void> MultiplyPanel =>
        &PanelKernel<TLanes, TFloat, TInt>.Multiply;

    public override delegate*<float*, nint, int, float*, in PanelGroups, float*, nint, bool, void> MultiplyGroups =>
        &PanelKernel<TLanes, TFloat, TInt>.MultiplyGroups;

    public override delegate*<float*, int, float> Max => &SoftmaxKernels<TLanes, TFloat, TInt>.Max;

    public override delegate*<float*, int, float, float> Exp => &SoftmaxKernels<TLanes, TFloat, TInt>.Exp;

    public override delegate*<ushort*, short*, float*, float*, void> ReadTileGroups => &GroupKernels<TLanes, TFloat, TInt>.ReadTile;

    public override delegate*<GroupMeta*, int, float*, float*, void> ReadGroups => &GroupKernels<TLanes, TFloat, TInt>.Read;

    public override StripKernel Strip(WeightFormat format) => format switch
    {
        WeightFormat.F32 => StripKernels<F32Elements, TLanes, TFloat, TInt>.Kernel,
        WeightFormat.F16 => StripKernels<F16Elements, TLanes, TFloat, TInt>.Kernel,
        WeightFormat.BF16 => StripKernels<BF16Elements, TLanes, TFloat, TInt>.Kernel,
        _ when BlockShape.IsBlocks(format) => BlockStrips.For(format).Kernel<TLanes, TFloat, TInt>(),
        _ => CodeStrips.For(format).Kernel<TLanes, TFloat, TInt>(),
    };

    public override delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] DotCodes(int bits) => bits switch
    {
        2 => DotCodes<Constant2>(),
        4 => DotCodes<Constant4>(),
        _ => DotCodes<Constant8>(),
    };

    public override delegate*<byte*, int, float*, float*, float*, int, void>[] DotScaledCodes(int bits) => bits switch
    {
        2 => DotScaledCodes<Constant2>(),
        4 => DotScaledCodes<Constant4>(),
        _ => DotScaledCodes<Constant8>(),
    };

    public override delegate*<byte*, int, float*, float*, float*, int, void> UnpackScaledKeyCodes(int bits) => bits switch
    {
        2 => &KeyKernels<TLanes, TFloat, TInt>.UnpackScaledCodes<Constant2>,
        4 => &KeyKernels<TLanes, TFloat, TInt>.UnpackScaledCodes<Constant4>,
        _ => &KeyKernels<TLanes, TFloat, TInt>.UnpackScaledCodes<Constant8>,
    };

    public override delegate*<byte*, int, float*, float*, int, void>[] DotPlain(int bits) =>
        bits == 16 ? DotPlain<Constant16>() : DotPlain<Constant32>();

    public override delegate*<byte*, ushort*, short*, int, int, float*, int, void> UnpackKeyCodes(int bits) => bits switch
    {
        2 => &KeyKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant2>,
        4 => &KeyKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant4>,
        _ => &KeyKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant8>,
    };

    public override delegate*<byte*, int, float*, int, void> UnpackKeyPlain(int bits) =>
        bits == 16 ? &KeyKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant16>
            : &KeyKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant32>;

    public override delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] Accumulate(int bits) => bits switch
    {
        2 => Accumulate<Constant2>(),
        4 => Accumulate<Constant4>(),
        8 => Accumulate<Constant8>(),
        16 => Accumulate<Constant16>(),
        _ => Accumulate<Constant32>(),
    };

    public override delegate*<ushort*, short*, long, int, float*, int, float*, int, float*, int, void>[] ScaleWeights =>
    [
        &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant1>,
        &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant2>,
        &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant3>,
        &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant4>,
    ];

    public override delegate*<byte*, int, float*, float*, float*, void> UnpackValueCodes(int bits) => bits switch
    {
        2 => &ValueKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant2>,
        4 => &ValueKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant4>,
        _ => &ValueKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant8>,
    };

    public override delegate*<byte*, float*, void> UnpackValuePlain(int bits) => bits switch
    {
        2 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant2>,
        4 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant4>,
        8 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant8>,
        16 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant16>,
        _ => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant32>,
    };

    private static delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] DotCodes<TBits>()
        where TBits : struct, IConstant =>
    [
        &KeyKernels<TLanes, TFloat, TInt>.DotCodes<TBits, Constant1>,
        &KeyKernels<TLanes, TFloat, TInt>.DotCodes<TBits, Constant2>,
        &KeyKernels<TLanes, TFloat, TInt>.DotCodes<TBits, Constant3>,
        &KeyKernels<TLanes, TFloat, TInt>.DotCodes<TBits, Constant4>,
    ];

    private static delegate*<byte*, int, float*, float*, float*, int, void>[] DotScaledCodes<TBits>() where TBits : struct, IConstant =>
    [
        &KeyKernels<TLanes, TFloat, TInt>.DotScaledCodes<TBits, Constant1>,
        &KeyKernels<TLanes, TFloat, TInt>.DotScaledCodes<TBits, Constant2>,
        &KeyKernels<TLanes, TFloat, TInt>.DotScaledCodes<TBits, Constant3>,
        &KeyKernels<TLanes, TFloat, TInt>.DotScaledCodes<TBits, Constant4>,
    ];

    private static delegate*<byte*, int, float*, float*, int, void>[] DotPlain<TBits>() where TBits : struct, IConstant =>
    [
        &KeyKernels<TLanes, TFloat, TInt>.DotPlain<TBits, Constant1>,
        &KeyKernels<TLanes, TFloat, TInt>.DotPlain<TBits, Constant2>,
        &KeyKernels<TLanes, TFloat, TInt>.DotPlain<TBits, Constant3>,
        &KeyKernels<TLanes, TFloat, TInt>.DotPlain<TBits, Constant4>,
    ];

    private static delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] Accumulate<TBits>()
        where TBits : struct, IConstant =>
    [
        &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant1>,
        &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant2>,
        &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant3>,
        &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant4>,
    ];
}

using System.Runtime.Intrinsics;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>Which vector width the kernels run at.</summary>
internal enum LaneWidth
{
    Scalar = 1,
    Avx2 = 8,
    Avx512 = 16,
}

/// <summary>The widths this machine has.</summary>
internal static class LaneWidths
{
    /// <summary>The widest.</summary>
    public static LaneWidth Widest { get; } = Lanes16.IsSupported ? LaneWidth.Avx512 : Lanes8.IsSupported ? LaneWidth.Avx2
        : LaneWidth.Scalar;

    /// <summary>All it has, widest first.</summary>
    public static IEnumerable<LaneWidth> Supported =>
        new[] { LaneWidth.Avx512, LaneWidth.Avx2, LaneWidth.Scalar }.Where(width => width <= Widest);

    /// <summary>The widest, up to <paramref name="limit"/>, whose lanes fit a layout; one lane always does.</summary>
    public static LaneWidth WidestThat(LaneWidth? limit, Func<int, bool> fits) =>
        Supported.First(width => width <= (limit ?? Widest) && (width == LaneWidth.Scalar || fits((int)width)));
}

/// <summary>Compiled key and value kernels by bit width, row count and vector width. The one place where these meet.</summary>
internal static unsafe class KernelTable
{
    /// <summary>Most rows that one call takes.</summary>
    public const int MaxRows = 4;

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.DotCodes"/> for 1 to 4 rows.</summary>
    public static delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] DotCodes(int bits, LaneWidth width) =>
        width switch
        {
            LaneWidth.Avx512 => Keys<Lanes16, Vector512<float>, Vector512<int>>.DotCodes(bits),
            LaneWidth.Avx2 => Keys<Lanes8, Vector256<float>, Vector256<int>>.DotCodes(bits),
            _ => Keys<Lanes1, float, int>.DotCodes(bits),
        };

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.DotScaledCodes"/> for 1 to 4 rows.</summary>
    public static delegate*<byte*, int, float*, float*, float*, int, void>[] DotScaledCodes(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Keys<Lanes16, Vector512<float>, Vector512<int>>.DotScaledCodes(bits),
        LaneWidth.Avx2 => Keys<Lanes8, Vector256<float>, Vector256<int>>.DotScaledCodes(bits),
        _ => Keys<Lanes1, float, int>.DotScaledCodes(bits),
    };

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.UnpackScaledCodes"/>.</summary>
    public static delegate*<byte*, int, float*, float*, float*, int, void> UnpackScaledKeyCodes(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Keys<Lanes16, Vector512<float>, Vector512<int>>.UnpackScaledCodes(bits),
        LaneWidth.Avx2 => Keys<Lanes8, Vector256<float>, Vector256<int>>.UnpackScaledCodes(bits),
        _ => Keys<Lanes1, float, int>.UnpackScaledCodes(bits),
    };

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.DotPlain"/> for 1 to 4 rows.</summary>
    public static delegate*<byte*, int, float*, float*, int, void>[] DotPlain(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Keys<Lanes16, Vector512<float>, Vector512<int>>.DotPlain(bits),
        LaneWidth.Avx2 => Keys<Lanes8, Vector256<float>, Vector256<int>>.DotPlain(bits),
        _ => Keys<Lanes1, float, int>.DotPlain(bits),
    };

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.UnpackCodes"/>.</summary>
    public static delegate*<byte*, ushort*, short*, int, int, float*, int, void> UnpackKeyCodes(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Keys<Lanes16, Vector512<float>, Vector512<int>>.UnpackCodes(bits),
        LaneWidth.Avx2 => Keys<Lanes8, Vector256<float>, Vector256<int>>.UnpackCodes(bits),
        _ => Keys<Lanes1, float, int>.UnpackCodes(bits),
    };

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.UnpackPlain"/>.</summary>
    public static delegate*<byte*, int, float*, int, void> UnpackKeyPlain(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Keys<Lanes16, Vector512<float>, Vector512<int>>.UnpackPlain(bits),
        LaneWidth.Avx2 => Keys<Lanes8, Vector256<float>, Vector256<int>>.UnpackPlain(bits),
        _ => Keys<Lanes1, float, int>.UnpackPlain(bits),
    };

    /// <summary><see cref="GroupKernels{TLanes,TFloat,TInt}.ReadTile"/>.</summary>
    public static delegate*<ushort*, short*, float*, float*, void> ReadTileGroups(LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => &GroupKernels<Lanes16, Vector512<float>, Vector512<int>>.ReadTile,
        LaneWidth.Avx2 => &GroupKernels<Lanes8, Vector256<float>, Vector256<int>>.ReadTile,
        _ => &GroupKernels<Lanes1, float, int>.ReadTile,
    };

    /// <summary><see cref="GroupKernels{TLanes,TFloat,TInt}.Read"/>.</summary>
    public static delegate*<GroupMeta*, int, float*, float*, void> ReadGroups(LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => &GroupKernels<Lanes16, Vector512<float>, Vector512<int>>.Read,
        LaneWidth.Avx2 => &GroupKernels<Lanes8, Vector256<float>, Vector256<int>>.Read,
        _ => &GroupKernels<Lanes1, float, int>.Read,
    };

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.ScaleWeights"/> for 1 to 4 rows.</summary>
    public static delegate*<ushort*, short*, long, int, float*, int, float*, int, float*, int, void>[] ScaleWeights(LaneWidth width) =>
        width switch
        {
            LaneWidth.Avx512 => Values<Lanes16, Vector512<float>, Vector512<int>>.ScaleWeights(),
            LaneWidth.Avx2 => Values<Lanes8, Vector256<float>, Vector256<int>>.ScaleWeights(),
            _ => Values<Lanes1, float, int>.ScaleWeights(),
        };

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.Accumulate"/> for 1 to 4 rows.</summary>
    public static delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] Accumulate(int bits, LaneWidth width) =>
        width switch
        {
            LaneWidth.Avx512 => Values<Lanes16, Vector512<float>, Vector512<int>>.Accumulate(bits),
            LaneWidth.Avx2 => Values<Lanes8, Vector256<float>, Vector256<int>>.Accumulate(bits),
            _ => Values<Lanes1, float, int>.Accumulate(bits),
        };

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.UnpackCodes"/>.</summary>
    public static delegate*<byte*, int, float*, float*, float*, void> UnpackValueCodes(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Values<Lanes16, Vector512<float>, Vector512<int>>.UnpackCodes(bits),
        LaneWidth.Avx2 => Values<Lanes8, Vector256<float>, Vector256<int>>.UnpackCodes(bits),
        _ => Values<Lanes1, float, int>.UnpackCodes(bits),
    };

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.UnpackPlain"/>.</summary>
    public static delegate*<byte*, float*, void> UnpackValuePlain(int bits, LaneWidth width) => width switch
    {
        LaneWidth.Avx512 => Values<Lanes16, Vector512<float>, Vector512<int>>.UnpackPlain(bits),
        LaneWidth.Avx2 => Values<Lanes8, Vector256<float>, Vector256<int>>.UnpackPlain(bits),
        _ => Values<Lanes1, float, int>.UnpackPlain(bits),
    };

    private static class Keys<TLanes, TFloat, TInt>
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        public static delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] DotCodes(int bits) => bits switch
        {
            2 => DotCodes<Constant2>(),
            4 => DotCodes<Constant4>(),
            _ => DotCodes<Constant8>(),
        };

        public static delegate*<byte*, int, float*, float*, float*, int, void>[] DotScaledCodes(int bits) => bits switch
        {
            2 => DotScaledCodes<Constant2>(),
            4 => DotScaledCodes<Constant4>(),
            _ => DotScaledCodes<Constant8>(),
        };

        public static delegate*<byte*, int, float*, float*, float*, int, void> UnpackScaledCodes(int bits) => bits switch
        {
            2 => &KeyKernels<TLanes, TFloat, TInt>.UnpackScaledCodes<Constant2>,
            4 => &KeyKernels<TLanes, TFloat, TInt>.UnpackScaledCodes<Constant4>,
            _ => &KeyKernels<TLanes, TFloat, TInt>.UnpackScaledCodes<Constant8>,
        };

        public static delegate*<byte*, int, float*, float*, int, void>[] DotPlain(int bits) =>
            bits == 16 ? DotPlain<Constant16>() : DotPlain<Constant32>();

        public static delegate*<byte*, ushort*, short*, int, int, float*, int, void> UnpackCodes(int bits) => bits switch
        {
            2 => &KeyKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant2>,
            4 => &KeyKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant4>,
            _ => &KeyKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant8>,
        };

        public static delegate*<byte*, int, float*, int, void> UnpackPlain(int bits) =>
            bits == 16 ? &KeyKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant16>
                : &KeyKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant32>;

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
    }

    private static class Values<TLanes, TFloat, TInt>
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        public static delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] Accumulate(int bits) => bits switch
        {
            2 => Accumulate<Constant2>(),
            4 => Accumulate<Constant4>(),
            8 => Accumulate<Constant8>(),
            16 => Accumulate<Constant16>(),
            _ => Accumulate<Constant32>(),
        };

        public static delegate*<ushort*, short*, long, int, float*, int, float*, int, float*, int, void>[] ScaleWeights() =>
        [
            &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant1>,
            &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant2>,
            &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant3>,
            &ValueKernels<TLanes, TFloat, TInt>.ScaleWeights<Constant4>,
        ];

        public static delegate*<byte*, int, float*, float*, float*, void> UnpackCodes(int bits) => bits switch
        {
            2 => &ValueKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant2>,
            4 => &ValueKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant4>,
            _ => &ValueKernels<TLanes, TFloat, TInt>.UnpackCodes<Constant8>,
        };

        public static delegate*<byte*, float*, void> UnpackPlain(int bits) => bits switch
        {
            2 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant2>,
            4 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant4>,
            8 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant8>,
            16 => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant16>,
            _ => &ValueKernels<TLanes, TFloat, TInt>.UnpackPlain<Constant32>,
        };

        private static delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] Accumulate<TBits>()
            where TBits : struct, IConstant =>
        [
            &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant1>,
            &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant2>,
            &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant3>,
            &ValueKernels<TLanes, TFloat, TInt>.Accumulate<TBits, Constant4>,
        ];
    }
}

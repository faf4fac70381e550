using System.Runtime.Intrinsics;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// The kernels of one vector width by bits and rows, as function pointers: chosen once, where a store or a product is set up, and then
/// called without a further choice.
/// </summary>
internal abstract unsafe class KernelTable
{
    /// <summary>Most rows that one call takes.</summary>
    public const int MaxRows = 4;

    private static readonly KernelTable Scalar = new KernelTable<Lanes1, float, int>();
    private static readonly KernelTable Avx2 = new KernelTable<Lanes8, Vector256<float>, Vector256<int>>();
    private static readonly KernelTable Avx512 = new KernelTable<Lanes16, Vector512<float>, Vector512<int>>();

    /// <summary>Those of a level that this machine has; null for its widest.</summary>
    public static KernelTable Of(SimdLevel? level = null) => (level ?? Simd.Best) switch
    {
        SimdLevel.Avx512 => Avx512,
        SimdLevel.Avx2 => Avx2,
        _ => Scalar,
    };

    /// <summary><see cref="MicroKernel.Multiply"/>.</summary>
    public abstract delegate*<float*, nint, int, float*, int, float*, nint, bool, void> MultiplyPanel { get; }

    /// <summary>c [rows, 64] = or += a · panel of codes: of each group of channels one fused chain an element, s, and then scale · s +
    /// offset · Σa is added, fused, in the groups' order. Parameters are those of <see cref="MicroKernel.Multiply"/>.</summary>
    public abstract delegate*<float*, nint, int, float*, in PanelGroups, float*, nint, bool, void> MultiplyGroups { get; }

    /// <summary><see cref="Softmax.Max"/>.</summary>
    public abstract delegate*<float*, int, float> Max { get; }

    /// <summary><see cref="Softmax.Exp"/>.</summary>
    public abstract delegate*<float*, int, float, float> Exp { get; }

    /// <summary>Those of a weight's strips.</summary>
    public abstract StripKernel Strip(WeightFormat format);

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.DotCodes"/> for 1 to 4 rows.</summary>
    public abstract delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] DotCodes(int bits);

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.DotScaledCodes"/> for 1 to 4 rows.</summary>
    public abstract delegate*<byte*, int, float*, float*, float*, int, void>[] DotScaledCodes(int bits);

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.UnpackScaledCodes"/>.</summary>
    public abstract delegate*<byte*, int, float*, float*, float*, int, void> UnpackScaledKeyCodes(int bits);

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.DotPlain"/> for 1 to 4 rows.</summary>
    public abstract delegate*<byte*, int, float*, float*, int, void>[] DotPlain(int bits);

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.UnpackCodes"/>.</summary>
    public abstract delegate*<byte*, ushort*, short*, int, int, float*, int, void> UnpackKeyCodes(int bits);

    /// <summary><see cref="KeyKernels{TLanes,TFloat,TInt}.UnpackPlain"/>.</summary>
    public abstract delegate*<byte*, int, float*, int, void> UnpackKeyPlain(int bits);

    /// <summary><see cref="GroupKernels{TLanes,TFloat,TInt}.ReadTile"/>.</summary>
    public abstract delegate*<ushort*, short*, float*, float*, void> ReadTileGroups { get; }

    /// <summary><see cref="GroupKernels{TLanes,TFloat,TInt}.Read"/>.</summary>
    public abstract delegate*<GroupMeta*, int, float*, float*, void> ReadGroups { get; }

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.ScaleWeights"/> for 1 to 4 rows.</summary>
    public abstract delegate*<ushort*, short*, long, int, float*, int, float*, int, float*, int, void>[] ScaleWeights { get; }

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.Accumulate"/> for 1 to 4 rows.</summary>
    public abstract delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] Accumulate(int bits);

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.UnpackCodes"/>.</summary>
    public abstract delegate*<byte*, int, float*, float*, float*, void> UnpackValueCodes(int bits);

    /// <summary><see cref="ValueKernels{TLanes,TFloat,TInt}.UnpackPlain"/>.</summary>
    public abstract delegate*<byte*, float*, void> UnpackValuePlain(int bits);
}

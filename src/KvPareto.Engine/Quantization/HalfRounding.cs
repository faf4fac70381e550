using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvPareto.Engine.Quantization;

/// <summary>Rounding of f32 vectors to f16's values, to even, without leaving f32; AutoAWQ computes in f16 throughout.</summary>
internal static class HalfRounding
{
    private const float SmallestNormal = 6.103515625e-5f; // 2^-14
    private const float SubnormalShift = 0.75f; // in [0.5, 1) an f32's last place is 2^-24, f16's smallest step

    /// <summary>Each lane as f16 has it; beyond f16's range 65536 or more in place of infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> x)
    {
        var bits = x.AsInt32();
        var normal = (bits + Vector256.Create(0xFFF) + ((bits >>> 13) & Vector256<int>.One)) & Vector256.Create(~0x1FFF);
        var sign = bits & Vector256.Create(int.MinValue);
        var subnormal = ((Vector256.Abs(x) + Vector256.Create(SubnormalShift) - Vector256.Create(SubnormalShift)).AsInt32() | sign)
            .AsSingle();
        return Vector256.ConditionalSelect(
            Vector256.LessThan(Vector256.Abs(x), Vector256.Create(SmallestNormal)), subnormal, normal.AsSingle());
    }

    /// <summary>Rounds <paramref name="values"/>, a multiple of 8, in place.</summary>
    public static unsafe void Round(Span<float> values)
    {
        fixed (float* p = values)
            for (var i = 0; i < values.Length; i += Vector256<float>.Count) Round(Vector256.Load(p + i)).Store(p + i);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvPareto.Engine.Quantization;

/// <summary>
/// AutoAWQ's quantizer of a group, every step rounded to f16 and to even: s = max(max − min, 1e-5)/(2^b − 1),
/// z = clamp(−round(min/s), 0, 2^b − 1), q = clamp(round(x/s) + z, 0, 2^b − 1), x̂ = s·(q − z). Unlike
/// <see cref="Cache.GroupCodec"/>'s its zero point is a code: a group that does not straddle zero saturates at its far end.
/// Groups are a multiple of 8 elements, all of them values of f16.
/// </summary>
internal static unsafe class AwqCodec
{
    private const float SmallestRange = 1.0013580322265625e-5f; // 1e-5 as f16 has it

    /// <summary>Scale and zero point of a group.</summary>
    public static (float Scale, float Zero) Fit(float* group, int count, int bits)
    {
        var (low, high) = (Vector256.Load(group), Vector256.Load(group));
        for (var i = Vector256<float>.Count; i < count; i += Vector256<float>.Count)
            (low, high) = (Vector256.Min(low, Vector256.Load(group + i)), Vector256.Max(high, Vector256.Load(group + i)));
        var (min, max) = (low[0], high[0]);
        for (var lane = 1; lane < Vector256<float>.Count; lane++) (min, max) = (MathF.Min(min, low[lane]), MathF.Max(max, high[lane]));
        var scale = Half(MathF.Max(Half(max - min), SmallestRange) / MaxCode(bits));
        return (scale, Math.Clamp(-MathF.Round(Half(min / scale), MidpointRounding.ToEven), 0, MaxCode(bits)));
    }

    /// <summary>Writes the codes of a group, one a byte.</summary>
    public static void Encode(float* group, int count, float scale, float zero, int bits, byte* codes)
    {
        for (var i = 0; i < count; i += Vector256<float>.Count)
        {
            var code = Vector256.ConvertToInt32(Code(Vector256.Load(group + i), scale, zero, bits));
            for (var lane = 0; lane < Vector256<float>.Count; lane++) codes[i + lane] = (byte)code[lane];
        }
    }

    /// <summary>Writes what the codes of a group stand for; <paramref name="result"/> may be <paramref name="group"/>.</summary>
    public static void Reconstruct(float* group, int count, int bits, float* result)
    {
        var (scale, zero) = Fit(group, count, bits);
        for (var i = 0; i < count; i += Vector256<float>.Count)
            ((Code(Vector256.Load(group + i), scale, zero, bits) - Vector256.Create(zero)) * scale).Store(result + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Code(Vector256<float> x, float scale, float zero, int bits)
    {
        var code = Vector256.Round(HalfRounding.Round(x / Vector256.Create(scale)), MidpointRounding.ToEven) + Vector256.Create(zero);
        return Vector256.Min(Vector256.Max(code, Vector256<float>.Zero), Vector256.Create((float)MaxCode(bits)));
    }

    private static int MaxCode(int bits) => (1 << bits) - 1;

    private static float Half(float x) => (float)(Half)x;
}

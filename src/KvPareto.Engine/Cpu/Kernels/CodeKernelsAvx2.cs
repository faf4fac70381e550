using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>
/// Strips of W4 codes with 256-bit vectors; see <see cref="ScalarKernels"/> for what each computes. Two shifts bring a nibble to the
/// top of its lane and back down with its sign.
/// </summary>
internal static unsafe class CodeKernelsAvx2
{
    /// <inheritdoc cref="ScalarKernels.UnpackCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(byte* strip, int channels, int groupSize, float* panel)
    {
        var groupBytes = Strip.GroupBytes(groupSize);
        for (; channels > 0; channels -= groupSize, strip += groupBytes, panel += groupSize * MicroKernel.Columns)
            for (var part = 0; part < 2; part++)
            {
                var (scaleLow, offsetLow) = LoadMeta(strip + 32 * part);
                var (scaleHigh, offsetHigh) = LoadMeta(strip + 64 + 32 * part);
                var line = strip + Strip.MetaBytes + 32 * part;
                var row = panel + 8 * part;
                for (var quad = 0; quad < groupSize; quad += Strip.QuadChannels, line += Strip.QuadBytes)
                {
                    var codes = Vector256.Load((int*)line);
                    for (var i = 0; i < Strip.QuadChannels; i++, codes >>= 8, row += MicroKernel.Columns)
                    {
                        Decode(codes << 28, scaleLow, offsetLow).Store(row);
                        Decode(codes << 24, scaleHigh, offsetHigh).Store(row + 16);
                    }
                }
            }
    }

    /// <inheritdoc cref="ScalarKernels.GemvCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gemv(byte* strip, float* x, int columns, int groupSize, float* y)
    {
        // Half of the rows at a time: all 32 with their scales and offsets need more than the 16 registers.
        for (var part = 0; part < 2; part++)
        {
            Vector256<float> low = Vector256.Create(-0f), high = low;
            var group = strip + 32 * part;
            for (var block = 0; block < columns; block += Strip.BlockChannels)
            {
                Vector256<float> lowSum = default, highSum = default;
                var blockEnd = Math.Min(block + Strip.BlockChannels, columns);
                for (var k = block; k < blockEnd; k += groupSize, group += Strip.GroupBytes(groupSize))
                {
                    var (scaleLow, offsetLow) = LoadMeta(group);
                    var (scaleHigh, offsetHigh) = LoadMeta(group + 64);
                    var line = group + Strip.MetaBytes;
                    var xk = x + k;
                    for (var end = xk + groupSize; xk < end; xk += Strip.QuadChannels, line += Strip.QuadBytes)
                    {
                        var codes = Vector256.Load((int*)line);
                        for (var i = 0; i < Strip.QuadChannels; i++, codes >>= 8)
                        {
                            lowSum = Fma.MultiplyAdd(Vector256.Create(xk[i]), Decode(codes << 28, scaleLow, offsetLow), lowSum);
                            highSum = Fma.MultiplyAdd(Vector256.Create(xk[i]), Decode(codes << 24, scaleHigh, offsetHigh), highSum);
                        }
                    }
                }
                low += lowSum;
                high += highSum;
            }
            low.Store(y + 8 * part);
            high.Store(y + 16 + 8 * part);
        }
    }

    // The code is the top nibble of each lane.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Decode(Vector256<int> top, Vector256<float> scale, Vector256<float> offset) =>
        Fma.MultiplyAdd(Vector256.ConvertToSingle(top >> 28), scale, offset);

    // 8 GroupMeta: s, and −z·s.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Scale, Vector256<float> Offset) LoadMeta(byte* metas)
    {
        var meta = Vector256.Load((int*)metas);
        var constant = Vector256.Equals(meta & Vector256.Create(0x8000), Vector256.Create(0x8000));
        var magnitude = ((meta & Vector256.Create(0x7FFF)) << 16) | (meta >>> 16);
        var scale = Vector256.ConditionalSelect(constant, magnitude, Half16.Widen(meta & Vector256.Create(0x7FFF)).AsInt32()).AsSingle();
        var zero = Vector256.AndNot(meta >> 16, constant);
        return (scale, Vector256.ConvertToSingle(-zero) * scale);
    }
}

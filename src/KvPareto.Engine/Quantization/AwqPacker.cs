using System.Runtime.InteropServices;
using KvPareto.Engine.Model;

namespace KvPareto.Engine.Quantization;

/// <summary>A linear layer in AutoAWQ's <c>gemm</c> layout (<see cref="AwqLayout"/>), made by its quantizer
/// (<see cref="AwqCodec"/>).</summary>
internal sealed class AwqPacker
{
    private readonly uint[] _codes; // [K, N·bits/32]
    private readonly uint[] _zeros; // [K/g, N·bits/32]
    private readonly ushort[] _scales; // [K/g, N], f16

    private AwqPacker(LinearMatrix matrix, QuantizeOptions options)
    {
        var (words, groups) = (matrix.Rows / AwqLayout.WordOutputs(options.Bits), matrix.Columns / options.Group);
        _codes = new uint[matrix.Columns * words];
        _zeros = new uint[groups * words];
        _scales = new ushort[groups * matrix.Rows];
        Parallel.For(0, words, word => PackWord(matrix, options, words, word));
    }

    /// <summary>Bytes of <c>qweight</c>.</summary>
    public ReadOnlySpan<byte> Codes => MemoryMarshal.AsBytes<uint>(_codes);

    /// <summary>Bytes of <c>qzeros</c>.</summary>
    public ReadOnlySpan<byte> Zeros => MemoryMarshal.AsBytes<uint>(_zeros);

    /// <summary>Bytes of <c>scales</c>.</summary>
    public ReadOnlySpan<byte> Scales => MemoryMarshal.AsBytes<ushort>(_scales);

    /// <summary>Packs a matrix whose values are those of f16.</summary>
    public static AwqPacker Pack(LinearMatrix matrix, QuantizeOptions options) => new(matrix, options);

    // The outputs of one word at a time: no two tasks share a word.
    private unsafe void PackWord(LinearMatrix matrix, QuantizeOptions options, int words, int word)
    {
        var (bits, group, outputs) = (options.Bits, options.Group, AwqLayout.WordOutputs(options.Bits));
        var codes = stackalloc byte[group];
        fixed (float* values = matrix.Values)
            for (var output = 0; output < outputs; output++)
            {
                var (row, shift) = (word * outputs + output, AwqLayout.Shift(bits, output));
                for (var index = 0; index < matrix.Columns / group; index++)
                {
                    var elements = values + (nint)row * matrix.Columns + index * group;
                    var (scale, zero) = AwqCodec.Fit(elements, group, bits);
                    AwqCodec.Encode(elements, group, scale, zero, bits, codes);
                    _scales[index * matrix.Rows + row] = BitConverter.HalfToUInt16Bits((Half)scale);
                    _zeros[index * words + word] |= (uint)zero << shift;
                    for (var i = 0; i < group; i++) _codes[(index * group + i) * words + word] |= (uint)codes[i] << shift;
                }
            }
    }
}

using System.Buffers.Binary;

namespace KvPareto.Engine.Formats.Gguf;

/// <summary>
/// What a block of each of ggml's formats means (<c>ggml-quants.c</c>, <c>dequantize_row_*</c>): the scalar definition that kernels
/// are tested against. Products and sums are f32, rounded one by one in the order written; a fused one would differ by an ulp.
/// </summary>
internal static unsafe class BlockCodec
{
    /// <summary>Decodes a row of whole blocks.</summary>
    /// <param name="format">One of ggml's block formats.</param>
    /// <param name="source">Blocks, at an address of any alignment.</param>
    /// <param name="values">As many elements as are wanted, a multiple of the block's.</param>
    public static void Decode(WeightFormat format, byte* source, Span<float> values)
    {
        var shape = BlockShape.Of(format);
        for (; values.Length >= shape.Elements; values = values[shape.Elements..], source += shape.ByteCount)
        {
            var block = new ReadOnlySpan<byte>(source, shape.ByteCount);
            var target = values[..shape.Elements];
            switch (format)
            {
                case WeightFormat.Q40: Decode32(block[2..], [], Half(block, 0), 8, 0, target); break;
                case WeightFormat.Q41: Decode32(block[4..], [], Half(block, 0), 0, Half(block, 2), target); break;
                case WeightFormat.Q50: Decode32(block[6..], block[2..6], Half(block, 0), 16, 0, target); break;
                case WeightFormat.Q51: Decode32(block[8..], block[4..8], Half(block, 0), 0, Half(block, 2), target); break;
                case WeightFormat.Q80: DecodeBytes(block, target); break;
                case WeightFormat.Q4K: DecodeK(block, block[16..], [], target); break;
                case WeightFormat.Q5K: DecodeK(block, block[48..], block[16..48], target); break;
                default: DecodeQ6K(block, target); break;
            }
        }
    }

    /// <summary>Scale and minimum (6 bits each) of the 32 elements <paramref name="group"/> of a Q4_K or Q5_K block.</summary>
    /// <param name="scales">The block's 12 bytes of them.</param>
    /// <param name="group">0 … 7.</param>
    public static (int Scale, int Minimum) KScales(ReadOnlySpan<byte> scales, int group) => group < 4
        ? (scales[group] & 63, scales[group + 4] & 63)
        : (scales[group + 4] & 15 | scales[group - 4] >> 6 << 4, scales[group + 4] >> 4 | scales[group] >> 6 << 4);

    // Symmetric formats have an offset of codes, the others a minimum; adding a minimum of 0 to -0 would change its sign.
    private static void Decode32(ReadOnlySpan<byte> codes, ReadOnlySpan<byte> fifthBits, float scale, int codeOffset, float minimum, Span<float> values)
    {
        for (var i = 0; i < 32; i++)
        {
            var code = i < 16 ? codes[i] & 15 : codes[i - 16] >> 4;
            if (fifthBits.Length > 0) code |= (fifthBits[i / 8] >> i % 8 & 1) << 4;
            values[i] = codeOffset > 0 ? scale * (code - codeOffset) : scale * code + minimum;
        }
    }

    private static void DecodeBytes(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = Half(block, 0);
        for (var i = 0; i < 32; i++) values[i] = scale * (sbyte)block[2 + i];
    }

    private static void DecodeK(ReadOnlySpan<byte> block, ReadOnlySpan<byte> codes, ReadOnlySpan<byte> fifthBits, Span<float> values)
    {
        var (factor, minimumFactor) = (Half(block, 0), Half(block, 2));
        for (var i = 0; i < 256; i++)
        {
            var packed = codes[32 * (i / 64) + i % 32];
            var code = i % 64 < 32 ? packed & 15 : packed >> 4;
            if (fifthBits.Length > 0) code |= (fifthBits[i % 32] >> i / 32 & 1) << 4;
            var (scale, minimum) = KScales(block[4..16], i / 32);
            values[i] = factor * scale * code - minimumFactor * minimum;
        }
    }

    private static void DecodeQ6K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var factor = Half(block, 208);
        for (var i = 0; i < 256; i++)
        {
            var (half, place, quarter) = (i / 128, i % 32, i % 128 / 32);
            var low = block[64 * half + place + 32 * (quarter & 1)];
            var code = (quarter < 2 ? low & 15 : low >> 4) | (block[128 + 32 * half + place] >> 2 * quarter & 3) << 4;
            values[i] = factor * (sbyte)block[192 + i / 16] * (code - 32);
        }
    }

    private static float Half(ReadOnlySpan<byte> block, int at) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[at..]);
}

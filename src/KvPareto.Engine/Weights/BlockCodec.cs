using System.Buffers.Binary;

namespace KvPareto.Engine.Weights;

/// <summary>
/// What a block of each of ggml's formats means (<c>ggml-quants.c</c>, <c>dequantize_row_*</c>): the scalar definition that kernels
/// are tested against. Products and sums are f32, rounded one by one in the order written; a fused one would differ by an ulp.
/// </summary>
internal static unsafe class BlockCodec
{
    /// <summary>What the sixteen codes of IQ4_NL and IQ4_XS stand for, before their scale.</summary>
    public static ReadOnlySpan<sbyte> IQ4Values => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>Decodes a row of whole blocks.</summary>
    /// <param name="format">One of ggml's block formats.</param>
    /// <param name="source">Blocks, at an address of any alignment.</param>
    /// <param name="values">As many elements as are wanted, a multiple of the block's.</param>
    public static void Decode(WeightFormat format, byte* source, Span<float> values)
    {
        var shape = BlockShape.Of(format);
        Span<byte> codes = stackalloc byte[shape.Elements];
        for (; values.Length >= shape.Elements; values = values[shape.Elements..], source += shape.ByteCount)
        {
            var block = new ReadOnlySpan<byte>(source, shape.ByteCount);
            Codes(format, block, codes);
            switch (format)
            {
                case WeightFormat.Q40: Scale(codes, 8, Half(block, 0), values); break;
                case WeightFormat.Q50: Scale(codes, 16, Half(block, 0), values); break;
                case WeightFormat.Q41 or WeightFormat.Q51: ScaleAndAdd(codes, Half(block, 0), Half(block, 2), values); break;
                case WeightFormat.Q80:
                    for (var i = 0; i < codes.Length; i++) values[i] = Half(block, 0) * (sbyte)codes[i];
                    break;
                case WeightFormat.Q6K:
                    for (var i = 0; i < codes.Length; i += 16)
                        Scale(codes.Slice(i, 16), 32, Half(block, 208) * (sbyte)block[192 + i / 16], values[i..]);
                    break;
                case WeightFormat.Q2K:
                    for (var i = 0; i < codes.Length; i += 16)
                        ScaleAndAdd(codes.Slice(i, 16), Half(block, 80) * (block[i / 16] & 15), -(Half(block, 82) * (block[i / 16] >> 4)),
                            values[i..]);
                    break;
                case WeightFormat.Q3K:
                    for (var i = 0; i < codes.Length; i += 16)
                        Scale(codes.Slice(i, 16), 4, Half(block, 108) * Q3KScale(block[96..108], i / 16), values[i..]);
                    break;
                case WeightFormat.IQ4NL: Look(codes, Half(block, 0), values); break;
                case WeightFormat.IQ4XS:
                    for (var i = 0; i < codes.Length; i += 32)
                        Look(codes.Slice(i, 32), Half(block, 0) * IQ4XSScale(block, i / 32), values[i..]);
                    break;
                default: DecodeK(block, codes, values); break;
            }
        }
    }

    /// <summary>The codes of a block, in the order of its elements, as they are stored: unsigned, but for Q8_0.</summary>
    /// <param name="format">One of ggml's block formats.</param>
    /// <param name="block">One block.</param>
    /// <param name="codes">One byte an element.</param>
    public static void Codes(WeightFormat format, ReadOnlySpan<byte> block, Span<byte> codes)
    {
        switch (format)
        {
            case WeightFormat.Q40 or WeightFormat.IQ4NL: Nibbles(block[2..], codes[..16], codes[16..]); break;
            case WeightFormat.IQ4XS:
                for (var i = 0; i < codes.Length; i += 32) Nibbles(block[(8 + i / 2)..], codes.Slice(i, 16), codes.Slice(i + 16, 16));
                break;
            case WeightFormat.Q2K: Pairs(block[16..80], codes); break;
            case WeightFormat.Q3K:
                Pairs(block[32..96], codes);
                for (var i = 0; i < codes.Length; i++) codes[i] |= (byte)((block[i % 32] >> i / 32 & 1) << 2);
                break;
            case WeightFormat.Q41: Nibbles(block[4..], codes[..16], codes[16..]); break;
            case WeightFormat.Q50:
                Nibbles(block[6..], codes[..16], codes[16..]);
                AddFifthBits(BinaryPrimitives.ReadUInt32LittleEndian(block[2..]), codes);
                break;
            case WeightFormat.Q51:
                Nibbles(block[8..], codes[..16], codes[16..]);
                AddFifthBits(BinaryPrimitives.ReadUInt32LittleEndian(block[4..]), codes);
                break;
            case WeightFormat.Q80: block[2..34].CopyTo(codes); break;
            case WeightFormat.Q4K or WeightFormat.Q5K:
                var nibbles = block[(format == WeightFormat.Q4K ? 16 : 48)..];
                for (var i = 0; i < codes.Length; i += 64) Nibbles(nibbles[(i / 2)..], codes.Slice(i, 32), codes.Slice(i + 32, 32));
                if (format == WeightFormat.Q5K)
                    for (var i = 0; i < codes.Length; i++) codes[i] |= (byte)((block[16 + i % 32] >> i / 32 & 1) << 4);
                break;
            default:
                for (var half = 0; half < 2; half++)
                {
                    var target = codes.Slice(128 * half, 128);
                    var high = block.Slice(128 + 32 * half, 32);
                    Nibbles(block.Slice(64 * half, 64), target[..64], target[64..]);
                    for (var i = 0; i < target.Length; i++) target[i] |= (byte)((high[i % 32] >> 2 * (i / 32) & 3) << 4);
                }
                break;
        }
    }

    private static void Nibbles(ReadOnlySpan<byte> packed, Span<byte> low, Span<byte> high)
    {
        for (var i = 0; i < low.Length; i++) (low[i], high[i]) = ((byte)(packed[i] & 15), (byte)(packed[i] >> 4));
    }

    // Of each half of a block 32 bytes, whose lowest two bits are the first 32 codes.
    private static void Pairs(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        for (var i = 0; i < codes.Length; i++) codes[i] = (byte)(packed[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3);
    }

    // 6 bits less 32: the lower four of sixteen scales in eight bytes, the upper two in the next four.
    private static int Q3KScale(ReadOnlySpan<byte> packed, int run) =>
        (packed[run % 8] >> run / 8 * 4 & 15 | (packed[8 + run % 4] >> run / 4 * 2 & 3) << 4) - 32;

    // 6 bits less 32: the lower four in the bytes from the fifth on, the upper two in a word before them.
    private static int IQ4XSScale(ReadOnlySpan<byte> block, int run) =>
        (block[4 + run / 2] >> run % 2 * 4 & 15 | (block[2 + run / 4] >> run % 4 * 2 & 3) << 4) - 32;

    private static void Look(ReadOnlySpan<byte> codes, float scale, Span<float> values)
    {
        for (var i = 0; i < codes.Length; i++) values[i] = scale * IQ4Values[codes[i]];
    }

    private static void AddFifthBits(uint bits, Span<byte> codes)
    {
        for (var i = 0; i < codes.Length; i++) codes[i] |= (byte)((bits >> i & 1) << 4);
    }

    private static void Scale(ReadOnlySpan<byte> codes, int less, float scale, Span<float> values)
    {
        for (var i = 0; i < codes.Length; i++) values[i] = scale * (codes[i] - less);
    }

    private static void ScaleAndAdd(ReadOnlySpan<byte> codes, float scale, float offset, Span<float> values)
    {
        for (var i = 0; i < codes.Length; i++) values[i] = scale * codes[i] + offset;
    }

    // 6-bit scales and minima of eight groups: the first four plain, the others with their upper two bits in the first bytes.
    private static void DecodeK(ReadOnlySpan<byte> block, ReadOnlySpan<byte> codes, Span<float> values)
    {
        var (factor, minimumFactor) = (Half(block, 0), Half(block, 2));
        var packed = block[4..16];
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = group < 4
                ? (packed[group] & 63, packed[group + 4] & 63)
                : (packed[group + 4] & 15 | packed[group - 4] >> 6 << 4, packed[group + 4] >> 4 | packed[group] >> 6 << 4);
            ScaleAndAdd(codes.Slice(32 * group, 32), factor * scale, -(minimumFactor * minimum), values[(32 * group)..]);
        }
    }

    private static float Half(ReadOnlySpan<byte> block, int at) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[at..]);
}

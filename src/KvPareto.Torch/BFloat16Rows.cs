namespace KvPareto.Torch;

/// <summary>Rounding to bf16, the upper half of an f32: to nearest, ties to even.</summary>
internal static class BFloat16Rows
{
    /// <summary>Rounds a row.</summary>
    public static void Round(ReadOnlySpan<float> values, Span<ushort> rounded)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(values[i]);
            rounded[i] = float.IsNaN(values[i]) ? (ushort)0x7fc0 : (ushort)(bits + 0x7fff + (bits >> 16 & 1) >> 16);
        }
    }
}

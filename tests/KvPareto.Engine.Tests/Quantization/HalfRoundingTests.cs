using KvPareto.Engine.Quantization;

namespace KvPareto.Engine.Tests.Quantization;

public class HalfRoundingTests
{
    [Fact]
    public void Round_IsTheConversionToHalfAndBack()
    {
        var random = new Random(5);
        var values = new List<float>
            { 0, -0f, 1, 65504, -65504, 65519, float.Epsilon, 6.1e-5f, 2.9802322e-8f, 2.98023259e-8f, 8.9406967e-8f, 1.00048828125f,
            1.00146484375f };
        for (var half = 0; half < 0x7C00; half += 7)
        {
            var (low, high) =
                ((float)BitConverter.UInt16BitsToHalf((ushort)half), (float)BitConverter.UInt16BitsToHalf((ushort)(half + 1)));
            if (float.IsInfinity(high)) high = 65536;
            values.AddRange([low, -low, (low + high) / 2, low + (high - low) * random.NextSingle()]);
        }
        while (values.Count % 8 != 0) values.Add(0);
        var rounded = values.ToArray();
        HalfRounding.Round(rounded);
        for (var i = 0; i < rounded.Length; i++)
        {
            var expected = (float)(Half)values[i];
            if (float.IsInfinity(expected)) Assert.True(MathF.Abs(rounded[i]) >= 65536);
            else Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(rounded[i]));
        }
    }
}

using KvPareto.Engine.Rotary;

namespace KvPareto.Engine.Tests.Rotary;

public class RopeFrequenciesTests
{
    // Two f32 roundings and the power's own lie between these formulas in f64 and the f32 arithmetic of transformers.
    private const double F32Rounding = 4e-7;

    [Theory]
    [InlineData(64, 10000.0)]
    [InlineData(32, 500000.0)]
    [InlineData(128, 1000000.0)]
    public void Default_IsTheFormula(int headDim, double theta)
    {
        var table = RopeFrequencies.Default(headDim, theta);
        Assert.Equal((headDim, headDim / 2, 1f), (table.HeadDim, table.InverseFrequencies.Length, table.AttentionScale));
        for (var i = 0; i < headDim / 2; i++) AssertClose(Math.Pow(theta, -2.0 * i / headDim), table.InverseFrequencies[i], 2e-6);
    }

    [Fact]
    public void Default_RoundsItsExponentToF32()
    {
        // 2/6 as an f32 is 0.3333333433; with theta 5e5 the power then differs from the f64 formula's by 1.3e-7.
        var inverse = RopeFrequencies.Default(6, 500000).InverseFrequencies;
        Assert.Equal(1 / (float)Math.Pow(500000, 2f / 6f), inverse[1]);
        Assert.Equal(1 / (float)Math.Pow(500000, 4f / 6f), inverse[2]);
    }

    [Fact]
    public void Linear_Divides()
    {
        var (plain, scaled) = (RopeFrequencies.Default(64, 10000), RopeFrequencies.Linear(64, 10000, 4));
        for (var i = 0; i < 32; i++) Assert.Equal(plain.InverseFrequencies[i] / 4, scaled.InverseFrequencies[i]);
    }

    [Theory]
    [InlineData(128, 500000.0, 8.0, 1.0, 4.0, 8192)]
    [InlineData(64, 500000.0, 32.0, 1.0, 4.0, 8192)]
    [InlineData(32, 500000.0, 8.0, 1.0, 4.0, 128)]
    public void Llama3_IsTheFormula(int headDim, double theta, double factor, double low, double high, int original)
    {
        var actual = RopeFrequencies.Llama3(headDim, theta, new(factor, low, high, original)).InverseFrequencies;
        var (kept, blended, divided) = (0, 0, 0);
        for (var i = 0; i < headDim / 2; i++)
        {
            var frequency = 1.0 / Math.Pow(theta, 2.0 * i / headDim);
            var turns = original * frequency / (2 * Math.PI); // over the original context
            var expected = frequency;
            if (turns > high) kept++;
            else if (turns < low) (expected, divided) = (frequency / factor, divided + 1);
            else (expected, blended) = (frequency * (1 / factor + (1 - 1 / factor) * (turns - low) / (high - low)), blended + 1);
            AssertClose(expected, actual[i], 4e-6);
        }
        Assert.True(kept > 0 && blended > 0 && divided > 0);
    }

    // Llama 3.1 8B: head_dim 128, factor 8, low 1, high 4, original 8192; worked out in f64 apart from this code.
    [Theory]
    [InlineData(0, 1.0)]
    [InlineData(1, 0.8146172)]
    [InlineData(28, 0.003211446)]
    [InlineData(29, 0.002166571)]
    [InlineData(34, 0.0001785078)]
    [InlineData(35, 9.556212e-05)]
    [InlineData(63, 3.068926e-07)]
    public void Llama3_KnownValues(int pair, double expected) =>
        AssertClose(expected, RopeFrequencies.Llama3(128, 500000, new(8, 1, 4, 8192)).InverseFrequencies[pair], 1e-5);

    [Fact]
    public void Yarn_KeepsFastPairsAndInterpolatesSlowOnes()
    {
        var (headDim, theta, factor, original) = (128, 1000000.0, 4.0, 32768);
        var table = RopeFrequencies.Yarn(headDim, theta, new(factor, original));
        AssertClose(0.1 * Math.Log(4) + 1, table.AttentionScale, F32Rounding);
        double Pair(double rotations) => headDim * Math.Log(original / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
        var (low, high) = (Math.Floor(Pair(32)), Math.Ceiling(Pair(1)));
        Assert.Equal((23, 40), (low, high));
        for (var i = 0; i < headDim / 2; i++)
        {
            var frequency = 1 / Math.Pow(theta, 2.0 * i / headDim);
            var interpolated = Math.Clamp((i - low) / (high - low), 0, 1);
            AssertClose(frequency * (1 - interpolated) + frequency / factor * interpolated, table.InverseFrequencies[i], 4e-6);
        }
    }

    [Theory]
    [InlineData(null, 0, 0, 1.3688879)]
    [InlineData(1.25, 0, 0, 1.25)]
    [InlineData(null, 1, 0, 1.3688879)]
    [InlineData(null, 0.707, 1, 0.9210424)]
    public void Yarn_AttentionFactor(double? given, double magnitude, double magnitudeAllDims, double expected)
    {
        var scaling = new YarnScaling(40, 4096) { AttentionFactor = given, Magnitude = magnitude, MagnitudeAllDims = magnitudeAllDims };
        AssertClose(expected, RopeFrequencies.Yarn(64, 10000, scaling).AttentionScale, F32Rounding);
    }

    [Fact]
    public void Yarn_WithoutStretchIsTheDefaultAndUnscaled()
    {
        var table = RopeFrequencies.Yarn(64, 10000, new(1, 4096));
        Assert.Equal(1f, table.AttentionScale);
        var plain = RopeFrequencies.Default(64, 10000).InverseFrequencies;
        for (var i = 0; i < plain.Length; i++) AssertClose(plain[i], table.InverseFrequencies[i], F32Rounding);
    }

    [Fact]
    public void Yarn_TruncateMovesTheRamp()
    {
        var whole = RopeFrequencies.Yarn(64, 150000, new(32, 4096)).InverseFrequencies;
        var exact = RopeFrequencies.Yarn(64, 150000, new(32, 4096) { Truncate = false }).InverseFrequencies;
        Assert.NotEqual(whole, exact);
        Assert.Equal((whole[0], whole[^1]), (exact[0], exact[^1]));
    }

    private static void AssertClose(double expected, double actual, double relative) =>
        Assert.True(Math.Abs(actual - expected) <= relative * Math.Abs(expected), $"expected {expected:R}, got {actual:R}");
}

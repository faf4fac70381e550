using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Rotary;

namespace KvPareto.Engine.Tests.Checkpoints.Config;

public class Llama3FitTests
{
    [Theory]
    [InlineData(128, 500000, 8, 1, 4, 8192)] // Llama 3.1 8B
    [InlineData(64, 500000, 32, 1, 4, 8192)] // Llama 3.2 1B
    [InlineData(64, 10000, 8, 1, 4, 128)]
    [InlineData(128, 500000, 16, 1, 2.5, 131072)]
    [InlineData(32, 500000, 8, 1, 4, 8192)]
    public void Find_GivesThePublishedWords(int headDim, double theta, double factor, double low, double high, int original)
    {
        var scaling = new Llama3Scaling(factor, low, high, original);
        Assert.Equal(scaling, Llama3Fit.Find(theta, Divisors(headDim, theta, scaling)));
    }

    /// <summary>Only ratios count: a low factor other than 1 comes back as one of 1, or near it where the length must be whole.</summary>
    [Theory]
    [InlineData(128, 500000, 12, 1.7, 6.1, 5000)]
    [InlineData(128, 10000, 3, 0.5, 1.25, 100)]
    [InlineData(64, 10000, 4, 2.5, 7, 37)]
    [InlineData(8, 10000, 4, 1, 4, 1000)] // one pair in the blend
    public void Find_GivesTheFrequencies(int headDim, double theta, double factor, double low, double high, int original)
    {
        var expected = new Llama3Scaling(factor, low, high, original);
        var found = Llama3Fit.Find(theta, Divisors(headDim, theta, expected));
        Assert.NotNull(found);
        var frequencies = RopeFrequencies.Llama3(headDim, theta, found).InverseFrequencies;
        foreach (var (actual, exact) in frequencies.Zip(RopeFrequencies.Llama3(headDim, theta, expected).InverseFrequencies))
            Assert.InRange(actual / exact, 1 - 2e-6, 1 + 2e-6);
    }

    [Theory]
    [InlineData(1f, 2f, 3f, 4f)]
    [InlineData(8f, 4f, 2f, 1f)]
    [InlineData(0.5f, 0.5f, 0.5f, 0.5f)]
    [InlineData(1f, 1f, 3e38f, 1e-38f)]
    public void Find_GivesNothingWhereNothingFits(params float[] divisors) =>
        Assert.Null(Llama3Fit.Find(10000, [.. divisors, .. divisors]));

    [Fact]
    public void Find_GivesNothingForOneFrequencyThatIsOff()
    {
        var divisors = Divisors(64, 500000, new(8, 1, 4, 8192));
        divisors[20] *= 1.00001f;
        Assert.Null(Llama3Fit.Find(500000, divisors));
    }

    private static float[] Divisors(int headDim, double theta, Llama3Scaling scaling) =>
    [
        .. RopeFrequencies.Default(headDim, theta).InverseFrequencies
            .Zip(RopeFrequencies.Llama3(headDim, theta, scaling).InverseFrequencies, (plain, scaled) => (float)((double)plain / scaled)),
    ];
}

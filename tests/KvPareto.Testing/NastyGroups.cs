using FsCheck;
using FsCheck.Fluent;

namespace KvPareto.Testing;

/// <summary>Groups of the kinds that codes, scales and zero points trip over.</summary>
public static class NastyGroups
{
    private static readonly Dictionary<string, Func<Random, float>> Elements = new()
    {
        ["ordinary"] = random => random.NextSingle() * 2 - 1,
        ["one side"] = random => -3 - random.NextSingle() * 2,
        ["two values"] = random => random.Next(2) == 0 ? -0.25f : 1.5f,
        ["sparse"] = random => random.Next(6) == 0 ? random.NextSingle() : 0,
        ["far and narrow"] = random => 100 + random.NextSingle() * 0.01f,
        ["far below zero and narrow"] = random => -7 - random.NextSingle() * 1e-4f,
        ["neighbours"] = random => random.Next(2) == 0 ? 1 : MathF.BitIncrement(1),
        ["subnormal scale"] = random => random.NextSingle() * 2e-5f - 1e-5f,
        ["subnormal scale and far"] = random => 0.00285f + random.NextSingle() * 2.3e-5f,
        ["subnormal scale and far at few bits"] = random => -0.00285f - random.NextSingle() * 2.7e-7f,
        ["subnormal"] = random => random.Next(-900, 900) * float.Epsilon,
        ["one outlier"] = random => random.Next(20) == 0 ? -1e4f : random.NextSingle() * 0.1f,
        ["multiples of 65504"] = random => random.Next(-4, 5) * 65504f,
        ["zeros of both signs"] = random => random.Next(2) == 0 ? 0f : -0f,
    };

    private static readonly float[] Constants = [0, -0f, 1, -1, 0.1f, -3.14159f, float.Epsilon, -1e-40f, 6e-8f, 65504, -65536, 3e38f];

    /// <summary>Values that are not finite.</summary>
    public static float[] NotFinite => [float.NaN, float.PositiveInfinity, float.NegativeInfinity];

    /// <summary>Random groups of up to 130 finite elements, their size below 10^6 and now and then all equal.</summary>
    public static Arbitrary<float[]> Arbitrary { get; } = Gen.Choose(0, int.MaxValue).SelectMany(
        static seed =>
            Gen.OneOf(Gen.Choose(1, 130), Gen.Choose(1, 4)).Select(count => Finite(count, seed).ElementAt(seed % Elements.Count)))
                .ToArbitrary();

    /// <summary>One group of each kind whose codes can hold it.</summary>
    public static IEnumerable<float[]> Finite(int count, int seed)
    {
        var random = new Random(seed);
        foreach (var element in Elements.Values) yield return [.. Enumerable.Range(0, count).Select(_ => element(random))];
    }

    /// <summary>One group for each of some constants.</summary>
    public static IEnumerable<float[]> Constant(int count) => Constants.Select(value => Enumerable.Repeat(value, count).ToArray());

    /// <summary>Those, constants, groups with an element that is not finite, and elements that no f16 scale reaches.</summary>
    public static IEnumerable<float[]> All(int count, int seed)
    {
        foreach (var group in Finite(count, seed).Concat(Constant(count))) yield return group;
        var random = new Random(seed);
        foreach (var value in NotFinite)
        {
            var group = Enumerable.Range(0, count).Select(_ => random.NextSingle()).ToArray();
            group[random.Next(count)] = value;
            yield return group;
        }
        yield return [.. Enumerable.Range(0, count).Select(i => (random.NextSingle() - 0.5f) * float.MaxValue)];
    }
}

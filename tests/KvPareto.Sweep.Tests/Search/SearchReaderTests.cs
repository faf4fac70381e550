using KvPareto.Sweep.Search;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Search;

public class SearchReaderTests
{
    [Fact]
    public void Read_TakesAWordOrAMapping()
    {
        Assert.Equal(new ExhaustiveOptions { Seed = 7 }, FakeSweep.Config().Search);
        Assert.Equal(new HalvingOptions { Seed = 7 }, FakeSweep.Config(search: "halving").Search);
        Assert.Equal(
            new HalvingOptions { Seed = 3, Margin = -2.5, Confidence = 0.9, Levels = 2 },
            FakeSweep.Config(search: "{kind: halving, margin: -2.5, confidence: 0.9, levels: 2, seed: 3}").Search);
        Assert.Equal(
            new PredictOptions { Seed = 7, Prompts = 3, Margin = 0, Confidence = 0.5, Gain = 0.2, Batch = 8 },
            FakeSweep.Config(search: "{kind: predict, probes: 3, margin: 0, confidence: 0.5, gain: 0.2, batch: 8}").Search);
        Assert.Equal(
            new Nsga2Options { Seed = 7, Population = 5, Generations = 2 },
            FakeSweep.Config(search: "{kind: nsga2, population: 5, generations: 2}").Search);
        Assert.Equal(2, FakeSweep.Config(search: "{kind: exhaustive, probes: 2}").Search.Probes);
    }

    [Theory]
    [InlineData("greedy", "key 'search' has the unknown value 'greedy'; allowed: exhaustive, halving, predict, nsga2")]
    [InlineData("{margin: 1}", "key 'search.kind' is missing; allowed: exhaustive, halving, predict, nsga2")]
    [InlineData("{kind: halving, probes: 1}", "key 'search.probes' is unknown; allowed: kind, seed, margin, confidence, levels")]
    [InlineData("{kind: halving, confidence: 0.2}", "key 'search.confidence' is 0.2, out of range; allowed: a number from 0.5 to 1")]
    [InlineData("{kind: halving, levels: 0}", "key 'search.levels' is 0, out of range; allowed: a whole number from 1 to 20")]
    [InlineData("{kind: predict, probes: 0}", "key 'search.probes' is 0, out of range; allowed: a whole number from 1 to 1000")]
    [InlineData("{kind: predict, gain: -1}", "key 'search.gain' is -1, out of range; allowed: a number from 0 to 100")]
    [InlineData("{kind: nsga2, population: 1}", "key 'search.population' is 1, out of range; allowed: a whole number from 2 to 10000")]
    [InlineData("[halving]", "key 'search' is a list; allowed: exhaustive, halving, predict, nsga2")]
    public void Read_RefusesMistakes(string search, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Config(search: search));
        Assert.StartsWith("fake.yaml:", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}

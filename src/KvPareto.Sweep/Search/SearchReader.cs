using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Search;

/// <summary>Reads the key <c>search</c>: a kind, or a mapping of a kind and its options.</summary>
internal static class SearchReader
{
    private const int MostLevels = 20;
    private const int MostProbes = 1000;
    private const int MostBatch = 1000;
    private const int MostPopulation = 10_000;
    private const double MostMargin = 100;

    private static readonly (string Word, string[] Keys, Func<ConfigMap?, int, SearchOptions> Read)[] Kinds =
    [
        (ExhaustiveOptions.Word, ["probes"], ReadExhaustive),
        (HalvingOptions.Word, ["margin", "confidence", "levels"], ReadHalving),
        (PredictOptions.Word, ["probes", "margin", "confidence", "gain", "levels", "batch"], ReadPredict),
        (Nsga2Options.Word, ["population", "generations"], ReadNsga2),
    ];

    private static readonly string[] Words = [.. Kinds.Select(kind => kind.Word)];

    /// <summary>The search of a config.</summary>
    /// <param name="value">The key's value; null where it is absent.</param>
    /// <param name="seed">The sweep's seed.</param>
    public static SearchOptions Read(ConfigValue? value, int seed)
    {
        if (value is not { } found) return new ExhaustiveOptions { Seed = seed };
        if (found.Node is not YamlMapping map) return KindOf(found.Word(Words)).Read(null, seed);
        var known = found.Map(["kind", "seed", .. Kinds.SelectMany(kind => kind.Keys).Distinct()]);
        var word = known.Require("kind", string.Join(", ", Words)).Word(Words);
        // What another kind knows is refused with the keys of this one.
        var (_, keys, read) = KindOf(word);
        var own = found.Map(["kind", "seed", .. keys]);
        return read(own, own.Find("seed")?.Integer(0, int.MaxValue) ?? seed);
    }

    /// <summary>The same of a text on a command line.</summary>
    /// <exception cref="ConfigException">It says no search.</exception>
    public static SearchOptions Parse(string text, int seed) =>
        Read(new ConfigValue("--search", "", YamlTree.Parse("--search", text)), seed);

    private static (string Word, string[] Keys, Func<ConfigMap?, int, SearchOptions> Read) KindOf(string word) =>
        Kinds.First(kind => kind.Word == word);

    private static ExhaustiveOptions ReadExhaustive(ConfigMap? map, int seed) => new()
    {
        Seed = seed,
        ProbesBesides = map?.Find("probes")?.Integer(0, MostProbes) ?? 0,
    };

    private static HalvingOptions ReadHalving(ConfigMap? map, int seed)
    {
        var options = new HalvingOptions { Seed = seed };
        return options with
        {
            Margin = map?.Find("margin")?.Number(-MostMargin, MostMargin) ?? options.Margin,
            Confidence = map?.Find("confidence")?.Number(0.5, 1) ?? options.Confidence,
            Levels = map?.Find("levels")?.Integer(1, MostLevels) ?? options.Levels,
        };
    }

    private static PredictOptions ReadPredict(ConfigMap? map, int seed)
    {
        var options = new PredictOptions { Seed = seed };
        return options with
        {
            Prompts = map?.Find("probes")?.Integer(1, MostProbes) ?? options.Prompts,
            Margin = map?.Find("margin")?.Number(-MostMargin, MostMargin) ?? options.Margin,
            Confidence = map?.Find("confidence")?.Number(0, 1) ?? options.Confidence,
            Gain = map?.Find("gain")?.Number(0, 100) ?? options.Gain,
            Levels = map?.Find("levels")?.Integer(0, MostLevels) ?? options.Levels,
            Batch = map?.Find("batch")?.Integer(1, MostBatch) ?? options.Batch,
        };
    }

    private static Nsga2Options ReadNsga2(ConfigMap? map, int seed)
    {
        var options = new Nsga2Options { Seed = seed };
        return options with
        {
            Population = map?.Find("population")?.Integer(2, MostPopulation) ?? options.Population,
            Generations = map?.Find("generations")?.Integer(1, MostPopulation) ?? options.Generations,
        };
    }
}

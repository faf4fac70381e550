using System.Text.Json;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Frontier;

/// <summary>Point sets on which moocore, pymoo and a plain comparison of all pairs agree.</summary>
public static class GoldenSets
{
    public sealed record Set(string Name, bool[] Maximise, double[][] Points, double[] Reference, bool[] Nondominated, double Hypervolume);

    private static readonly Dictionary<string, Set> Sets = JsonSerializer.Deserialize<Set[]>(
        File.ReadAllText(TestData.Golden("pareto.json")), JsonSerializerOptions.Web)!.ToDictionary(set => set.Name);

    public static TheoryData<string> Names() => [.. Sets.Keys];

    public static Set Get(string name) => Sets[name];
}

using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Config;

public class SearchSpaceTests
{
    private static string[] Expand(string rest) => [.. SearchSpace.Expand(SweepConfigReader.Read("my.yaml", $$"""
        models: [{name: here, path: .}]
        tasks: [{task: embedded, kind: fact, samples: 3, length: 100}]
        {{rest}}
        """, AppContext.BaseDirectory, [])).Select(setting => setting.Name)];

    [Fact]
    public void Expand_BoundsPatternsTimesSettings()
    {
        const string axes =
            "axes: {cache: [k8v8, k8v4, k8v2, k4v4, k4v2, k2v2], granularity: [t32, t64, t128, tensor, b32], smooth: [false, true], "
            + "chunk: [none, 64, 128, 256, 512, 1024], attention: [flash, math], weights: [w16, w8, w4, w4g32, w4g64], embedding: [16, "
            + "8, 4]}";
        var patterns = string.Join(", ", Enumerable.Range(0, 2000).Select(_ => "w*"));
        var error = Assert.Throws<ConfigException>(() => Expand($"{axes}\nexclude: [{patterns}]"));
        Assert.StartsWith(
            "my.yaml:4: key 'exclude[0]' is one of 2,000 patterns over 10,800 settings, 21600000 comparisons; allowed: at most 20000000",
                error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("w4*-k?v?-t64", 1)]
    [InlineData("*", 2)]
    [InlineData("w4a16-k4v4-t64", 1)]
    public void Expand_PatternsAreShortNamesWithWildcards(string pattern, int excluded) =>
        Assert.Equal(3 - excluded, Expand($"axes: {{cache: [k4v4], weights: [w4, w8]}}\nexclude: ['{pattern}']").Length);

    [Fact]
    public void Expand_RefusesAPatternThatIsTooLong()
    {
        var error = Assert.Throws<ConfigException>(() => Expand($"axes: {{cache: [k4v4]}}\nexclude: ['{new string('?', 20_000)}']"));
        Assert.Equal("my.yaml:4: key 'exclude[0]' has 20000 characters; allowed: a pattern of at most 200", error.Message);
    }

    [Fact]
    public void Expand_WeightsOutermost_AttentionInnermost_BaselineFirst() => Assert.Equal(
        [
            "w16a16-k16v16",
            "w16a16-k8v4-t64", "w16a16-k8v4-t64-math", "w16a16-k8v4-t64-c64", "w16a16-k8v4-t64-c64-math",
            "w4a16-k8v4-t64", "w4a16-k8v4-t64-math", "w4a16-k8v4-t64-c64", "w4a16-k8v4-t64-c64-math",
        ],
        Expand("axes: {attention: [flash, math], chunk: [none, 64], cache: [k8v4], weights: [w16, w4]}"));

    [Fact]
    public void Expand_KeysAndValuesApart() => Assert.Equal(
        [
            "w16a16-k16v16",
            "w16a16-k8v4-kch32-vt64", "w16a16-k8v2-kch32-vt64", "w16a16-k4v4-kch32-vt64", "w16a16-k4v2-kch32-vt64",
        ],
        Expand("axes: {keys: [8, 4], values: [4, 2], key_granularity: [ch32], value_granularity: [t64]}"));

    [Fact]
    public void Expand_PatternsOfOneSide() => Assert.Equal(
        ["w16a16-k16v16", "w16a16-k16v4-t64", "w16a16-k8v4-t64"],
        Expand("axes: {keys: [16, 8, 4], values: [4], granularity: [t64]}\nexclude: [{keys: 4}]\ninclude: [{key_granularity: t64}, "
            + "{values: 4}]"));

    [Fact]
    public void Expand_CollapsesWhatMakesNoDifference() => Assert.Equal(
        [
            "w16a16-k16v16",
            "w16a16-k16v2-t32", "w16a16-k16v2-t64",
            "w16a16-k2v16-t32", "w16a16-k2v16-t32-smooth", "w16a16-k2v16-t64", "w16a16-k2v16-t64-smooth",
        ],
        Expand("axes: {cache: [k16v16, k16v2, k2v16], granularity: [t32, t64, kt64-vt32], smooth: [false, true]}"));

    [Fact]
    public void Expand_CollapsesNamedSettingsToo() =>
        Assert.Equal(["w16a16-k16v16", "w4a16-k16v8-t32"],
            Expand("settings: [w16a16-k16v16-t64-smooth, w4a16-k16v8-kt64-vt32-smooth, w4a16-k16v8-t32]"));

    [Fact]
    public void Expand_RepeatedValuesRunOnce() =>
        Assert.Equal(["w16a16-k16v16", "w4a16-k16v16"], Expand("axes: {weights: [w4, w16, w4g128, w4]}"));

    [Theory]
    [InlineData("exclude: [{cache: k2v2, smooth: false}]", "k8v8-t64 k8v8-t64-smooth k2v2-t64-smooth")]
    [InlineData("exclude: [{cache: [k2v2, k16v16], smooth: [false, true]}]", "k8v8-t64 k8v8-t64-smooth")]
    [InlineData("exclude: [\"*-smooth\"]", "k8v8-t64 k2v2-t64")]
    [InlineData("include: [\"*k?v?-t64\"]", "k8v8-t64 k2v2-t64")]
    [InlineData("include: [{granularity: t64}]\nexclude: [{cache: k8v8}]", "k2v2-t64 k2v2-t64-smooth")]
    [InlineData("include: [{smooth: true}, \"*k8v8-t64\"]", "k8v8-t64 k8v8-t64-smooth k2v2-t64-smooth")]
    [InlineData("exclude: [\"*\"]\nsettings: [w16a16-k4v4-t64]", "k4v4-t64")]
    public void Expand_IncludesAndExcludes(string patterns, string expected) => Assert.Equal(
        ["w16a16-k16v16", .. expected.Split(' ').Select(name => "w16a16-" + name)],
        Expand("axes: {cache: [k16v16, k8v8, k2v2], granularity: [t64], smooth: [false, true]}\n" + patterns));

    [Fact]
    public void Expand_RefusesTooMany()
    {
        var chunks = string.Join(", ", Enumerable.Range(1, 60_000));
        var error = Assert.Throws<ConfigException>(() => Expand($"axes: {{chunk: [{chunks}], smooth: [true, false]}}"));
        Assert.Contains("120000 settings", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Collapse_KeepsTheNameReadable()
    {
        var names = Expand("""
            axes:
              weights: [w16, w4g32]
              embedding: [16, 8]
              cache: [k16v8, k4v16, k2v8, k16v16]
              granularity: [t32, kt64-vt128]
              smooth: [true, false]
              chunk: [none, 7]
            """);
        Assert.Equal(2 * 2 * 2 * (2 + 4 + 4 + 1), names.Length);
        foreach (var name in names)
            Assert.Equal(name, SettingAxes.Collapse(InferenceSetting.Parse(name)).Name);
    }
}

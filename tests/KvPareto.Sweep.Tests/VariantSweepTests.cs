using System.Globalization;
using CsvHelper;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

/// <summary>Weights by AWQ and GGUF as variants of a model: one frontier, one baseline.</summary>
public class VariantSweepTests
{
    private const string Listed = "[{name: tiny, path: model, weights: [w16, w4g32, awq: awq]}]";

    [Fact]
    public void Run_PutsAllWeightsOfAModelOnOneFrontierWithOneBaseline()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        var history = Variants.Run(Variants.Config(temp, Listed), temp["run"]);
        Assert.Equal(
            ["w16a16-k16v16", "w16a16-k8v8-t32", "w4g32a16-k16v16", "w4g32a16-k8v8-t32", "awq4g32a16-k16v16", "awq4g32a16-k8v8-t32"],
            history.Results.Select(result => result.Setting));
        Assert.All(history.Results, result => Assert.Equal((TrialStatus.Ok, "tiny"), (result.Status, result.Model)));

        var model = Assert.Single(FrontierAnalysis.Of(history.Results, history.Baseline, 1).Models);
        Assert.Equal(6, model.Points.Count);
        Assert.Equal("w16a16-k16v16", Assert.Single(model.Points, point => point.IsBaseline).Trial.Setting);
        Assert.All(model.Points, point => Assert.NotNull(point.ScoreLossInterval));

        using var text = new StreamReader(new MemoryStream(ResultsCsv.Write(FrontierAnalysis.Of(history.Results, history.Baseline, 1))));
        using var csv = new CsvReader(text, CultureInfo.InvariantCulture);
        Assert.Equal(
            ["awq from awq, 2", "none from , 2", "rtn from , 2"],
            csv.GetRecords<dynamic>().Select(row => (IDictionary<string, object>)row)
                .GroupBy(cells => $"{cells["weight_method"]} from {cells["weight_source"]}", (key, all) => $"{key}, {all.Count()}"));
        Assert.Equal(FakeSweep.WithoutTimes(history), FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
    }

    [Fact]
    public void Run_MeasuresAVariantAsTheFolderThatItIs()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        const string Facts = "{task: embedded, kind: fact, samples: 2, length: 96}";
        var variant = Variants.Run(Variants.Config(temp, Listed, tasks: Facts), temp["run"])
            .Results.Single(result => result.Setting == "awq4g32a16-k8v8-t32");
        var alone = Variants.Run(Variants.Config(temp, "[awq]", tasks: Facts), temp["alone"])
            .Results.Single(result => result.Setting == "w16a16-k8v8-t32");
        Assert.Equal((alone.ModelDigest, alone.Peaks, alone.Score), (variant.ModelDigest, variant.Peaks, variant.Score));
        Assert.Equal(alone.Scores.Single().PerSample, variant.Scores.Single().PerSample);
        Assert.Null(alone.OriginalDigest);
        Assert.NotEqual(variant.ModelDigest, variant.OriginalDigest);
    }

    [Fact]
    public void Run_ComparesFidelityWithTheModelItself()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        var results = Variants.Run(Variants.Config(temp, Listed), temp["run"]).Results;
        Assert.Single(results.Select(result => result.Scores[1].Digest).Distinct());
        Assert.True(results.Single(result => result.Setting == "awq4g32a16-k16v16").Scores[1].Mean < 100);
        Assert.True(results.Single(result => result.Setting == "w16a16-k16v16").Scores[1].Mean > 99);
    }

    [Fact]
    public void Run_GoesOnWhereVariantsAreAdded()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        Variants.Run(Variants.Config(temp, "[{name: tiny, path: model, weights: [w16]}]"), temp["run"]);
        var more = Variants.Run(Variants.Config(temp, Listed), temp["run"], resume: true);
        Assert.Equal((6, 0), (more.Results.Count, more.Missing.Count));
    }

    [Fact]
    public void Config_TakesVariantsFromAxesSettingsAndPatterns()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        var fromAxes =
            Variants.Config(
            temp, "[model]", "{weights: [w16, awq: awq], cache: [k16v16, k8v8, k2v2], granularity: [t32]}",
                more: "exclude: [awq*-k2v2-*, {weights: awq4g32, cache: k16v16}]");
        Assert.Equal(
            ["w16a16-k16v16", "w16a16-k8v8-t32", "w16a16-k2v2-t32", "awq4g32a16-k8v8-t32"],
            SearchSpace.Expand(fromAxes, fromAxes.Models[0]).Select(setting => setting.Name));
        var named = Variants.Config(temp, Listed, "{weights: [w8], chunk: [64]}", more: "settings: [awq4g32a16-e8-k8v4-t32]");
        Assert.Equal(
            ["w16a16-k16v16", "w16a16-k16v16-c64", "w4a16-k16v16-c64", "awq4g32a16-k16v16-c64", "awq4g32a16-e8-k8v4-t32"],
            SearchSpace.Expand(named, named.Models[0]).Select(setting => setting.Name.Replace("w4g32", "w4", StringComparison.Ordinal)));
    }

    [Fact]
    public void ShippedConfig_HasAwqBesideRoundToNearest()
    {
        var config = SweepConfig.Load(Path.Combine(TestData.RepositoryRoot, "configs", "awq-frontier.yaml"));
        Assert.Equal("awq4g64", Assert.Single(config.Models[0].Variants).Form.Word);
        var settings = SearchSpace.Expand(config, config.Models[0]);
        Assert.Equal(
            [("none", 5), ("rtn", 4), ("awq", 4)], settings.CountBy(setting => setting.Weights.Method)
                .Select(pair => (pair.Key, pair.Value)));
    }

    [Theory]
    [InlineData("[{path: model, weights: [w16, awq: none]}]", "key 'models[0].weights[1].awq' names")]
    [InlineData("[{path: model, weights: [w16, awq: model]}]",
        "which is no such checkpoint; allowed: a folder whose config.json says quant_method awq")]
    [InlineData("[{path: model, weights: [w16, gguf: awq]}]", "which is no such checkpoint; allowed: a .gguf file")]
    [InlineData("[{path: model, weights: [awq: awq, awq: {group: 32, calibration: text.txt}]}]",
        "key 'models[0].weights[1]' is a second variant 'awq4g32' beside awq")]
    [InlineData("[{path: model, weights: [awq: {group: 48, calibration: text.txt}]}]",
        "key 'models[0].weights[0].awq.group' is 48; allowed: 32, 64, 128")]
    [InlineData("[{path: model, weights: [awq: {group: 32}]}]", "key 'models[0].weights[0].awq.calibration' is missing")]
    [InlineData("[{path: model, weights: [awq: {calibration: none.txt}]}]", "key 'models[0].weights[0].awq.calibration' names")]
    [InlineData("[{path: model, weights: [gptq: awq]}]", "key 'models[0].weights[0].gptq' is unknown; allowed: awq, gguf")]
    [InlineData("[{path: model, weights: [awq4g64]}]",
        "model 'model' has no weights awq4g64; allowed: w16, w8, w4, and what 'weights' of the model names")]
    [InlineData("[{path: other, weights: [awq: awq]}]",
        "has num_hidden_layers 2, and the model 1 ('other'); allowed: weights of the same model")]
    [InlineData("[{path: twisted, weights: [awq: awq]}]",
        "has another tokenizer: token 98 differs ('twisted'); allowed: weights of the same model")]
    [InlineData("[{path: model, weights: [awq: {group: 128, calibration: text.txt}]}]", "key 'models[0].weights[0].awq': ")]
    public void Run_RefusesWhatIsNoVariant(string models, string expected)
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        Variants.WriteModel(temp, "other", new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, Layers = 1 });
        Variants.WriteModel(temp, "twisted", new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, Seed = 2 });
        temp.Write("twisted/tokenizer.json", ByteTokenizerFile.Json().Replace("\"b\":98", "\"b\":99", StringComparison.Ordinal)
            .Replace("\"c\":99", "\"c\":98", StringComparison.Ordinal));
        var error = Assert.Throws<ConfigException>(() => Variants.Run(Variants.Config(temp, models), temp["run"]));
        Assert.StartsWith(temp["sweep.yaml"] + ":1", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(Directory.Exists(temp["run"]));
    }

    [Fact]
    public void Run_TakesGgufFilesOfOneModel()
    {
        using var temp = new ScratchFolder();
        foreach (var type in new[] { "F16", "Q4_1", "Q8_0" })
            File.Copy(TestData.Golden("gguf", $"llama128-{type}.gguf"), temp[$"{type}.gguf"]);
        temp.Write("text.txt", string.Concat(Enumerable.Range(0, 200).Select(i => $"{i} sheep and {i * i} goats. ")));
        var config = Variants.Config(
            temp, "[{name: tiny, path: F16.gguf, weights: [w16, gguf: Q8_0.gguf, gguf: Q4_1.gguf]}]", "{cache: [k16v16]}",
                "{task: fidelity, text: text.txt, tokens: 64, window: 32}");
        var results = Variants.Run(config, temp["run"]).Results;
        Assert.Equal(["w16a16-k16v16", "q8_0a16-k16v16", "q4_1a16-k16v16"], results.Select(result => result.Setting));
        Assert.True(results[1].WeightBytes < results[0].WeightBytes && results[2].WeightBytes < results[1].WeightBytes);
        Assert.Single(FrontierAnalysis.Of(results, "w16a16-k16v16", 1).Models);
    }
}

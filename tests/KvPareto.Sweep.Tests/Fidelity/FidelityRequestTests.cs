using KvPareto.Cpu;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Running;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Fidelity;

public class FidelityRequestTests
{
    private static readonly string Text = string.Concat(Enumerable.Range(0, 200).Select(i => $"{i * 7919 % 1000} apples. "));

    [Fact]
    public void Sweep_GivesARowASetting_EachModelLoadedOnce()
    {
        using var temp = new ScratchFolder();
        var done = new List<string>();
        var rows = Run(temp, Request(temp) with
        {
            Settings =
            [
                .. Parse(
                    "w4g32a16-k16v16", "w16a16-k16v16", "w4g32a16-k8v8-t32", "w16a16-k2v2-t32-c64", "w16g32a16-e4-k16v16", "w16a16-k16v16"),
            ],
            Tokens = 512,
            Window = 256,
        }, done.Add);

        Assert.Equal(
            ["w4g32a16-k16v16", "w16a16-k16v16", "w4g32a16-k8v8-t32", "w16a16-k2v2-t32-c64", "w16g32a16-e4-k16v16"],
            rows.Select(row => row.Setting));
        Assert.Equal(
            ["w4g32a16-k16v16", "w4g32a16-k8v8-t32", "w16a16-k16v16", "w16a16-k2v2-t32-c64", "w16g32a16-e4-k16v16"],
            done);
        Assert.All(rows, row => Assert.Equal(("model", "text.txt", 512, 256), (row.Model, row.Text, row.Tokens, row.Window)));
        // The reference has the checkpoint's own head, also where the setting's is coded.
        Assert.Single(rows.Select(row => row.ReferencePpl).Distinct());

        var byName = rows.ToDictionary(row => row.Setting);
        Assert.InRange(byName["w16a16-k16v16"].KlMean, 1e-14, 1e-5);
        Assert.True(byName["w16a16-k16v16"].KlMean < byName["w16a16-k2v2-t32-c64"].KlMean);
        Assert.True(byName["w16a16-k16v16"].KlMean < byName["w4g32a16-k16v16"].KlMean);
        Assert.InRange(byName["w16g32a16-e4-k16v16"].KlMean, 1e-4, 10);
        Assert.Equal(16, byName["w16a16-k16v16"].BitsPerElement);
        Assert.Equal(2 + 32.0 / 32, byName["w16a16-k2v2-t32-c64"].BitsPerElement);
        // 2 layers × (keys and values) × 2 heads × 32 channels × 2 bytes
        Assert.Equal(512, byName["w16a16-k16v16"].BytesPerToken);
        Assert.True(byName["w4g32a16-k16v16"].WeightBytes < byName["w16a16-k16v16"].WeightBytes);
    }

    [Fact]
    public void Sweep_WithoutSettings_TakesALadderThatFitsTheModel()
    {
        using var temp = new ScratchFolder();
        var rows = Run(temp, Request(temp, positions: 128));
        Assert.Equal("w16a16-k16v16-c256", rows[0].Setting);
        Assert.Contains(rows, row => row.Setting == "w16a16-k4v4-t32-smooth-c256");
        var length = Text.Length / 128 * 128;
        Assert.All(rows, row => Assert.Equal((length, 128), (row.Tokens, row.Window)));
    }

    [Fact]
    public void Sweep_WithAChunk_TakesItForEverySetting()
    {
        using var temp = new ScratchFolder();
        var request = Request(temp) with
        {
            Tokens = 128,
            Window = 128,
            Settings = [.. Parse("w16a16-k8v8-t32-c64", "w16a16-k8v8-t32", "w16a16-k4v4-t32")],
        };
        Assert.Equal(
            ["w16a16-k8v8-t32-c32", "w16a16-k4v4-t32-c32"], Run(temp, request with { Chunk = 32 }, folder: "a").Select(row => row.Setting));
        Assert.Equal(["w16a16-k8v8-t32", "w16a16-k4v4-t32"], Run(temp, request with { Chunk = 0 }, folder: "b").Select(row => row.Setting));
    }

    /// <summary>A model and its quantized twin are compared with the same unquantized run, and stand in one report.</summary>
    [Fact]
    public void Reference_IsWhatItsPackedWeightsAreComparedWith()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        var request = new FidelityRequest
        {
            Models = [temp["model"], temp["awq"]],
            Reference = temp["model"],
            Text = temp["text.txt"],
            Tokens = 256,
            Window = 128,
            Settings = [.. Parse("w16a16-k16v16", "w4g32a16-k16v16", "w16a16-k8v8-t32")],
        };
        var rows = Run(temp, request);
        Assert.Equal(
            ["w16a16-k16v16", "w4g32a16-k16v16", "w16a16-k8v8-t32", "awq4g32a16-k16v16", "awq4g32a16-k8v8-t32"],
            rows.Select(row => row.Setting));
        Assert.All(rows, row => Assert.Equal("model", row.Model));
        Assert.Single(rows.Select(row => row.ReferencePpl).Distinct());
        Assert.Equal(rows[2].BitsPerElement, rows[4].BitsPerElement);
        Assert.True(rows[4].WeightBytes < rows[2].WeightBytes && rows[4].KlMean > rows[2].KlMean, $"{rows[2]} {rows[4]}");

        var alone = Run(temp, request with { Models = [temp["awq"]], Settings = [.. Parse("w16a16-k8v8-t32")] }, folder: "alone");
        Assert.Equal(rows[4] with { Seconds = 0 }, Assert.Single(alone) with { Seconds = 0 });
        var error = Assert.Throws<ConfigException>(() => (request with { Models = [temp["awq"]] }).ToConfig());
        Assert.Contains("w4g32a16-k16v16 codes weights that are awq4g32 already", error.Message, StringComparison.Ordinal);
        Variants.WriteModel(temp, "other", new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize });
        error = Assert.Throws<ConfigException>(() => (request with { Models = [temp["other"]] }).ToConfig());
        Assert.Contains("other' has weights of its own; allowed: with --reference an AWQ folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_ThatShareAName_AreToldApart()
    {
        using var temp = new ScratchFolder();
        Request(temp);
        foreach (var place in new[] { "a/model", "b/model" })
        {
            Directory.CreateDirectory(temp[place]);
            foreach (var file in Directory.GetFiles(temp["model"])) File.Copy(file, Path.Combine(temp[place], Path.GetFileName(file)));
        }
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, Layers = 3 }.Write(temp["b/model"]);
        var request = Request(temp) with
        {
            Models = [temp["a/model"], temp["b/model"]],
            Tokens = 128,
            Window = 128,
            Settings = [.. Parse("w16a16-k8v8-t32")],
        };
        Assert.Equal([temp["a/model"], temp["b/model"]], Run(temp, request).Select(row => row.Model));
    }

    [Theory]
    [InlineData(null, 2048, null, null, "allowed: up to its 1024 positions")]
    [InlineData(1000, 64, null, null, "a multiple of the window of 64")]
    [InlineData(1 << 20, 1024, null, null, "has ")]
    [InlineData(null, null, null, "w16a16-k8v8-t128", "divides the model's head_dim of 32")]
    [InlineData(null, null, null, "w4g96a16-k8v8-t32", "weight group 96")]
    [InlineData(null, null, -1, null, "chunk -1")]
    [InlineData(null, null, 1_000_001, null, "chunk 1000001; allowed: 0 for the whole prompt, or 1 to 1000000 tokens")]
    public void Sweep_RefusesWhatDoesNotFit_BeforeItMeasures(int? tokens, int? window, int? chunk, string? setting, string expected)
    {
        using var temp = new ScratchFolder();
        var request = Request(temp) with
        {
            Tokens = tokens,
            Window = window,
            Chunk = chunk,
            Settings = setting is null ? null : [.. Parse("w16a16-k16v16", setting)],
        };
        var error = Assert.Throws<ConfigException>(() => Run(temp, request, setting => Assert.Fail($"measured {setting}")));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    internal static FidelityRequest Request(ScratchFolder temp, int positions = 1024)
    {
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, MaxPositions = positions }.Write(temp["model"]);
        temp.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        return new() { Models = [temp["model"]], Text = temp.Write("text.txt", Text) };
    }

    internal static IReadOnlyList<FidelityRow> Run(
        ScratchFolder temp, FidelityRequest request, Action<string>? onTrial = null, string folder = "run")
    {
        using var backend = new CpuBackend(2);
        var options = new SweepOptions { Backend = backend, Folder = temp[folder] };
        var history = SweepRunner.Run(request.ToConfig(), options, new Ended(onTrial), TestContext.Current.CancellationToken);
        Assert.Equal(0, backend.Memory.Live.Weights + backend.Memory.Live.KvCache + backend.Memory.Live.Activations);
        return FidelityRows.OfRun(history);
    }

    private sealed class Ended(Action<string>? onTrial) : IProgress<SweepEvent>
    {
        public void Report(SweepEvent value)
        {
            if (value is TrialEnded ended) onTrial?.Invoke(ended.Result.Setting);
        }
    }

    private static IEnumerable<InferenceSetting> Parse(params string[] names) => names.Select(InferenceSetting.Parse);
}

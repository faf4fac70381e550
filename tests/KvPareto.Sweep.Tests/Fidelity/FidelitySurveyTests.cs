using KvPareto.Cpu;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Fidelity;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Fidelity;

public class FidelitySurveyTests
{
    private static readonly string Text = string.Concat(Enumerable.Range(0, 200).Select(i => $"{i * 7919 % 1000} apples. "));

    [Fact]
    public void Run_GivesARowASetting_EachModelLoadedOnce()
    {
        using var temp = new ScratchFolder();
        var done = new List<string>();
        var rows = Run(Request(temp) with
        {
            Settings =
            [
                .. Parse(
                    "w4g32a16-k16v16", "w16a16-k16v16", "w4g32a16-k8v8-t32", "w16a16-k2v2-t32-c64", "w16g32a16-e4-k16v16", "w16a16-k16v16"),
            ],
            Tokens = 512,
            Window = 256,
        }, row => done.Add(row.Setting));

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
    public void Run_WithoutSettings_TakesALadderThatFitsTheModel()
    {
        using var temp = new ScratchFolder();
        var rows = Run(Request(temp, positions: 128));
        Assert.Equal("w16a16-k16v16-c256", rows[0].Setting);
        Assert.Contains(rows, row => row.Setting == "w16a16-k4v4-t32-smooth-c256");
        var length = Text.Length / 128 * 128;
        Assert.All(rows, row => Assert.Equal((length, 128), (row.Tokens, row.Window)));
    }

    [Fact]
    public void Run_WithAChunk_TakesItForEverySetting()
    {
        using var temp = new ScratchFolder();
        var request = Request(temp) with
        {
            Tokens = 128,
            Window = 128,
            Settings = [.. Parse("w16a16-k8v8-t32-c64", "w16a16-k8v8-t32", "w16a16-k4v4-t32")],
        };
        Assert.Equal(["w16a16-k8v8-t32-c32", "w16a16-k4v4-t32-c32"], Run(request with { Chunk = 32 }).Select(row => row.Setting));
        Assert.Equal(["w16a16-k8v8-t32", "w16a16-k4v4-t32"], Run(request with { Chunk = 0 }).Select(row => row.Setting));
    }

    [Theory]
    [InlineData(null, 2048, null, null, "allowed: up to its 1024 positions")]
    [InlineData(1000, 64, null, null, "a multiple of the window of 64")]
    [InlineData(1 << 20, 1024, null, null, "has ")]
    [InlineData(null, null, null, "w16a16-k8v8-t128", "divides the model's head_dim of 32")]
    [InlineData(null, null, null, "w4g96a16-k8v8-t32", "weight group 96")]
    [InlineData(null, null, -1, null, "chunk -1")]
    public void Run_RefusesWhatDoesNotFit_BeforeItMeasures(int? tokens, int? window, int? chunk, string? setting, string expected)
    {
        using var temp = new ScratchFolder();
        var request = Request(temp) with
        {
            Tokens = tokens,
            Window = window,
            Chunk = chunk,
            Settings = setting is null ? null : [.. Parse("w16a16-k16v16", setting)],
        };
        var error = Assert.Throws<ConfigException>(() => Run(request, row => Assert.Fail($"measured {row.Setting}")));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    internal static FidelityRequest Request(ScratchFolder temp, int positions = 1024)
    {
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, MaxPositions = positions }.Write(temp["model"]);
        temp.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        return new() { Model = temp["model"], Text = temp.Write("text.txt", Text), Threads = 2 };
    }

    internal static IReadOnlyList<FidelityRow> Run(FidelityRequest request, Action<FidelityRow>? onRow = null)
    {
        using var backend = new CpuBackend(2);
        var rows = FidelitySurvey.Run(backend, request, onRow, TestContext.Current.CancellationToken);
        Assert.Equal(0, backend.Memory.Live.Weights + backend.Memory.Live.KvCache + backend.Memory.Live.Activations);
        return rows;
    }

    private static IEnumerable<InferenceSetting> Parse(params string[] names) => names.Select(InferenceSetting.Parse);
}

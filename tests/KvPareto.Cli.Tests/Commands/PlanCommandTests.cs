using System.Text.Json;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Memory;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public sealed class PlanCommandTests
{
    [Fact]
    public void Json_HasARowForEachContextAndSetting()
    {
        var rows = Rows("plan", "Llama-3.1-8B", "--context", "10k,32k", "--settings", "w16a16-k16v16,w4a16-k8v2-t64-c256", "--json");
        Assert.Equal(
            [(10_000, "w16a16-k16v16"), (10_000, "w4a16-k8v2-t64-c256"), (32_000, "w16a16-k16v16"), (32_000, "w4a16-k8v2-t64-c256")],
            rows.Select(row => (row.GetProperty("context").GetInt32(), row.GetProperty("setting").GetString()!)));
        foreach (var row in rows)
        {
            var bytes = row.GetProperty("peakBytes");
            long Bytes(string name) => bytes.GetProperty(name).GetInt64();
            Assert.Equal(Bytes("total"), Bytes("weights") + Bytes("kvCache") + Bytes("activations") + Bytes("workspace"));
            Assert.Equal(Bytes("total"), Math.Max(Bytes("prefill"), Bytes("decode")));
            var saved = 100 * (1 - (double)Bytes("total") / row.GetProperty("baselineBytes").GetProperty("math").GetInt64());
            Assert.Equal(saved, row.GetProperty("savedPercent").GetProperty("math").GetDouble(), 9);
        }
        Assert.Equal(0, rows[0].GetProperty("savedPercent").GetProperty("flash").GetDouble());
    }

    [Theory]
    [InlineData("plan", "Llama-3.1-8B", "--context", "10k")]
    [InlineData("plan", "--paper")]
    public void Terminal_IsNoWiderThanItsColumns(params string[] arguments) =>
        Assert.All(CommandRun.OnTerminal(80, arguments).Output.Split('\n'), line => Assert.InRange(line.Length, 0, 80));

    [Fact]
    public void Config_PlansWeightsVariantsThatAreNotMade()
    {
        using var folder = new ScratchFolder();
        new TinyModel().Write(folder["model"]);
        folder.Write("text.txt", "some text");
        var config = folder.Write("sweep.yaml", """
            models: [{path: model, weights: [w16, w4g64, awq: {group: 64, calibration: text.txt}]}]
            axes: {chunk: [64]}
            """);
        var rows = Rows("plan", config, "--context", "300", "--json");
        Assert.Equal(
            ["w16a16-k16v16", "w16a16-k16v16-c64", "w4g64a16-k16v16-c64", "awq4g64a16-k16v16-c64"],
                rows.Select(row => row.GetProperty("setting").GetString()));
        long[] weights = [.. rows.Select(row => row.GetProperty("peakBytes").GetProperty("weights").GetInt64())];
        Assert.True(weights[3] < weights[1]);
        Assert.Equal(weights[2], weights[3]);
        Assert.Single(rows.Select(row => row.GetProperty("baselineBytes").GetProperty("math").GetInt64()).Distinct());
    }

    [Fact]
    public void GeneratedRun_TakesWhatWasPlanned()
    {
        using var folder = new ScratchFolder();
        folder.Write("config.json", new TinyModel().Config().ToJsonString());
        string[] shared = ["--settings", "w4g32a16-e8-k4v4-t32-smooth-c64", "--json"];
        var planned = Rows(["plan", $"random:5:{folder.Root}", "--context", "300", "--new-tokens", "5", .. shared])[0];
        var run = CommandRun.Of(
            "generate", $"random:5:{folder.Root}", "--prompt-tokens", "300", "--max-new-tokens", "5", "--setting", shared[1], "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        using var measured = JsonDocument.Parse(run.Output);
        Assert.Equal(planned.GetProperty("peakBytes").GetRawText(), measured.RootElement.GetProperty("peakBytes").GetRawText());
        Assert.Equal(5, measured.RootElement.GetProperty("ids").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, measured.RootElement.GetProperty("text").ValueKind);
    }

    [Fact]
    public void Fits_LeavesOutWhatDoesNot()
    {
        string[] request = ["plan", "Llama-3.1-8B", "--context", "32k", "--json"];
        long Needed(JsonElement row) =>
            Math.Max(row.GetProperty("peakBytes").GetProperty("total").GetInt64(), row.GetProperty("peakBytes").GetProperty("load")
                .GetInt64());
        var (all, fitting) = (Rows(request), Rows([.. request, "--fits", "8GiB"]));
        Assert.InRange(fitting.Length, 1, all.Length - 1);
        Assert.Equal(all.Where(row => Needed(row) <= 8L << 30).Select(row => row.GetRawText()), fitting.Select(row => row.GetRawText()));
        var none = CommandRun.Of([.. request, "--fits", "1 GB"]);
        Assert.Equal((3, "{\"rows\":[]}"), (none.Code, none.Output.Trim()));
        Assert.StartsWith($"Llama-3.1-8B: none of {all.Length} fits in 954 MiB; the smallest takes", none.Error, StringComparison.Ordinal);
    }

    /// <summary>Without a GPU: weights and the codes of token groups take the same everywhere, activations half in bf16.</summary>
    [Fact]
    public void Device_NeedNotBeThere()
    {
        string[] request = ["plan", "Llama-3.1-8B", "--context", "10k", "--settings", "w4a16-k8v2-t64-c256", "--json"];
        var (cpu, cuda) = (Rows(request)[0].GetProperty("peakBytes"), Rows([.. request, "--device", "cuda:3"])[0].GetProperty("peakBytes"));
        long Cpu(string name) => cpu.GetProperty(name).GetInt64();
        long Cuda(string name) => cuda.GetProperty(name).GetInt64();
        Assert.Equal(Cpu("weights"), Cuda("weights"));
        Assert.InRange(Cuda("kvCache"), 0.99 * Cpu("kvCache"), 1.01 * Cpu("kvCache"));
        Assert.True(Cuda("activations") < 0.75 * Cpu("activations"));
        Assert.NotEqual(Cpu("workspace"), Cuda("workspace"));
        var wrong = CommandRun.Of([.. request, "--device", "tpu"]);
        Assert.Equal(
            (2, "kvpareto: --device tpu; allowed: cpu, cuda, cuda:N, torch, torch:cuda, torch:cuda:N, torch:mps"),
                (wrong.Code, wrong.Error.Trim()));
    }

    [Fact]
    public void Paper_LiesBetweenTheTwoBaselines()
    {
        var rows = Rows("plan", "--paper", "--json");
        Assert.Equal(3 * PaperPick.All.Count, rows.Length);
        foreach (var row in rows.Where(row => !row.GetProperty("setting").GetString()!.Contains("-e", StringComparison.Ordinal)))
        {
            var saved = row.GetProperty("savedPercent");
            var paper = saved.GetProperty("paper").GetDouble();
            Assert.InRange(paper, saved.GetProperty("flash").GetDouble(), saved.GetProperty("math").GetDouble());
            var needed = row.GetProperty("baselineBytes").GetProperty("paper").GetInt64();
            var peak = row.GetProperty("peakBytes").GetProperty("total").GetInt64();
            Assert.Equal(paper, 100 * (1 - peak / (double)needed), 6);
        }
    }

    [Fact]
    public void Sweep_IsPlannedWithItsModelsAndSettings()
    {
        using var folder = new ScratchFolder();
        new TinyModel().Write(folder["tiny"]);
        var file = folder.Write("my.yaml", """
            models: [{name: mine, path: tiny}]
            tasks: [{task: embedded, kind: fact, samples: 1, length: 100}]
            axes: {cache: [k8v8, k4v4], granularity: [t32]}
            """);
        var rows = Rows("plan", file, "--context", "500", "--json");
        Assert.Equal(["w16a16-k16v16", "w16a16-k8v8-t32", "w16a16-k4v4-t32"], rows.Select(row => row.GetProperty("setting").GetString()));
        Assert.All(rows, row => Assert.Equal("mine", row.GetProperty("model").GetString()));
        Assert.Contains("not for the lengths of its tasks' prompts", CommandRun.Of("plan", file).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Table_NamesTheModelAndSaysWhatIsCompared()
    {
        var run = CommandRun.Of("plan", "Qwen2.5-3B");
        Assert.Equal(0, run.Code);
        Assert.Contains("Qwen2.5-3B", run.Output, StringComparison.Ordinal);
        Assert.Contains("w4a16-k4v4-t64-c256", run.Output, StringComparison.Ordinal);
        Assert.Contains("32,000", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("128,000", run.Output, StringComparison.Ordinal); // made for 32,768 positions
        Assert.Contains("prompt and 128 new tokens", run.Output, StringComparison.Ordinal);
        Assert.Contains(
            "made for 32768 positions", CommandRun.Of("plan", "Qwen2.5-3B", "--context", "128k").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void PackedModels_ArePlannedWithTheirOwnWeights()
    {
        var run = CommandRun.Of("plan", TestData.Golden("awq", "llama-g128"), "--context", "100", "--new-tokens", "4");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("w16a16-k4v4-t64-c256", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("w4", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--paper", "plan", "Qwen2.5-3B", "--paper")]
    [InlineData("give either a CONFIG or MODEL", "plan")]
    [InlineData("there is no such model", "plan", "nothing-there")]
    [InlineData("no such file", "plan", "nothing-there.yaml")]
    [InlineData("--context '10q'", "plan", "Qwen2.5-3B", "--context", "10q")]
    [InlineData("--new-tokens 0", "plan", "Qwen2.5-3B", "--new-tokens", "0")]
    [InlineData("setting 'w5a16'", "plan", "Qwen2.5-3B", "--settings", "w5a16")]
    [InlineData("setting w16a16-k4v4-t48: ", "plan", "Qwen2.5-3B", "--settings", "w16a16-k4v4-t48")]
    [InlineData("has no tokenizer", "generate", "random:1:Llama-3.1-8B", "--prompt", "Hello")]
    [InlineData("has no chat template", "tokenize", "random:1:Llama-3.1-8B", "--chat")]
    [InlineData("is an architecture without weights", "generate", "Llama-3.1-8B", "--prompt-tokens", "4")]
    [InlineData("--prompt-tokens N, N 1 or more", "generate", "random:1:Llama-3.1-8B", "--prompt-tokens", "0")]
    [InlineData("give one of --prompt TEXT", "generate", "random:1:Llama-3.1-8B", "--prompt-tokens", "1", "--prompt", "x")]
    public void Mistakes_EndInOneLineAndExitCode2(string message, params string[] arguments)
    {
        var run = CommandRun.Of(arguments);
        Assert.Equal((ExitCode.UserMistake, ""), (run.Code, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    private static JsonElement[] Rows(params string[] arguments)
    {
        var run = CommandRun.Of(arguments);
        Assert.Equal((0, ""), (run.Code, run.Error));
        using var document = JsonDocument.Parse(run.Output);
        return [.. document.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.Clone())];
    }
}

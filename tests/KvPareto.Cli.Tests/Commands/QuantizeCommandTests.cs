using System.Globalization;
using System.Text.Json;
using KvPareto.Cli.Terminal;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class QuantizeCommandTests
{
    private static readonly string Text =
        string.Concat(Enumerable.Range(0, 150).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 7919 % 1000} plums. ")));

    [Fact]
    public void Awq_IsNearerToTheModelThanRtn()
    {
        using var temp = Model();
        var awq = CommandRun.Of(
            "quantize", temp["model"], "--group", "32", "--calibration", temp["text.txt"], "--samples", "8", "--tokens", "64", "--out",
                temp["awq"], "--threads", "2");
        Assert.Equal((ExitCode.Ok, ""), (awq.Code, awq.Output));
        Assert.Equal(3, awq.Error.TrimEnd().Split('\n').Length);
        Assert.Contains("layer 2/2", awq.Error, StringComparison.Ordinal);
        var rtn = CommandRun.Of("quantize", temp["model"], "--method", "rtn", "--group", "32", "--out", temp["rtn"]);
        Assert.Equal(ExitCode.Ok, rtn.Code);
        Assert.True(Divergence(temp, "awq") < Divergence(temp, "rtn"));
    }

    [Fact]
    public void Gguf_BecomesAFolder()
    {
        using var temp = new ScratchFolder();
        var model = TestData.Golden("gguf", "llama128x-Q4_K_M.gguf");
        temp.Write("text.txt", Text);
        var quantized = CommandRun.Of(
            "quantize", model, "--group", "64", "--calibration", temp["text.txt"], "--samples", "4", "--tokens", "64", "--out",
                temp["out"]);
        Assert.Equal((ExitCode.Ok, ""), (quantized.Code, quantized.Output));
        var ids = CommandRun.Of("tokenize", model, temp["text.txt"]);
        Assert.NotEmpty(ids.Output);
        Assert.Equal(ids.Output, CommandRun.Of("tokenize", temp["out"], temp["text.txt"]).Output);
        var generated = CommandRun.Of("generate", temp["out"], "--prompt", "plums", "--max-new-tokens", "4", "--setting", "w16a16-k16v16");
        Assert.Equal(ExitCode.Ok, generated.Code);
    }

    [Theory]
    [InlineData("there is no such model; allowed: a Hugging Face folder, a .gguf file,", "nowhere.gguf")]
    [InlineData("is an architecture, not a model with weights and tokenizer of its own; allowed: a Hugging Face folder, a .gguf file,",
        "random:1:Qwen2.5-3B")]
    [InlineData("is an architecture, not a model with weights and tokenizer of its own; allowed: a Hugging Face folder, a .gguf file,",
        "Qwen2.5-3B")]
    public void OtherModels_AreRefused(string expected, string model)
    {
        using var temp = new ScratchFolder();
        foreach (string[] method in (string[][])[["rtn"], ["awq", "--calibration", temp.Write("text.txt", Text)]])
        {
            var (code, _, error) = CommandRun.Of(["quantize", model, "--out", temp["out"], "--method", .. method]);
            Assert.Equal(ExitCode.UserMistake, code);
            Assert.Contains(expected, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(temp["out"]));
    }

    [Theory]
    [InlineData("--method awq needs --calibration FILE", "--group", "32")]
    [InlineData("--method rtn takes no --calibration", "--method", "rtn", "--calibration", "TEXT")]
    [InlineData("--method gptq; allowed: awq, rtn", "--method", "gptq")]
    [InlineData("--bits 5; allowed: 4, 8", "--method", "rtn", "--bits", "5")]
    [InlineData("--group 128 does not divide all of the linear layers' input widths 64, 128, 96; allowed: 32", "--method", "rtn")]
    [InlineData("--samples 0; allowed: 1 to 100000", "--calibration", "TEXT", "--samples", "0")]
    [InlineData("no such file", "--calibration", "none.jsonl")]
    public void Mistakes_AreOneLineAndLeaveNothing(string expected, params string[] options)
    {
        using var temp = Model();
        string[] arguments =
            ["quantize", temp["model"], "--out", temp["out"], .. options.Select(option => option == "TEXT" ? temp["text.txt"] : option)];
        var (code, output, error) = CommandRun.Of(arguments);
        Assert.Equal((ExitCode.UserMistake, ""), (code, output));
        Assert.Contains(expected, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFileSystemEntries(temp.Root).Length);
    }

    private static double Divergence(ScratchFolder temp, string model)
    {
        var (code, output, error) = CommandRun.Of(
            "fidelity", temp[model], "--reference", temp["model"], "--text", temp["text.txt"], "--tokens", "512", "--window", "128",
                "--settings", "w16a16-k32v32", "--json", "--out", temp[$"run-{model}"]);
        Assert.True(code == ExitCode.Ok, error);
        using var document = JsonDocument.Parse(output);
        var row = document.RootElement.GetProperty("settings")[0];
        Assert.True(row.GetProperty("ppl").GetDouble() != row.GetProperty("referencePpl").GetDouble());
        return row.GetProperty("klMean").GetDouble();
    }

    private static ScratchFolder Model()
    {
        var temp = new ScratchFolder();
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, FeedForward = 96 }.Write(temp["model"]);
        temp.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        temp.Write("text.txt", Text);
        return temp;
    }
}

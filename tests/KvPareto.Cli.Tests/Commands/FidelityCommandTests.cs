using System.Text.Json;
using KvPareto.Cli.Terminal;
using KvPareto.Testing;
using Spectre.Console;

namespace KvPareto.Cli.Tests.Commands;

public class FidelityCommandTests
{
    private static readonly string Text = string.Concat(Enumerable.Range(0, 100).Select(i => $"{i * 7919 % 1000} pears. "));

    [Fact]
    public void Json_HasARowASetting_AndTheTableGoesToStandardError()
    {
        using var temp = Model();
        var (code, output, error) = Run("fidelity", temp["model"], "--text", temp["text.txt"], "--tokens", "256", "--window", "128",
            "--settings", "w16a16-k16v16,w16a16-k4v4-t32", "--chunk", "64", "--threads", "2", "--json",
            "--out", temp["run"]);
        Assert.Equal((ExitCode.Ok, 1), (code, output.Count(c => c == '\n')));
        using var document = JsonDocument.Parse(output);
        var rows = document.RootElement.GetProperty("settings").EnumerateArray().ToList();
        Assert.Equal(["w16a16-k16v16-c64", "w16a16-k4v4-t32-c64"], rows.Select(row => row.GetProperty("setting").GetString()));
        Assert.True(rows[0].GetProperty("klMean").GetDouble() < rows[1].GetProperty("klMean").GetDouble());
        Assert.Contains("256 tokens in windows of 128", error, StringComparison.Ordinal);
        // A heading, the columns' names, two settings, and three files.
        Assert.Equal(7, error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public void Runs_MakeAReport()
    {
        using var temp = Model();
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize, Layers = 3 }.Write(temp["wide"]);
        temp.Write("wide/tokenizer.json", ByteTokenizerFile.Json());
        foreach (var model in new[] { "model", "wide" })
        {
            var (code, table, _) = Run("fidelity", temp[model], "--text", temp["text.txt"], "--tokens", "128", "--window", "128",
                "--settings", "w16a16-k8v8-t32,w16a16-k2v2-t32", "--out", temp[$"runs/{model}"]);
            Assert.Equal(ExitCode.Ok, code);
            Assert.Contains("w16a16-k8v8-t32", table, StringComparison.Ordinal);
            Assert.True(File.Exists(temp[$"runs/{model}/fidelity.md"]));
        }
        var (reported, files, _) = Run("fidelity", "--report", temp["runs/model"], "--report", temp["runs/wide"], "--out", temp["report"]);
        Assert.Equal(ExitCode.Ok, reported);
        Assert.Contains(temp["report/fidelity.csv"], files.Split('\n'));
        Assert.Equal(
            ["model", "model", "wide", "wide"],
            File.ReadAllLines(temp["report/fidelity.csv"]).Skip(1).Select(line => line.Split(',')[0]));

        // The same by one command, and gone on with.
        string[] both = ["fidelity", temp["model"], temp["wide"], "--text", temp["text.txt"], "--tokens", "128", "--window", "128",
            "--settings", "w16a16-k8v8-t32,w16a16-k2v2-t32", "--out", temp["runs/both"]];
        Assert.Equal(ExitCode.Ok, Run(both).Code);
        Assert.Equal(File.ReadAllText(temp["report/fidelity.csv"]), File.ReadAllText(temp["runs/both/fidelity.csv"]));
        Assert.Equal(ExitCode.Ok, Run([.. both, "--resume"]).Code);
    }

    [Theory]
    [InlineData("--text FILE is missing", "MODEL")]
    [InlineData("no such file", "MODEL", "--text", "none.txt")]
    [InlineData("allowed: up to its 1024 positions", "MODEL", "--text", "TEXT", "--window", "2048")]
    [InlineData("'k5v5' is not understood here", "MODEL", "--text", "TEXT", "--settings", "w16a16-k5v5")]
    [InlineData("allowed: 1 to 1024", "MODEL", "--text", "TEXT", "--threads", "0")]
    [InlineData("MODEL is missing", "--text", "TEXT")]
    [InlineData("--report takes no MODEL", "MODEL", "--report", "rows.jsonl")]
    [InlineData("there is no such file or folder", "--report", "none")]
    [InlineData("--resume: /nowhere/at/all: there is no such folder", "MODEL", "--text", "TEXT", "--resume", "--out", "/nowhere/at/all")]
    public void Mistakes_EndWithOneLineAndExitCode2(string expected, params string[] arguments)
    {
        using var temp = Model();
        var given = arguments.Select(argument => argument switch { "MODEL" => temp["model"], "TEXT" => temp["text.txt"], _ => argument });
        var (code, output, error) = Run(["fidelity", .. given]);
        Assert.Equal((ExitCode.UserMistake, ""), (code, output));
        Assert.Contains(expected, error.Split('\n')[0], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private static ScratchFolder Model()
    {
        var temp = new ScratchFolder();
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize }.Write(temp["model"]);
        temp.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        temp.Write("text.txt", Text);
        return temp;
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        var code = KvParetoCommand.Run(arguments, new CommandContext(Stream.Null, output, error, console));
        return (code, output.ToString(), error.ToString());
    }
}

using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class SweepCommandTests
{
    private const string Config = """
        models: [embedded:llama]
        tasks: [{task: fidelity, text: words.txt, tokens: 32, window: 32}]
        settings: [w16a16-k8v8-t64, w16a16-k4v4-t64]
        """;

    [Fact]
    public void Sweep_ResumedWithoutAConfig_GoesOnWithThatOfTheRun()
    {
        using var temp = new ScratchFolder();
        var config = Write(temp, Config);
        Assert.Equal(0, CommandRun.Of("sweep", config, "--out", temp["run"], "--threads", "1", "--no-report").Code);
        File.Delete(config);
        File.Delete(Directory.GetFiles(temp["run/samples"]).Order().First());
        var lines = File.ReadAllLines(temp["run/journal.jsonl"]);
        File.WriteAllText(temp["run/journal.jsonl"], string.Join('\n', lines[..2]) + "\n");

        var resumed = CommandRun.Of("sweep", "--resume", "--out", temp["run"], "--threads", "1");
        Assert.Equal((0, 4), (resumed.Code, File.ReadAllLines(temp["run/results.csv"]).Length));
        Assert.StartsWith("3 trials, 3 samples; 0 trials done before\n", resumed.Error, StringComparison.Ordinal);
    }

    /// <summary>The journal says it too; the quickstart would not be what the folder holds.</summary>
    [Fact]
    public void Sweep_ResumedWithoutRunJson_TakesTheConfigOfTheJournal()
    {
        using var temp = new ScratchFolder();
        Assert.Equal(0, CommandRun.Of("sweep", Write(temp, Config), "--out", temp["run"], "--threads", "1", "--no-report").Code);
        File.Delete(temp["run/run.json"]);
        var resumed = CommandRun.Of("sweep", "--resume", "--out", temp["run"], "--threads", "1");
        Assert.Equal(0, resumed.Code);
        Assert.StartsWith("3 trials, 3 samples; 3 trials done before\n", resumed.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(temp["run/run.json"]));

        foreach (var journal in Directory.GetFiles(temp["run"], "journal*.jsonl")) File.Delete(journal);
        File.Delete(temp["run/run.json"]);
        resumed = CommandRun.Of("sweep", "--resume", "--out", temp["run"], "--threads", "1");
        Assert.Equal(2, resumed.Code);
        Assert.StartsWith($"kvpareto: --resume: {temp["run"]}: holds no run; allowed: ", resumed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(temp["run/run.json"]));
    }

    [Fact]
    public void Sweep_ResumedWithAnotherConfig_MeasuresWhatIsNew_AndReportReadsBothRuns()
    {
        using var temp = new ScratchFolder();
        Assert.Equal(0, CommandRun.Of("sweep", Write(temp, Config), "--out", temp["run"], "--threads", "1").Code);
        var more = Config.Replace("[{task", "[{task: embedded, kind: fact, samples: 2, length: 96}, {task", StringComparison.Ordinal);
        var resumed = CommandRun.Of("sweep", Write(temp, more), "--resume", "--out", temp["run"], "--threads", "1");
        Assert.Equal(0, resumed.Code);
        Assert.Contains("samples of an earlier config", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetFiles(temp["run/samples"]).Count(file => File.ReadAllText(file).Contains("\"measuredIn\"")));

        var other = Config.Replace("w16a16-k4v4-t64", "w16a16-k2v2-t64", StringComparison.Ordinal);
        Assert.Equal(0, CommandRun.Of("sweep", Write(temp, other), "--out", temp["other"], "--threads", "1", "--no-report").Code);
        Assert.Equal(2, CommandRun.Of("report", temp["run"], temp["other"]).Code);
        Assert.Equal(2, CommandRun.Of("report", temp["run"], "--out", temp["other"]).Code);
        var merged = CommandRun.Of("report", temp["run"], temp["other"], "--out", temp["both"]);
        Assert.Equal(0, merged.Code);
        var csv = File.ReadAllText(temp["both/results.csv"]);
        Assert.Equal(5, csv.TrimEnd().Split('\n').Length);
        Assert.Contains(",w16a16-k2v2-t64,", csv, StringComparison.Ordinal);
        Assert.Contains(",w16a16-k4v4-t64,", csv, StringComparison.Ordinal);
    }

    private static string Write(ScratchFolder temp, string config)
    {
        temp.Write("words.txt", string.Join(' ', Enumerable.Repeat("The capital of the small island lies by the sea.", 20)));
        temp.Write("sweep.yaml", config);
        return temp["sweep.yaml"];
    }
}

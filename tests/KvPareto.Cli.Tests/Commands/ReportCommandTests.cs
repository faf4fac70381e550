using System.Globalization;
using CsvHelper;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class ReportCommandTests
{
    private static void CopyRun(ScratchFolder temp)
    {
        var from = TestData.Golden("runs", "unsealed");
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            temp.Write(Path.Combine("run", Path.GetRelativePath(from, file)), File.ReadAllText(file));
    }

    [Fact]
    public void Report_OfAFolderWithoutChecksums_SaysSo()
    {
        using var temp = new ScratchFolder();
        CopyRun(temp);
        var run = CommandRun.Of("report", temp["run"]);
        Assert.Equal(0, run.Code);
        Assert.Contains("lines of this folder from a version without checksums", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_OfADamagedFolder_ExitsWith2_AndRepairSaysWhatItDrops()
    {
        using var temp = new ScratchFolder();
        CopyRun(temp);
        var journal = temp["run/journal.jsonl"];
        var lines = File.ReadAllLines(journal);
        lines[^1] = lines[^1].Replace("\"prefill\"", "\"prefyll\"", StringComparison.Ordinal);
        File.WriteAllText(journal, string.Join('\n', lines) + "\n");

        var refused = CommandRun.Of("report", temp["run"]);
        Assert.Equal(2, refused.Code);
        Assert.StartsWith(
            $"kvpareto: {journal}:7: not a journal entry (unknown key 'prefyll'); the file is damaged", refused.Error,
                StringComparison.Ordinal);
        Assert.False(File.Exists(temp["run/results.csv"]));

        var repaired = CommandRun.Of("report", temp["run"], "--repair");
        Assert.Equal(0, repaired.Code);
        Assert.StartsWith(
            $"{journal}:7: dropped: unknown key 'prefyll'\n{journal}: as it was, it is kept as {journal}.damaged\n", repaired.Error,
                StringComparison.Ordinal);
        Assert.Contains(
            "1 of 3 trials without a result yet: w4g64a16-k4v2-tensor-c64 of embedded:llama; --resume measures it", repaired.Error,
                StringComparison.Ordinal);
        Assert.Equal(3, File.ReadAllLines(temp["run/results.csv"]).Length);
        Assert.DoesNotContain("dropped", CommandRun.Of("report", temp["run"], "--repair").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_AgainstAnotherSetting_TurnsLossesRound_AndNeedsAFolderAndAResult()
    {
        using var temp = new ScratchFolder();
        CopyRun(temp);
        Assert.Equal(0, CommandRun.Of("report", temp["run"], "--no-html").Code);
        var settings = Losses(temp["run/results.csv"]);
        var (baseline, other) = (settings.First(pair => pair.Value.Saved == 0), settings.First(pair => pair.Value.Saved != 0));

        var run = CommandRun.Of("report", temp["run"], "--baseline", other.Key, "--out", temp["turned"], "--no-html");
        Assert.Equal(0, run.Code);
        var turned = Losses(temp["turned/results.csv"]);
        Assert.Equal(0, turned[other.Key].Saved);
        Assert.Equal(-other.Value.Loss, turned[baseline.Key].Loss, 4);
        Assert.Equal((1 - 1 / (1 - other.Value.Saved / 100)) * 100, turned[baseline.Key].Saved, 1);

        var inPlace = CommandRun.Of("report", temp["run"], "--baseline", other.Key);
        Assert.Equal((2, "kvpareto: report with --baseline; allowed: --out FOLDER, a folder for it\n"), (inPlace.Code, inPlace.Error));
        var unknown = CommandRun.Of("report", temp["run"], "--baseline", "w8a16-k2v2-t32", "--out", temp["none"]);
        Assert.Equal(2, unknown.Code);
        Assert.Equal(
            $"kvpareto: w8a16-k2v2-t32: has no result in this run; allowed: a setting of its results.csv, such as {baseline.Key}\n",
            unknown.Error);
        Assert.False(Directory.Exists(temp["none"]));
    }

    [Fact]
    public void ReportOfSeveralRuns_IsNotWrittenIntoOneOfThem()
    {
        using var temp = new ScratchFolder();
        CopyRun(temp);
        var run = CommandRun.Of("report", temp["run"], temp["run"], "--out", temp["run"]);
        Assert.Equal((2, $"kvpareto: --out {temp["run"]}: holds a run; allowed: a folder that holds none\n"), (run.Code, run.Error));
        Assert.False(File.Exists(temp["run/results.csv"]));
    }

    private static Dictionary<string, (double Saved, double Loss)> Losses(string path)
    {
        using var text = new StreamReader(path);
        using var csv = new CsvReader(text, CultureInfo.InvariantCulture);
        csv.Read();
        csv.ReadHeader();
        var losses = new Dictionary<string, (double Saved, double Loss)>();
        while (csv.Read())
            losses.Add(csv.GetField("setting")!, (csv.GetField<double>("memory_saved_percent"), csv.GetField<double>("score_loss")));
        return losses;
    }
}

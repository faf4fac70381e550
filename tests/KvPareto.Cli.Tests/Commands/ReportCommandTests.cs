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
        Assert.Contains("lines of this folder are from a version without checksums", run.Error, StringComparison.Ordinal);
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
            "1 of 3 trials have no result yet: w4g64a16-k4v2-tensor-c64 of embedded:llama; --resume measures them", repaired.Error,
                StringComparison.Ordinal);
        Assert.Equal(3, File.ReadAllLines(temp["run/results.csv"]).Length);
        Assert.DoesNotContain("dropped", CommandRun.Of("report", temp["run"], "--repair").Error, StringComparison.Ordinal);
    }
}

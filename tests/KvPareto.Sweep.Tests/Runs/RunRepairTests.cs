using KvPareto.Sweep.Runs;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Runs;

public class RunRepairTests
{
    private static (string Whole, string Folder) Finished(ScratchFolder temp)
    {
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["run"], FakeEngine.FailingAtTwoBits()));
        return (whole, temp["run"]);
    }

    private static void Edit(string path, Action<List<string>> edit)
    {
        var lines = File.ReadAllLines(path).ToList();
        edit(lines);
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
    }

    private static string Flip(string line) =>
        line.Replace("\"decode\"", "\"decoke\"", StringComparison.Ordinal).Replace("\"at\":\"20", "\"at\":\"21", StringComparison.Ordinal);

    [Fact]
    public void Mend_OfAWholeFolder_ChangesNothing()
    {
        using var temp = new ScratchFolder();
        var (_, folder) = Finished(temp);
        var before = Files(folder);
        Assert.Empty(RunRepair.Mend(folder));
        Assert.Equal(before, Files(folder));

        static string[] Files(string folder) =>
            [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order().Select(file => file + File.ReadAllText(file))];
    }

    [Theory]
    [InlineData("flipped", 1)]
    [InlineData("doubled", 0)]
    [InlineData("swapped", 0)]
    [InlineData("dropped", 1)]
    [InlineData("foreign", 0)]
    public void Mend_OfAJournal_KeepsEveryLineThatIsWhole(string damage, int lost)
    {
        using var temp = new ScratchFolder();
        var (whole, folder) = Finished(temp);
        var journal = Path.Combine(folder, "journal.jsonl");
        Edit(journal, lines =>
        {
            // Line 5 is the end of the second trial.
            if (damage == "flipped") lines[4] = Flip(lines[4]);
            if (damage == "doubled") lines.Insert(4, lines[4]);
            if (damage == "swapped") (lines[4], lines[6]) = (lines[6], lines[4]);
            if (damage == "dropped") lines.RemoveAt(4);
            if (damage == "foreign")
                lines.Insert(4, "{\"event\":\"started\",\"trial\":\"0123456789abcdef\",\"at\":\"2026-01-01T00:00:00Z\"}");
        });
        var damaged = File.ReadAllText(journal);
        Assert.Throws<ConfigException>(() => RunHistory.Read(folder));

        var said = RunRepair.Mend(folder);
        Assert.NotEmpty(said);
        if (damage is "flipped" or "doubled" or "foreign")
            Assert.StartsWith(
                $"{journal}:5: dropped: ", said[0].Replace(":6: ", ":5: ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(damaged, File.ReadAllText(journal + ".damaged"));
        var mended = RunHistory.Read(folder);
        Assert.Equal((FakeSweep.Trials - lost, lost), (mended.Results.Count, mended.Missing.Count));

        // What was lost is made again of the samples.
        var engine = FakeEngine.FailingAtTwoBits();
        Assert.Equal(whole, FakeSweep.WithoutTimes(FakeSweep.Run(folder, engine, resume: true)));
        Assert.Equal(0, engine.Generated);
        Assert.Empty(RunRepair.Mend(folder));
    }

    [Fact]
    public void Mend_OfASampleLog_KeepsTheResult_AndSaysThatItCouldNotBeCompared()
    {
        using var temp = new ScratchFolder();
        var (whole, folder) = Finished(temp);
        var log = Directory.GetFiles(Path.Combine(folder, "samples")).Order().First(file => File.ReadAllLines(file).Length == 5);
        Edit(log, lines => lines[2] = Flip(lines[2]));
        Assert.StartsWith(
            $"{log}:3: not a sample", Assert.Throws<ConfigException>(() => RunHistory.Read(folder)).Message, StringComparison.Ordinal);
        Assert.Equal($"{log}:3: dropped: its checksum does not fit", RunRepair.Mend(folder)[0]);
        var mended = RunHistory.Read(folder);
        Assert.Equal(whole, FakeSweep.WithoutTimes(mended));
        Assert.Equal(2, mended.Messages.Count);
        Assert.Contains("could not be compared", mended.Messages[0], StringComparison.Ordinal);
        Assert.Equal($"samples/{Path.GetFileName(log)}.damaged: not read, no file of a run", mended.Messages[1]);
    }

    [Fact]
    public void Mend_OfARunFile_WritesItAgain()
    {
        using var temp = new ScratchFolder();
        var (whole, folder) = Finished(temp);
        var file = Path.Combine(folder, "run.json");
        var before = File.ReadAllText(file);
        File.WriteAllText(file, before.Replace("\"seed\": 7", "\"seed\": 8", StringComparison.Ordinal));
        Assert.StartsWith(
            $"{file}: not a run's record", Assert.Throws<ConfigException>(() => RunHistory.Read(folder)).Message, StringComparison.Ordinal);
        Assert.Equal(2, RunRepair.Mend(folder).Count);
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(folder)));
        Assert.Equal(before, File.ReadAllText(file));
    }

    /// <summary>Folders without checksums: an edited figure is one that samples and result do not share.</summary>
    [Theory]
    [InlineData("journal.jsonl", "\"activations\":350720", "\"activations\":950720", "do not give the result", true)]
    [InlineData("samples/cdfcb1d32372717d.jsonl", "\"score\":1", "\"score\":0", "do not give the result", true)]
    [InlineData("samples/cdfcb1d32372717d.jsonl", "\"activations\":350720", "\"activations\":950720", "do not give the result", true)]
    [InlineData("journal.jsonl", "\"id\":\"cdfcb1d32372717d\",\"model\":\"embedded:llama\"",
        "\"id\":\"cdfcb1d32372717d\",\"model\":\"embedded:lama\"", "is not that of its model", false)]
    [InlineData("journal.jsonl", "\"setting\":\"w16a16-k2v2-tensor-c64\",\"status\"", "\"setting\":\"w16a16-k2v4-tensor-c64\",\"status\"",
        "of no trial that was planned", true)]
    [InlineData("run.json", "\"w16a16-k2v2-tensor-c64\"", "\"w16a16-k2v4-tensor-c64\"", "is not that of its model", false)]
    [InlineData("run.json", "samples: 2", "samples: 3", "does not fit its digest", false)]
    public void Read_OfAnOldFolder_ComparesItsFigures(string file, string right, string wrong, string expected, bool isMendable)
    {
        using var temp = new ScratchFolder();
        Copy(TestData.Golden("runs", "unsealed"), temp["run"]);
        var history = RunHistory.Read(temp["run"]);
        Assert.Equal(3, history.Results.Count);
        Assert.Contains("from a version without checksums", Assert.Single(history.Messages), StringComparison.Ordinal);

        var text = File.ReadAllText(temp[$"run/{file}"]);
        Assert.Contains(right, text, StringComparison.Ordinal);
        File.WriteAllText(temp[$"run/{file}"], text.Replace(right, wrong, StringComparison.Ordinal));
        Assert.Contains(expected, Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"])).Message, StringComparison.Ordinal);
        if (!isMendable) return;
        Assert.NotEmpty(RunRepair.Mend(temp["run"]));
        Assert.Equal(2, RunHistory.Read(temp["run"]).Results.Count);
    }

    [Fact]
    public void Mend_RefusesAFolderThatIsWrittenTo()
    {
        using var temp = new ScratchFolder();
        ConfigException? error = null;
        FakeSweep.Run(temp["run"], new FakeEngine
        {
            Before = (number, _, _) => { if (number == 12) error = Assert.Throws<ConfigException>(() => RunRepair.Mend(temp["run"])); },
        });
        Assert.Contains("a run writes to it (process", error!.Message, StringComparison.Ordinal);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}

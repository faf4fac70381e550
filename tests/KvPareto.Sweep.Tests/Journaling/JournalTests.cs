using System.Text;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Storage;
using KvPareto.Sweep.Tests.Reports;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Journaling;

public class JournalTests
{
    private static string FinishedRun(ScratchFolder temp)
    {
        FakeSweep.Run(temp["run"], FakeEngine.FailingAtTwoBits());
        return temp["run/journal.jsonl"];
    }

    [Fact]
    public void Read_LeavesATornLastLineOut_AndAlone()
    {
        using var temp = new ScratchFolder();
        var journal = FinishedRun(temp);
        var before = RunHistory.Read(temp["run"]);
        File.AppendAllText(journal, "{\"event\":\"finished\",\"trial\":\"00");
        var length = new FileInfo(journal).Length;
        Assert.Equal(FakeSweep.WithoutTimes(before), FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        Assert.Equal(length, new FileInfo(journal).Length);
    }

    [Fact]
    public void Open_CutsATornLastLine()
    {
        using var temp = new ScratchFolder();
        var file = temp.Write("journal.jsonl", "{}\n" + new string('x', 10_000));
        using var leases = new LeaseBook(temp["leases"], LeaseTimes.Default);
        using var lease = leases.TryTake("journal")!;
        Journal.Open(file, lease).Dispose();
        Assert.Equal("{}\n", File.ReadAllText(file));
        File.WriteAllText(file, "torn from the start");
        Journal.Open(file, lease).Dispose();
        Assert.Equal("", File.ReadAllText(file));
        Assert.Equal(["journal.jsonl"], Directory.GetFiles(temp.Root).Select(Path.GetFileName));
    }

    /// <summary>Lines of a file that has no name any more are read by nobody: such a sweep would measure for ever.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Append_RefusesAJournalThatIsNotInItsPlace(bool isReplaced)
    {
        using var temp = new ScratchFolder();
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("niah", [1]));
        using var leases = new LeaseBook(temp["leases"], LeaseTimes.Default);
        using var lease = leases.TryTake("journal")!;
        using var journal = Journal.Open(temp["journal.jsonl"], lease);
        journal.TrialEnded(trial);
        var lines = File.ReadAllText(temp["journal.jsonl"]);
        File.Delete(temp["journal.jsonl"]);
        if (isReplaced) File.WriteAllText(temp["journal.jsonl"], lines); // as editors and sed -i do
        Assert.Contains(
            "journal.jsonl: was removed or replaced", Assert.Throws<ConfigException>(() => journal.TrialEnded(trial)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("null\n")]
    [InlineData("[]\n")]
    [InlineData("{\"event\":\"finished\"}\n")]
    [InlineData("{\"event\":\"dance\",\"at\":\"2026-01-01T00:00:00Z\"}\n")]
    [InlineData("{\"event\":\"started\",\"trial\":\"../../etc/passwd\",\"at\":\"2026-01-01T00:00:00Z\"}\n")]
    [InlineData("\0\0\0\0\n")]
    [InlineData("{\"event\":\"started\",\"event\":\"started\",\"trial\":\"0123456789abcdef\",\"at\":\"2026-01-01T00:00:00Z\"}\n")]
    public void Read_NamesTheLineThatIsDamaged(string line)
    {
        using var temp = new ScratchFolder();
        var journal = FinishedRun(temp);
        var lines = File.ReadAllLines(journal);
        File.WriteAllText(journal, lines[0] + "\n" + line + lines[1] + "\n");
        var error = Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"]));
        Assert.StartsWith($"{journal}:2: not a journal entry", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Git's <c>autocrlf</c> and editors write such line ends.</summary>
    [Fact]
    public void Read_TakesLineEndsOfAnotherSystem()
    {
        using var temp = new ScratchFolder();
        FinishedRun(temp);
        var right = FakeSweep.WithoutTimes(RunHistory.Read(temp["run"]));
        foreach (var file in Directory.GetFiles(temp["run"], "*.json*", SearchOption.AllDirectories))
            File.WriteAllText(file, File.ReadAllText(file).ReplaceLineEndings("\r\n"));
        Assert.Equal(right, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        Assert.Empty(RunRepair.Mend(temp["run"]));
    }

    /// <summary>A journal that does not say how peaks were got is one of a version that knew the ledger alone.</summary>
    [Fact]
    public void Line_SaysHowPeaksWereGot_WhereNotByTheLedger()
    {
        var counted = new MemoryPeaks(default, new(1, 2, 3, 4), default);
        Assert.DoesNotContain("measured", Encoding.UTF8.GetString(JournalJson.WriteLine(counted)), StringComparison.Ordinal);
        Assert.Equal(PeakKind.Ledger, JournalJson.Read<MemoryPeaks>(JournalJson.WriteLine(counted)).Kind);
        var measured = counted with { Measured = PeakKind.Pool };
        Assert.Contains("\"measured\":\"pool\"", Encoding.UTF8.GetString(JournalJson.WriteLine(measured)), StringComparison.Ordinal);
        Assert.Equal(measured, JournalJson.Read<MemoryPeaks>(JournalJson.WriteLine(measured)));
    }

    /// <summary>Whatever is read of a damaged journal is what was written: lines may be cut off its end, and are then missing.</summary>
    [Fact]
    public void Read_NeverTakesDamageForFigures()
    {
        using var temp = new ScratchFolder();
        var journal = FinishedRun(temp);
        var whole = File.ReadAllBytes(journal);
        var right = RunHistory.Read(temp["run"]).Results.ToDictionary(result => result.TrialId, result => JournalJson.WriteLine(result));
        var random = new Random(5);
        var refused = 0;
        for (var round = 0; round < 600; round++)
        {
            var bytes = whole.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(journal, bytes[..random.Next(1, bytes.Length + 1)]);
            try
            {
                var read = RunHistory.Read(temp["run"]);
                Assert.All(read.Results, result => Assert.Equal(right[result.TrialId], JournalJson.WriteLine(result)));
                Assert.Equal(right.Count, read.Results.Count + read.Missing.Count);
            }
            catch (ConfigException e)
            {
                refused++;
                Assert.DoesNotContain('\n', e.Message);
            }
        }
        Assert.InRange(refused, 200, 599);
    }

    [Theory]
    [InlineData("dropped")]
    [InlineData("doubled")]
    [InlineData("swapped")]
    [InlineData("of another file")]
    public void Read_RefusesWholeLinesOutOfPlace(string damage)
    {
        using var temp = new ScratchFolder();
        var journal = FinishedRun(temp);
        var lines = File.ReadAllLines(journal).ToList();
        if (damage == "dropped") lines.RemoveAt(3);
        if (damage == "doubled") lines.Insert(3, lines[3]);
        if (damage == "swapped") (lines[2], lines[4]) = (lines[4], lines[2]);
        if (damage == "of another file") lines[3] = Directory.GetFiles(temp["run/samples"]).SelectMany(File.ReadLines).First();
        File.WriteAllText(journal, string.Join('\n', lines) + "\n");
        var error = Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"]));
        Assert.StartsWith(journal + ":", error.Message, StringComparison.Ordinal);
        Assert.Contains("--repair", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"prefill\":", "\"prefyll\":", "unknown key 'prefyll'")]
    [InlineData("\"at\":", "\"extra\":1,\"at\":", "unknown key 'extra'")]
    [InlineData("\"weights\":1000,", "", "missing key 'weights'")]
    [InlineData("\"weights\":1000,", "\"weights\":[],", "a wrong value at $.result.peaks.")]
    [InlineData("\"setting\":\"", "\"setting\":null,\"s\":\"", "a wrong value at $.result.setting")]
    [InlineData("\"samples\":5", "\"samples\":6", "samples are not those")]
    [InlineData("\"weightBytes\":1000", "\"weightBytes\":1001", "are not those of the peak")]
    [InlineData("\"ttftMs\":", "\"ttftMs\":1e999,\"x\":", "out of range")]
    public void Read_WithoutChecksums_StillRefusesWhatCannotBe(string right, string wrong, string expected)
    {
        using var temp = new ScratchFolder();
        var journal = FinishedRun(temp);
        var lines = File.ReadAllLines(journal)
            .Select(line => Encoding.UTF8.GetString(Seal.Open(Encoding.UTF8.GetBytes(line), "journal")!.Value.Json)).ToArray();
        File.WriteAllText(journal, string.Join('\n', lines) + "\n");
        Assert.Contains("without checksums", Assert.Single(RunHistory.Read(temp["run"]).Messages), StringComparison.Ordinal);
        var at = Array.FindLastIndex(lines, line => line.Contains(right, StringComparison.Ordinal));
        lines[at] = lines[at].Replace(right, wrong, StringComparison.Ordinal);
        File.WriteAllText(journal, string.Join('\n', lines) + "\n");
        var error = Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"]));
        Assert.StartsWith($"{journal}:{at + 1}: not a journal entry", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A later version's folder is not damaged, and must not be mended.</summary>
    [Fact]
    public void Read_TellsAnotherVersionFromDamage()
    {
        using var temp = new ScratchFolder();
        var journal = FinishedRun(temp);
        var lines = File.ReadAllLines(journal);
        var json = Seal.Open(Encoding.UTF8.GetBytes(lines[1]), "journal")!.Value.Json;
        lines[1] = Encoding.UTF8.GetString(Seal.Close([.. "{\"joules\":1,"u8, .. json.AsSpan(1)], "journal", 2));
        File.WriteAllLines(journal, lines);
        var end = $" of this version, {RunHost.ProgramVersion} (unknown key 'joules'), but whole; allowed: runs of it and of earlier ones";
        Assert.Equal($"{journal}:2: not a journal entry{end}", Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"])).Message);

        var file = RunFile.PathOf(temp["run"]);
        var page = File.ReadAllText(file).Replace("{\n  \"name\":", "{\n  \"joules\": 1,\n  \"name\":", StringComparison.Ordinal);
        var at = page.IndexOf(",\n  \"sum\":", StringComparison.Ordinal);
        var sum = Seal.SumOf(Encoding.UTF8.GetBytes(page[..at] + "\n}\n"), "run", 1);
        File.WriteAllText(file, $"{page[..at]},\n  \"sum\": \"{sum}\"\n}}\n");
        Assert.Equal($"{file}: not a run's record{end}", Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"])).Message);
    }

    [Fact]
    public void Read_RefusesDeepNesting()
    {
        using var temp = new ScratchFolder();
        temp.Write("run/journal.jsonl", new string('[', 1_000_000) + "\n");
        Assert.Throws<ConfigException>(() => RunHistory.Read(temp["run"]));
    }

    [Fact]
    public void Read_RefusesAFolderWithoutARun()
    {
        using var temp = new ScratchFolder();
        Assert.Contains("holds no journal", Message(temp.Root), StringComparison.Ordinal);
        Assert.Contains("no such folder", Message(temp["nowhere"]), StringComparison.Ordinal);

        static string Message(string folder) => Assert.Throws<ConfigException>(() => RunHistory.Read(folder)).Message;
    }

    [Fact]
    public void Lines_OfAnyLength_ReadBack()
    {
        using var temp = new ScratchFolder();
        var path = temp["lines"];
        int[] lengths = [0, 1, 65_535, 65_536, 65_537, 0, 300_000, 4095, 4096];
        string[] lines = [.. lengths.Select((length, i) => new string((char)('a' + i), length))];
        using (var writer = LineWriter.TakeOver(path))
            foreach (var line in lines) writer.Append(Encoding.UTF8.GetBytes(line), durable: false);
        Assert.Equal(lines, LineReader.Read(path).Select(line => Encoding.UTF8.GetString(line.Bytes.Span)));
        Assert.Equal(Enumerable.Range(1, lines.Length), LineReader.Read(path).Select(line => line.Number));
    }
}

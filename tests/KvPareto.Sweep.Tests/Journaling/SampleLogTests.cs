using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Tests.Journaling;

public sealed class SampleLogTests : IDisposable
{
    private readonly ScratchFolder _temp = new();
    private readonly LeaseBook _leases;

    public SampleLogTests() => _leases = new(_temp["leases"], LeaseTimes.Default);

    public void Dispose()
    {
        _leases.Dispose();
        _temp.Dispose();
    }

    private SampleLog Open() => SampleLog.Open(_temp["t.jsonl"], _leases.TryTake("t")!);

    private static SampleRecord Record(string sample, double score = 0.3333333333333333) => new()
    {
        Task = "facts",
        Sample = sample,
        Prediction = new TextPrediction("line one\nline two \"quoted\" é 😀 \u2028"),
        Score = score,
        PromptTokens = 10,
        NewTokens = 2,
        Peaks = new(new(1, 2, 3, 4), new(5, 6, 7, 8), default),
        TtftMs = 1.25,
        TpotMs = null,
    };

    /// <summary>Likelihoods and figures stood as JSON inside a text.</summary>
    [Fact]
    public void EarlierLines_AreStillRead()
    {
        File.WriteAllText(_temp["t.jsonl"], """
            {"task":"mmlu","sample":"a-0","prediction":"[-1.5,-0.5,-2,-3]","score":1,"promptTokens":3,"newTokens":0,"peaks":{"load":{"weights":1,"kvCache":0,"activations":0,"workspace":0},"prefill":{"weights":1,"kvCache":0,"activations":0,"workspace":0},"decode":{"weights":1,"kvCache":0,"activations":0,"workspace":0}},"warmUp":false,"ttftMs":1.5}

            """);
        var record = Assert.Single(SampleLog.Read(_temp["t.jsonl"]).Records);
        Assert.Equal((new TextPrediction("[-1.5,-0.5,-2,-3]"), 1.0), (record.Prediction, record.Score));
    }

    [Fact]
    public void Append_ReadsBack()
    {
        using (var log = Open())
        {
            log.Append(Record("a"));
            log.Append(Record("b", 1));
        }
        Assert.Equal(2, File.ReadAllLines(_temp["t.jsonl"]).Length);
        using var again = Open();
        Assert.Equal(Record("a"), again.Find("facts", "a"));
        Assert.Equal(Record("b", 1), again.Find("facts", "b"));
        Assert.Null(again.Find("counts", "a"));
    }

    [Fact]
    public void Open_CutsATornLine_AndAppendsAfterIt()
    {
        using (var log = Open()) log.Append(Record("a"));
        File.AppendAllText(_temp["t.jsonl"], "{\"task\":\"facts\",\"sam");
        using (var log = Open()) log.Append(Record("b"));
        using var again = Open();
        Assert.Equal(2, again.Count);
    }

    /// <summary>What a worker that lost its trial writes all the same, between looking and writing, reaches nobody.</summary>
    [Fact]
    public void Open_PutsANewFileInTheOldOnesPlace()
    {
        using (var log = Open()) log.Append(Record("a"));
        using var lost = File.Open(_temp["t.jsonl"], FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        using var taken = Open();
        lost.Write("what is late\n"u8);
        lost.Flush();
        taken.Append(Record("b"));
        Assert.Equal(["a", "b"], SampleLog.Read(_temp["t.jsonl"]).Records.Select(record => record.Sample));
    }

    [Fact]
    public void Append_AfterTheLeaseIsLost_WritesNothing()
    {
        using var log = Open();
        log.Append(Record("a"));
        foreach (var file in Directory.GetFiles(_temp["leases"])) File.Delete(file);
        Assert.Throws<LeaseLostException>(() => log.Append(Record("b")));
        Assert.Equal(["a"], SampleLog.Read(_temp["t.jsonl"]).Records.Select(record => record.Sample));
    }

    [Fact]
    public void Open_RefusesALink_AndLeavesItsTargetAlone()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("needs symbolic links");
        var victim = _temp.Write("victim", "one line without a line end");
        File.CreateSymbolicLink(_temp["t.jsonl"], victim);
        var error = Assert.Throws<ConfigException>(Open);
        Assert.Equal($"{_temp["t.jsonl"]}: is a symbolic link; allowed: a regular file", error.Message);
        Assert.Equal("one line without a line end", File.ReadAllText(victim));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"task\":\"facts\"")]
    [InlineData("twice")]
    [InlineData("score")]
    [InlineData("part")]
    public void Open_NamesTheLineThatIsDamaged(string damage)
    {
        using (var log = Open()) log.Append(Record("a"));
        var line = File.ReadAllText(_temp["t.jsonl"]);
        var second = damage switch
        {
            "twice" => line,
            "score" => line.Replace("0.3333333333333333", "1.5", StringComparison.Ordinal),
            "part" => line.Replace("\"a\"", "\"b\",\"parts\":{\"flexible\":2}", StringComparison.Ordinal),
            _ => damage + "\n",
        };
        File.WriteAllText(_temp["t.jsonl"], line + second + line);
        var error = Assert.Throws<ConfigException>(Open);
        Assert.StartsWith(_temp["t.jsonl"] + ":2: ", error.Message, StringComparison.Ordinal);
    }

    private string Helper(params string[] samples)
    {
        var path = _temp[$"t-{Guid.NewGuid():N}.jsonl"];
        using var log = SampleLog.Open(path, _leases.TryTake("t-1")!, isHelpers: true);
        foreach (var sample in samples) log.Append(Record(sample));
        return path;
    }

    private static (string, string)[] Order(string samples) => [.. samples.Select(sample => ("facts", $"{sample}"))];

    [Fact]
    public void Gather_MakesOneLogOfAll_InTheOrderOfRunning()
    {
        using var log = Open();
        foreach (var sample in new[] { "a", "d" }) log.Append(Record(sample));
        string[] helpers = [Helper("e", "f"), Helper("b", "c")];
        log.Gather(helpers, Order("abcdef"));
        Assert.All(helpers, path => Assert.False(File.Exists(path)));
        Assert.Equal(6, log.Count);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], SampleLog.Read(_temp["t.jsonl"]).Records.Select(record => record.Sample));
        log.Append(Record("g"));
        Assert.Equal(7, SampleLog.Read(_temp["t.jsonl"]).Records.Count);
    }

    /// <summary>One that was killed between making one log of all and taking the others away: what stands twice is the same.</summary>
    [Fact]
    public void Gather_TakesWhatIsThereAlreadyAsItIs()
    {
        using var log = Open();
        log.Append(Record("a", 1));
        log.Append(Record("b", 1));
        var helper = Helper("b", "c");
        log.Gather([helper], Order("abc"));
        Assert.Equal([1, 1, 0.3333333333333333], SampleLog.Read(_temp["t.jsonl"]).Records.Select(record => record.Score));
    }

    [Fact]
    public void Gather_GivesLinesOfEarlierVersionsNoChecksum()
    {
        using (var log = Open()) log.Append(Record("b"));
        File.WriteAllText(_temp["t.jsonl"], System.Text.RegularExpressions.Regex.Replace(
            File.ReadAllText(_temp["t.jsonl"]), ",\"line\":1,\"sum\":\"[0-9a-f]*\"", ""));
        using (var log = Open()) log.Gather([Helper("a")], Order("ab"));
        var (records, unsealed) = SampleLog.Read(_temp["t.jsonl"]);
        Assert.Equal((1, "b", "a"), (unsealed, records.First().Sample, records.Last().Sample));
    }

    [Fact]
    public void Gather_AfterTheLeaseIsLost_TakesNothingAway()
    {
        using var log = Open();
        log.Append(Record("a"));
        var helper = Helper("b");
        foreach (var file in Directory.GetFiles(_temp["leases"])) File.Delete(file);
        Assert.Throws<LeaseLostException>(() => log.Gather([helper], Order("ab")));
        Assert.Equal(["b"], SampleLog.Read(helper).Records.Select(record => record.Sample));
        Assert.Equal(["a"], SampleLog.Read(_temp["t.jsonl"]).Records.Select(record => record.Sample));
    }

    [Fact]
    public void LogOfAHelper_ThatMeasuredNothing_LeavesNoFile() => Assert.False(File.Exists(Helper()));

    [Theory]
    [InlineData("0123456789abcdef.jsonl", true)]
    [InlineData("0123456789abcdef-01234567.jsonl", true)]
    [InlineData("0123456789abcdef-0123456.jsonl", false)]
    [InlineData("0123456789abcdef-0123456g.jsonl", false)]
    [InlineData("0123456789abcdef-01234567.jsonl.tmp", false)]
    [InlineData("0123456789abcdeg.jsonl", false)]
    [InlineData("0123456789abcde.jsonl", false)]
    [InlineData("-.jsonl", false)]
    public void Logs_AreFoundByTheirNames(string name, bool isOne)
    {
        _temp.Write($"samples/{name}", "");
        Assert.Equal(isOne ? ["0123456789abcdef"] : [], RunPaths.Logs(_temp.Root).Select(log => log.Trial));
    }
}

using KvPareto.Sweep.Journaling;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Journaling;

public class SampleLogTests
{
    private static SampleRecord Record(string sample, double score = 0.3333333333333333) => new()
    {
        Task = "facts",
        Sample = sample,
        Prediction = "line one\nline two \"quoted\" é 😀 \u2028",
        Score = score,
        PromptTokens = 10,
        NewTokens = 2,
        Peaks = new(new(1, 2, 3, 4), new(5, 6, 7, 8), default),
        TtftMs = 1.25,
        TpotMs = null,
    };

    [Fact]
    public void Append_ReadsBack()
    {
        using var temp = new ScratchFolder();
        using (var log = SampleLog.TryOpen(temp["t.jsonl"])!)
        {
            log.Append(Record("a"));
            log.Append(Record("b", 1));
        }
        Assert.Equal(2, File.ReadAllLines(temp["t.jsonl"]).Length);
        using var again = SampleLog.TryOpen(temp["t.jsonl"])!;
        Assert.Equal(Record("a"), again.Find("facts", "a"));
        Assert.Equal(Record("b", 1), again.Find("facts", "b"));
        Assert.Null(again.Find("counts", "a"));
    }

    [Fact]
    public void Open_CutsATornLine_AndAppendsAfterIt()
    {
        using var temp = new ScratchFolder();
        using (var log = SampleLog.TryOpen(temp["t.jsonl"])!) log.Append(Record("a"));
        File.AppendAllText(temp["t.jsonl"], "{\"task\":\"facts\",\"sam");
        using (var log = SampleLog.TryOpen(temp["t.jsonl"])!) log.Append(Record("b"));
        using var again = SampleLog.TryOpen(temp["t.jsonl"])!;
        Assert.Equal(2, again.Count);
    }

    [Fact]
    public void Open_IsAClaim()
    {
        using var temp = new ScratchFolder();
        using (SampleLog.TryOpen(temp["t.jsonl"])) Assert.Null(SampleLog.TryOpen(temp["t.jsonl"]));
        using var free = SampleLog.TryOpen(temp["t.jsonl"]);
        Assert.NotNull(free);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"task\":\"facts\"")]
    [InlineData("twice")]
    [InlineData("score")]
    [InlineData("part")]
    public void Open_NamesTheLineThatIsDamaged(string damage)
    {
        using var temp = new ScratchFolder();
        using (var log = SampleLog.TryOpen(temp["t.jsonl"])!) log.Append(Record("a"));
        var line = File.ReadAllText(temp["t.jsonl"]);
        var second = damage switch
        {
            "twice" => line,
            "score" => line.Replace("0.3333333333333333", "1.5", StringComparison.Ordinal),
            "part" => line.Replace("\"a\"", "\"b\",\"parts\":{\"flexible\":2}", StringComparison.Ordinal),
            _ => damage + "\n",
        };
        File.WriteAllText(temp["t.jsonl"], line + second + line);
        var error = Assert.Throws<ConfigException>(() => SampleLog.TryOpen(temp["t.jsonl"]));
        Assert.StartsWith(temp["t.jsonl"] + ":2: ", error.Message, StringComparison.Ordinal);
    }
}

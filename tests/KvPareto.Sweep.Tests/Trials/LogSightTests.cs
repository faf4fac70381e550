using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

public sealed class LogSightTests : IDisposable
{
    private const string Trial = "0123456789abcdef";

    private readonly ScratchFolder _temp = new();
    private readonly LeaseBook _leases;
    private readonly LogSight _sight;

    public LogSightTests()
    {
        _leases = new(_temp["leases"], LeaseTimes.Default);
        Directory.CreateDirectory(RunPaths.Samples(_temp.Root));
        _sight = new(_temp.Root);
    }

    public void Dispose()
    {
        _leases.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public void Read_SeesWhatWasAppended_ByWhomever_AndNoTornLine()
    {
        Assert.Equal("", Seen());
        using var own = Open();
        own.Append(Record("a"));
        Assert.Equal("a", Seen());
        own.Append(Record("b"));
        using var helper = SampleLog.Open(RunPaths.NewHelperLog(_temp.Root, Trial), _leases.TryTake($"{Trial}-1")!, isHelpers: true);
        helper.Append(Record("e"));
        File.AppendAllText(RunPaths.Samples(_temp.Root, Trial), "{\"task\":");
        Assert.Equal("abe", Seen());
        helper.Append(Record("f"));
        Assert.Equal("abef", Seen());
    }

    /// <summary>Who takes a trial over puts a copy of the log in its place, who ends it one log of all.</summary>
    [Fact]
    public void Read_OfALogThatAnotherIsInThePlaceOf_IsOfThatOne()
    {
        using (var first = Open())
        {
            foreach (var sample in "ad") first.Append(Record($"{sample}"));
            Assert.Equal("ad", Seen());
        }
        using var second = Open();
        second.Append(Record("e"));
        Assert.Equal("ade", Seen());
        var path = RunPaths.NewHelperLog(_temp.Root, Trial);
        using (var helper = SampleLog.Open(path, _leases.TryTake($"{Trial}-1")!, isHelpers: true)) helper.Append(Record("longer"));
        second.Gather([path], new[] { "a", "longer", "d", "e" }.Select(sample => ("facts", sample)));
        Assert.Equal("adelonger", Seen());
    }

    [Fact]
    public void Read_RefusesADamagedLine_AtWhateverLookItCame()
    {
        using var own = Open();
        own.Append(Record("a"));
        Assert.Equal("a", Seen());
        own.Append(Record("b"));
        var path = RunPaths.Samples(_temp.Root, Trial);
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"sample\":\"b\"", "\"sample\":\"c\"", StringComparison.Ordinal));
        for (var look = 0; look < 2; look++)
        {
            var error = Assert.Throws<ConfigException>(Seen);
            Assert.StartsWith($"{path}:2: not a sample (its checksum", error.Message, StringComparison.Ordinal);
        }
    }

    private SampleLog Open() => SampleLog.Open(RunPaths.Samples(_temp.Root, Trial), _leases.TryTake(Trial)!);

    private string Seen()
    {
        _sight.Look();
        return string.Concat(_sight.Read(Trial).Keys.Select(key => key.Sample).Order(StringComparer.Ordinal));
    }

    private static SampleRecord Record(string sample) => new()
    {
        Task = "facts",
        Sample = sample,
        Prediction = new TextPrediction("yes"),
        Score = 1,
        PromptTokens = 10,
        NewTokens = 2,
        Peaks = new(new(1, 2, 3, 4), new(5, 6, 7, 8), default),
        TtftMs = 1.25,
    };
}

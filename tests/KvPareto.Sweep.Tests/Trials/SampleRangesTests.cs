using KvPareto.Engine.Settings;
using KvPareto.Sweep.Trials;

namespace KvPareto.Sweep.Tests.Trials;

public class SampleRangesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1000)]
    [InlineData(14042)]
    public void Ranges_AreAllSamplesOnce_FewerAndFewer_AndSingleOnesLast(int samples)
    {
        var trial = Trial(samples);
        var ranges = SampleRanges.Of(trial);
        Assert.Equal(trial.InOrder(), ranges.SelectMany(range => range));
        int[] counts = [.. ranges.Select(range => range.Count)];
        Assert.Equal(counts.OrderDescending(), counts);
        Assert.All(counts.TakeLast(15), count => Assert.Equal(1, count));
        Assert.InRange(ranges.Count, 1, 130);
    }

    /// <summary>Processes of other times and machines must cut alike.</summary>
    [Fact]
    public void Ranges_OfAHundredSamples_AreThese()
    {
        int[] counts = [.. SampleRanges.Of(Trial(100)).Select(range => range.Count)];
        Assert.Equal([7, 6, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2], counts[..23]);
        Assert.Equal(84 + 16, counts.Sum());
    }

    [Fact]
    public void RangesOfARepeat_AreInItsOwnOrder()
    {
        var (plain, repeat) = (Trial(50), Trial(50, repeat: 1));
        Assert.Equal(plain.InOrder().Select(next => next.Sample.Id).Order(), repeat.InOrder().Select(next => next.Sample.Id).Order());
        Assert.NotEqual(plain.InOrder().Select(next => next.Sample.Id), repeat.InOrder().Select(next => next.Sample.Id));
        Assert.Equal(repeat.InOrder().Select(next => next.Sample.Id), SampleRanges.Of(repeat).SelectMany(r => r).Select(n => n.Sample.Id));
    }

    private static PlannedTrial Trial(int samples, int? repeat = null)
    {
        var task = new SweepTask("facts", new FakeTask("facts", samples));
        var setting = InferenceSetting.Parse("w16a16-k16v16");
        var model = new PreparedModel(FakeSweep.Config().Models[0], "digest", [task.Prepared(task.Task.Prepare(null!))])
        { Settings = [setting] };
        return new(1, new("one", "digest", setting, [task.Digest], 7, Repeat: repeat), model);
    }
}

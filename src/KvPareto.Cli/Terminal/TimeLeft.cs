using System.Diagnostics;
using System.Globalization;

namespace KvPareto.Cli.Terminal;

/// <summary>How long a sweep will still take, from the samples measured since it began.</summary>
internal sealed class TimeLeft
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _doneBefore;
    private long _done;
    private long _total;

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>The estimate; null while nothing has been measured.</summary>
    public TimeSpan? Left => _done > _doneBefore ? _clock.Elapsed * ((double)(_total - _done) / (_done - _doneBefore)) : null;

    /// <summary>Starts counting with what earlier runs have done.</summary>
    public void Begin(long done, long total)
    {
        (_doneBefore, _done, _total) = (done, done, total);
        _clock.Restart();
    }

    /// <summary>So many samples are done now.</summary>
    public void Reach(long done) => _done = done;

    /// <summary><c>1:02:03</c> or <c>2:03</c>; a dash where there is none.</summary>
    public static string Text(TimeSpan? time) => time is not { } t ? "-"
        : t.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalHours}:{t.Minutes:D2}:{t.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalMinutes}:{t.Seconds:D2}");
}

using System.Diagnostics;
using System.Globalization;

namespace KvPareto.Cli.Terminal;

/// <summary>How long a sweep has taken and, by its latest estimate, will still take.</summary>
internal sealed class TimeLeft
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private (TimeSpan Left, TimeSpan At)? _estimate;

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>The estimate less the time since it was made; null while there is none.</summary>
    public TimeSpan? Left =>
        _estimate is { } latest ? TimeSpan.FromTicks(Math.Max(0, (latest.Left + latest.At - _clock.Elapsed).Ticks)) : null;

    /// <summary>Starts the clock.</summary>
    public void Begin()
    {
        _estimate = null;
        _clock.Restart();
    }

    /// <summary>Takes in an estimate; null changes nothing.</summary>
    public void Expect(TimeSpan? left)
    {
        if (left is { } time) _estimate = (time, _clock.Elapsed);
    }

    /// <summary><c>1:02:03</c> or <c>2:03</c>; a dash where there is none.</summary>
    public static string Text(TimeSpan? time) => time is not { } t ? "-"
        : t.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalHours}:{t.Minutes:D2}:{t.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalMinutes}:{t.Seconds:D2}");
}

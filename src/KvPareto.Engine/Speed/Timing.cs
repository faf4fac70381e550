using System.Diagnostics;

namespace KvPareto.Engine.Speed;

/// <summary>Times of one action over many runs, in seconds.</summary>
/// <param name="Best">The shortest: what the code does when the machine does nothing else.</param>
/// <param name="Median">The middle one: what it did while measured.</param>
public readonly record struct Timing(double Best, double Median)
{
    private const int MinRuns = 5;

    /// <summary>Runs an action for about <paramref name="seconds"/> and at least five times, after a tenth of that as warm-up.</summary>
    public static Timing Of(Action action, double seconds = 0.5)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < seconds / 10;) action();
        var times = new List<double>();
        for (var start = Stopwatch.GetTimestamp(); times.Count < MinRuns || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
        {
            var run = Stopwatch.GetTimestamp();
            action();
            times.Add(Stopwatch.GetElapsedTime(run).TotalSeconds);
        }
        times.Sort();
        return new(times[0], times[times.Count / 2]);
    }
}

using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Latency;

/// <summary>The times of one setting at one length.</summary>
public sealed record BenchRow
{
    /// <summary>The model's short name.</summary>
    public required string Model { get; init; }

    /// <summary>The device in words.</summary>
    public required string Device { get; init; }

    /// <summary>Short name of the setting.</summary>
    public required string Setting { get; init; }

    /// <summary>Tokens in the cache before the prompt.</summary>
    public required int Depth { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int Prompt { get; init; }

    /// <summary>Tokens generated.</summary>
    public required int NewTokens { get; init; }

    /// <summary>Sequences whose later tokens are made together.</summary>
    public int Sequences { get; init; } = 1;

    /// <summary>Timed runs.</summary>
    public required int Repeats { get; init; }

    /// <summary>Tokens before the first new one.</summary>
    public int Context => Depth + Prompt;

    /// <summary>Median time to the first token; null without a prompt.</summary>
    public RunTime? FirstToken { get; init; }

    /// <summary>Median over the runs of each run's mean time of a later token, of all sequences at once; null without one.</summary>
    public RunTime? LaterToken { get; init; }

    /// <summary>Inference peak of all sequences.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>Peak while loading.</summary>
    public required long LoadBytes { get; init; }
}

/// <summary>A time over several runs, in milliseconds.</summary>
/// <param name="Median">The middle one, or the mean of the two.</param>
/// <param name="Deviation">Sample standard deviation; null of one run.</param>
/// <param name="Floor">The least that it could be by bytes and operations; null where that is not known.</param>
public sealed record RunTime(double Median, double? Deviation, double? Floor)
{
    /// <summary>The time of several runs; null of none.</summary>
    public static RunTime? Of(IEnumerable<double> milliseconds, double? floor)
    {
        double[] sorted = [.. milliseconds.Order()];
        return SampleStatistics.Median(sorted) is { } median ? new(median, SampleStatistics.Deviation(sorted), floor) : null;
    }
}

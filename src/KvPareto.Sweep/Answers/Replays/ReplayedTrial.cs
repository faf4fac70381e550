using KvPareto.Engine.Settings;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Answers.Replays;

/// <summary>A measured trial of a finished run, of which a replayed search has seen a part.</summary>
internal sealed class ReplayedTrial
{
    private readonly InferenceSetting _setting;
    private readonly bool _isBaseline;
    private readonly Task[] _tasks;
    private readonly double? _divergence;
    private readonly double _probeSeconds;
    private readonly int _probePrompts;
    private bool _isProbed;

    /// <summary>A trial of which nothing was seen yet.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="records">Its samples.</param>
    /// <param name="isBaseline">Whether others are compared with it.</param>
    /// <param name="probe">Its probe; null where it was not probed.</param>
    /// <param name="seed">Seed of the order of samples.</param>
    public ReplayedTrial(
        TrialResult trial, IReadOnlyList<SampleRecord> records, bool isBaseline, ReplayedProbe? probe, int seed)
    {
        (Trial, _setting, _isBaseline) = (trial, InferenceSetting.Parse(trial.Setting), isBaseline);
        (_divergence, _probeSeconds, _probePrompts) = (probe?.Divergence, probe?.Seconds ?? 0, probe?.Prompts ?? 0);
        _tasks = [.. records.GroupBy(record => record.Task).Select(task => Task.Of(trial, task.Key, [.. task], seed))];
        WholeSeconds = _tasks.Sum(task => task.Seconds.Sum());
    }

    /// <summary>The trial.</summary>
    public TrialResult Trial { get; }

    /// <summary>All of its samples were seen.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Time of all its samples, in seconds.</summary>
    public double WholeSeconds { get; }

    /// <summary>All its samples.</summary>
    public int WholePrompts => _tasks.Sum(task => task.Scores.Length);

    /// <summary>Time of what was seen, probe included.</summary>
    public double SeenSeconds => (_isProbed ? _probeSeconds : 0) + _tasks.Sum(task => task.Seconds.Take(task.Seen).Sum());

    /// <summary>Prompts that were read, probes' included.</summary>
    public int SeenPrompts => (_isProbed ? _probePrompts : 0) + _tasks.Sum(task => task.Seen);

    /// <summary>The trial as a search sees it now.</summary>
    public SearchPoint Point() => new(_setting, () =>
        [.. _tasks.Select(task => new SeenTask(task.Scores.Length, task.IsScored, task.Scores[..task.Seen]))])
    {
        IsBaseline = _isBaseline,
        PeakBytes = Trial.Peaks.Inference.Total,
        State = IsWhole ? PointState.Measured : PointState.Open,
        Divergence = _isProbed ? _divergence : null,
    };

    /// <summary>Shows a search what it asks for.</summary>
    public void Show(SearchWish wish)
    {
        if (wish is ProbeWish) _isProbed = true;
        if (wish is WholeWish) IsWhole = true;
        for (var task = 0; task < _tasks.Length && wish is not ProbeWish; task++)
            _tasks[task].Seen = Math.Max(_tasks[task].Seen, wish is PartWish part ? part.Counts[task] : _tasks[task].Scores.Length);
    }

    private sealed class Task
    {
        public required bool IsScored { get; init; }

        public required double[] Scores { get; init; }

        public required double[] Seconds { get; init; }

        public int Seen { get; set; }

        // The logs of all trials have the same samples: any order that follows from their names is the same for all.
        public static Task Of(TrialResult trial, string name, SampleRecord[] records, int seed)
        {
            SampleRecord[] named = [.. records.OrderBy(record => record.Sample, StringComparer.Ordinal)];
            SampleRecord[] ordered = [.. SampleOrder.Of(name, named.Length, seed).Select(index => named[index])];
            return new()
            {
                IsScored = trial.Scores.Any(score => score.Task == name),
                Scores = [.. ordered.Select(record => record.Score)],
                Seconds = [.. ordered.Select(record => record.Seconds)],
            };
        }
    }
}

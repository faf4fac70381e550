using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// How long what is missing of a sweep will take: the work of its samples (prompt lengths, widths of the model, new tokens) at the
/// speed of those measured. Of a setting not yet measured the speed is that of its weights and kernel, else of its model, else of all.
/// </summary>
internal sealed class TimeEstimate
{
    // A program that has just been started is slow at first: what it measures counts once it takes as long three times in a row.
    private const int SteadySamples = 3;
    private const double SteadyFactor = 1.5;
    private const double PatienceSeconds = 60;

    private const double UnknownShare = 0.5; // of the new tokens that a sample allows

    private readonly int _repeats;
    private readonly bool _sharesWork;
    private readonly PlannedTrial[] _trials;
    private readonly Dictionary<(PreparedModel, AttentionKernel, string), SampleWork> _whole = [];
    private readonly Dictionary<(int Trial, string Task), SampleWork> _missing = [];
    private readonly Speed[][] _speeds; // by the trial's index from 1: of the nearest to it, to that of all
    private readonly Dictionary<string, WorkRate> _tokens = []; // new tokens of those allowed, by task
    private readonly Dictionary<string, WorkRate> _besides = []; // scoring and writing, by task
    private readonly WorkRate _loads = new();
    private readonly Queue<Measurement> _starting = [];
    private bool _isSteady;
    private double _waited;
    private PlannedTrial? _last;
    private (double Own, double Elsewhere) _done;

    /// <summary>An estimate of a sweep of which nothing is done yet.</summary>
    /// <param name="trials">All trials in the order of running.</param>
    /// <param name="repeats">Generations of each sample.</param>
    /// <param name="sharesWork">Most samples share work with others: they go as fast as those have.</param>
    public TimeEstimate(IReadOnlyList<PlannedTrial> trials, int repeats, bool sharesWork)
    {
        (_trials, _repeats, _sharesWork) = ([.. trials], repeats, sharesWork);
        _speeds = new Speed[trials.Count + 1][];
        var speeds = new Dictionary<object, Speed>();
        foreach (var trial in trials)
        {
            foreach (var (task, _) in trial.Model.Tasks) _missing[(trial.Index, task.Name)] = Whole(trial, task.Name);
            _speeds[trial.Index] = Array.ConvertAll(Keys(trial), SpeedOf);
        }

        Speed SpeedOf(object key)
        {
            if (!speeds.TryGetValue(key, out var speed)) speeds[key] = speed = new();
            return speed;
        }
    }

    /// <summary>A trial is begun or gone on with.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="isKnown">An earlier run, or another worker, measured the sample.</param>
    /// <param name="isShared">What is known now and was not before, others have measured meanwhile.</param>
    public void Begun(PlannedTrial trial, Func<SweepTask, TaskSample, bool> isKnown, bool isShared = false)
    {
        var before = isShared ? Seconds(trial) : null;
        foreach (var (task, samples) in trial.Model.Tasks)
        {
            var known = samples.Where(sample => isKnown(task, sample));
            _missing[(trial.Index, task.Name)] = known.Aggregate(
                Whole(trial, task.Name), (left, sample) => left - WorkOf(trial, sample));
        }
        if (before is { } seconds) _done.Elsewhere += Math.Max(0, seconds - (Seconds(trial) ?? seconds));
    }

    /// <summary>A sample was measured.</summary>
    /// <param name="trial">Its trial.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="record">What came of it.</param>
    /// <param name="wall">Time since the sample before, with loading, scoring and writing.</param>
    public void Measured(PlannedTrial trial, TaskSample sample, SampleRecord record, TimeSpan wall)
    {
        _missing[(trial.Index, record.Task)] -= WorkOf(trial, sample);
        var measured = Measure(trial, sample, record);
        var besides = Math.Max(0, wall.TotalSeconds - _repeats * (measured.ReadSeconds + measured.MadeSeconds));
        if (_last is null || LoadOf(_last) != LoadOf(trial)) _loads.Add(besides, 1);
        else if (!measured.IsShared) Add(_besides, record.Task, besides, 1); // else there is work of others in it
        _last = trial;

        _starting.Enqueue(measured);
        if (_starting.Count > SteadySamples) _starting.Dequeue();
        _waited += wall.TotalSeconds;
        _isSteady |= IsSteady() || _waited > PatienceSeconds;
        while (_isSteady && _starting.TryDequeue(out var first)) Take(first);
    }

    /// <summary>Takes in how long a sample took that an earlier run measured on this device.</summary>
    public void Seen(PlannedTrial trial, TaskSample sample, SampleRecord record)
    {
        if (!record.WarmUp) Take(Measure(trial, sample, record));
    }

    /// <summary>The time that a trial's missing samples will take; null while nothing tells.</summary>
    public TimeSpan? Of(PlannedTrial trial) => Seconds(trial) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>A trial has its result: of this worker, or of another.</summary>
    public void Ended(PlannedTrial trial, bool elsewhere)
    {
        if (elsewhere) _done.Elsewhere += Seconds(trial) ?? 0;
        foreach (var (task, _) in trial.Model.Tasks) _missing[(trial.Index, task.Name)] = default;
    }

    /// <summary>The time left; null while nothing has been measured that tells.</summary>
    public TimeSpan? Left()
    {
        // Workers that share the folder go on as fast as they have so far.
        var share = _done is { Own: > 0, Elsewhere: > 0 } ? _done.Own / (_done.Own + _done.Elsewhere) : 1;
        return LeftAlone() * share;
    }

    /// <summary>The same if this process did all that is missing.</summary>
    public TimeSpan? LeftAlone()
    {
        var (seconds, loaded) = (0.0, _last is null ? default : LoadOf(_last));
        foreach (var trial in _trials)
        {
            if (Seconds(trial) is not { } needed) return null;
            seconds += needed;
            if (needed == 0 || LoadOf(trial) == loaded) continue;
            seconds += _loads.SecondsPerUnit ?? 0;
            loaded = LoadOf(trial);
        }
        return TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.MaxValue.TotalSeconds / 2));
    }

    private bool IsSteady() => _starting.Count == SteadySamples
        && _starting.Max(measured => measured.ReadRate) <= SteadyFactor * _starting.Min(measured => measured.ReadRate);

    // Time to the first token is reading; tokens after it are made.
    private Measurement Measure(PlannedTrial trial, TaskSample sample, SampleRecord record)
    {
        var work = WorkOf(trial, sample);
        var (allowed, made) = (Math.Max(0, sample.MaxNewTokens - 1), Math.Max(0, record.NewTokens - 1));
        if (allowed > 0) Add(_tokens, record.Task, made, allowed);
        var share = allowed == 0 ? 0 : made / (double)allowed;
        return new(
            trial, record.TtftMs / 1000, work.Read, (record.TpotMs ?? 0) / 1000 * made, work.Made * share, record.IsShared);
    }

    private void Take(Measurement measured)
    {
        foreach (var speed in _speeds[measured.Trial.Index])
        {
            (measured.IsShared ? speed.ReadShared : speed.Read).Add(measured.ReadSeconds, measured.ReadWork);
            if (measured.MadeWork > 0)
                (measured.IsShared ? speed.MadeShared : speed.Made).Add(measured.MadeSeconds, measured.MadeWork);
        }
        _done.Own += measured.ReadSeconds + measured.MadeSeconds;
    }

    private double? Seconds(PlannedTrial trial)
    {
        var seconds = 0.0;
        foreach (var (task, _) in trial.Model.Tasks)
        {
            var work = _missing[(trial.Index, task.Name)];
            if (work.Samples == 0) continue;
            if (((_sharesWork ? Rate(trial, speed => speed.ReadShared) : null) ?? Rate(trial, speed => speed.Read)) is not { } read)
                return null;
            var made = work.Made * (_tokens.GetValueOrDefault(task.Name)?.SecondsPerUnit ?? UnknownShare);
            var besides = _besides.GetValueOrDefault(task.Name)?.SecondsPerUnit ?? 0;
            // Before any token was made after a first one, making is as slow as reading.
            var make = (_sharesWork ? Rate(trial, speed => speed.MadeShared) : null) ?? Rate(trial, speed => speed.Made) ?? read;
            seconds += (_sharesWork ? 1 : _repeats) * (work.Read * read + made * make) + work.Samples * besides;
        }
        return seconds;
    }

    private SampleWork Whole(PlannedTrial trial, string name)
    {
        if (_whole.TryGetValue((trial.Model, trial.Spec.Setting.Attention, name), out var known)) return known;
        var samples = trial.Model.Tasks.First(task => task.Task.Name == name).Samples;
        return _whole[(trial.Model, trial.Spec.Setting.Attention, name)] =
            samples.Aggregate(default(SampleWork), (sum, sample) => sum + WorkOf(trial, sample));
    }

    private static SampleWork WorkOf(PlannedTrial trial, TaskSample sample) =>
        SampleWork.Of(trial.Model.Config, trial.Spec.Setting.Attention, sample);

    private static (string, WeightSpec) LoadOf(PlannedTrial trial) => (trial.Spec.ModelDigest, trial.Spec.Setting.Weights);

    // From the nearest to the farthest.
    private static object[] Keys(PlannedTrial trial) =>
    [
        (trial.Spec.ModelDigest, trial.Spec.Setting.Name),
        (trial.Spec.ModelDigest, trial.Spec.Setting.Weights, trial.Spec.Setting.Attention),
        trial.Model.OriginalDigest,
        "all",
    ];

    // Asked of every trial after every sample.
    private double? Rate(PlannedTrial trial, Func<Speed, WorkRate> of)
    {
        foreach (var speed in _speeds[trial.Index])
            if (of(speed).SecondsPerUnit is { } rate) return rate;
        return null;
    }

    private static void Add(Dictionary<string, WorkRate> rates, string key, double seconds, double work)
    {
        if (!rates.TryGetValue(key, out var rate)) rates[key] = rate = new();
        rate.Add(seconds, work);
    }

    // How fast prompts are read and new tokens made, alone and where samples share work.
    private sealed class Speed
    {
        public WorkRate Read { get; } = new();

        public WorkRate ReadShared { get; } = new();

        public WorkRate Made { get; } = new();

        public WorkRate MadeShared { get; } = new();
    }

    private sealed record Measurement(
        PlannedTrial Trial, double ReadSeconds, double ReadWork, double MadeSeconds, double MadeWork, bool IsShared)
    {
        public double ReadRate => ReadSeconds / ReadWork;
    }
}

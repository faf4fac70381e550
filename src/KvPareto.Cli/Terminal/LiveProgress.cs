using System.Globalization;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;

namespace KvPareto.Cli.Terminal;

/// <summary>A running sweep on a terminal: ended trials as lines that stay; below them a bar with the time left, the trial and its
/// setting.</summary>
internal sealed class LiveProgress : IProgress<SweepEvent>, IDisposable
{
    /// <summary>Columns to take where a terminal does not say.</summary>
    public const int DefaultWidth = 80;

    private const int BarCells = 10;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly LiveBlock _block;
    private readonly Timer _timer;
    private readonly TimeLeft _time = new();
    private long _samples;
    private long _done;
    private readonly SortedDictionary<string, string[]> _going = new(StringComparer.Ordinal) { [""] = ["starting"] }; // by worker
    private bool _begun;
    private bool _ended;

    /// <summary>Begins to show with the first event.</summary>
    public LiveProgress(LiveBlock block)
    {
        _block = block;
        _timer = new(_ => Draw(), null, Period, Period);
    }

    /// <inheritdoc/>
    public void Report(SweepEvent value)
    {
        lock (_lock)
        {
            switch (value)
            {
                case WeightsMade made:
                    _block.Print(TrialText.Making(made));
                    break;
                case SweepPlanned planned:
                    (_begun, _samples) = (true, planned.Samples);
                    _time.Begin();
                    _done = planned.SamplesDone;
                    if (planned.Limit is not null) _block.Print(TrialText.Planned(planned));
                    break;
                case TrialBegun begun:
                    Go(begun.Worker, Numbered(begun.Trial, begun.Trials, begun.Model), ContextText.Of(begun.Setting, begun.Context));
                    break;
                case SampleMeasured measured:
                    Move(measured.SamplesDone, measured.Left);
                    return; // The timer draws: a slow terminal must not hold up what is measured.
                case TrialEnded ended:
                    Move(ended.SamplesDone, ended.Left);
                    var by = ended.Worker is { } worker ? worker + " " : "";
                    _block.Print(
                        $"{TimeLeft.Text(_time.Elapsed),7} {by}{Numbered(ended.Trial, ended.Trials, ended.Result.Model)} "
                            + $"{ContextText.Of(ended.Result.Setting, ended.Result.Context)}  {TrialText.Outcome(ended.Result)}");
                    break;
                case SweepWaiting waiting:
                    Go(waiting.Worker, waiting.Worker is null ? TrialText.Waiting(waiting) : "waiting");
                    break;
                case WorkerGone gone:
                    _going.Remove(gone.Worker ?? "");
                    _block.Print(TrialText.Gone(gone));
                    break;
                case TrialLeft others:
                    Move(others.SamplesDone, others.Left);
                    break;
            }
        }
        Draw();
    }

    /// <summary>Takes the moving lines away.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            if (!_ended) _block.Clear();
            _ended = true;
        }
    }

    // A worker among several has one line, one process alone as many as it says.
    private void Go(string? worker, params string[] lines)
    {
        _going.Remove("");
        _going[worker ?? ""] = worker is null ? lines : [$"{worker} {string.Join(' ', lines)}"];
    }

    private void Move(long samplesDone, TimeSpan? left)
    {
        _done = samplesDone;
        _time.Expect(left);
    }

    private void Draw()
    {
        lock (_lock)
        {
            if (_begun && !_ended) _block.Draw([Bar(), .. _going.Values.SelectMany(lines => lines)]);
        }
    }

    // At most 44 columns up to ten hours, so that few terminals wrap it.
    private string Bar()
    {
        var share = _samples == 0 ? 1 : Math.Clamp((double)_done / _samples, 0, 1);
        var full = (int)(share * BarCells);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[{new string('#', full)}{new string('-', BarCells - full)}] {100 * share,3:F0} %  {TimeLeft.Text(_time.Elapsed)} gone, "
                + $"{TimeLeft.Text(_time.Left)} left");
    }

    private static string Numbered(int trial, int trials, string model) =>
        string.Create(CultureInfo.InvariantCulture, $"[{trial,3}/{trials}] {model}");
}

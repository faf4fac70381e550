using System.ComponentModel;
using System.Diagnostics;
using KvPareto.Cli.Terminal;
using KvPareto.Sweep;
using KvPareto.Sweep.Running;

namespace KvPareto.Cli.Workers;

/// <summary>
/// Processes that share a run folder: starts them, hands their events on as those of one sweep, and tells which ended before it did. It
/// starts none again; what a dead one had the others take over by its leases.
/// </summary>
internal sealed class WorkerPool
{
    private const int MostErrorLines = 20;
    private const int SignalBase = 128; // exit codes of processes that a signal ended

    private readonly WorkerProgress _progress;
    private readonly Lock _gate = new();
    private readonly List<(string Label, WorkerGone Gone)> _early = [];
    private bool _hasBegun;
    private int _alive;

    private WorkerPool(IProgress<SweepEvent> observer, int workers) => (_progress, _alive) = (new(observer), workers);

    /// <summary>Runs workers until all have ended.</summary>
    /// <param name="starts">How they are started.</param>
    /// <param name="observer">Told of every step, one call at a time.</param>
    /// <param name="cancellation">Ends them, as a signal would.</param>
    public static async Task<IReadOnlyList<WorkerEnd>> Run(
        IReadOnlyList<WorkerStart> starts, IProgress<SweepEvent> observer, CancellationToken cancellation)
    {
        var pool = new WorkerPool(observer, starts.Count);
        return await Task.WhenAll(starts.Select(start => pool.Run(start, cancellation)));
    }

    private async Task<WorkerEnd> Run(WorkerStart start, CancellationToken cancellation)
    {
        var end = await Work(start, cancellation);
        var others = Interlocked.Decrement(ref _alive);
        if (end.Reason is { } reason && !cancellation.IsCancellationRequested)
            Tell(start.Label, new WorkerGone(end.ExitCode, reason, others));
        return end;
    }

    // A mistake in the config is every worker's: what ends before any has begun is said of the sweep, unless another does begin.
    private void Tell(string label, WorkerGone gone)
    {
        lock (_gate)
        {
            if (!_hasBegun) _early.Add((label, gone));
            else _progress.Report(label, gone);
        }
    }

    private void Begun(string label, SweepPlanned plan)
    {
        lock (_gate)
        {
            _progress.Report(label, plan);
            _hasBegun = true;
            foreach (var (other, gone) in _early) _progress.Report(other, gone);
            _early.Clear();
        }
    }

    private async Task<WorkerEnd> Work(WorkerStart start, CancellationToken cancellation)
    {
        Process process;
        try
        {
            process = start.Begin();
        }
        catch (Win32Exception error)
        {
            return new(start.Label, null, false, $"{start.File}: {error.Message}");
        }
        using (process)
        {
            await using var stop = cancellation.Register(() => Signals.Stop(process));
            try
            {
                process.StandardInput.Close();
                var errors = Last(process.StandardError);
                var (hasBegun, end) = await Follow(start.Label, process.StandardOutput);
                var lines = await errors;
                await process.WaitForExitAsync(CancellationToken.None);
                var code = process.ExitCode;
                var isWell = code is ExitCode.Ok or ExitCode.TrialsFailed && end is not null;
                return new(start.Label, code, hasBegun, isWell ? null : end?.Error ?? Words(code, lines));
            }
            finally
            {
                // Where events cannot be handed on any more nobody is left to end it.
                Signals.Stop(process);
            }
        }
    }

    private async Task<(bool HasBegun, SweepEnded? End)> Follow(string label, StreamReader output)
    {
        var (hasBegun, end) = (false, (SweepEnded?)null);
        while (await output.ReadLineAsync(CancellationToken.None) is { } line)
        {
            switch (SweepEventJson.Read(line))
            {
                case SweepPlanned plan:
                    hasBegun = true;
                    Begun(label, plan);
                    break;
                case SweepEnded ended:
                    end = ended;
                    break;
                case { } value:
                    _progress.Report(label, value);
                    break;
            }
        }
        return (hasBegun, end);
    }

    private static async Task<Queue<string>> Last(StreamReader errors)
    {
        var lines = new Queue<string>();
        while (await errors.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (lines.Count == MostErrorLines) lines.Dequeue();
            if (line.Length > 0) lines.Enqueue(line);
        }
        return lines;
    }

    private static string Words(int code, Queue<string> lines) =>
        (code > SignalBase ? $"signal {code - SignalBase}" : "it did not say why") + (lines.Count > 0 ? ": " + lines.Last() : "");
}

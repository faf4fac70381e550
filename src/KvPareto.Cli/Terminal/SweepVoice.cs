using KvPareto.Sweep;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;

namespace KvPareto.Cli.Terminal;

/// <summary>
/// How a sweep speaks: to people on standard error, unless it is to be quiet; on standard output by the paths that it wrote, or as JSON, a
/// line an event.
/// </summary>
internal sealed class SweepVoice : IProgress<SweepEvent>, IDisposable
{
    private readonly CommandContext _context;
    private readonly bool _quiet;
    private readonly bool _json;
    private readonly IProgress<SweepEvent>? _display;

    /// <summary>Begins to show.</summary>
    public SweepVoice(CommandContext context, bool quiet, bool json)
    {
        (_context, _quiet, _json) = (context, quiet, json);
        _display = quiet ? null : SweepProgress.On(context);
    }

    /// <inheritdoc/>
    public void Report(SweepEvent value)
    {
        if (_display is not null) _display.Report(value);
        else if (value is WorkerGone gone) _context.Error.WriteLine(TrialText.Gone(gone));
        if (_json) _context.Output.WriteLine(SweepEventJson.Write(value));
    }

    /// <summary>The last words of a sweep that came to its end.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="history">What it has.</param>
    /// <param name="summary">Its report; null where none was written.</param>
    /// <returns>The exit code.</returns>
    public int End(string folder, RunHistory history, ReportSummary? summary)
    {
        Dispose();
        TrialResult[] results = [.. history.Results, .. history.Repeats];
        var finished = results.Count(result => result.Status == TrialStatus.Ok);
        var dropped = results.Count(result => result.Status == TrialStatus.Dropped);
        var failed = results.Count(result => result.Status == TrialStatus.Failed);
        var code = history.Missing.Count == 0 && failed == 0 ? ExitCode.Ok : ExitCode.TrialsFailed;
        string[] notes = [.. ClosingTable.Notes(history), .. summary?.Messages ?? []];
        if (summary is not null && !_quiet) ClosingTable.ShowTables(_context, summary);
        else Failures(results);
        foreach (var note in notes) _context.Error.WriteLine(TerminalText.OneLine(note));
        if (_json)
            _context.Output.WriteLine(SweepEventJson.Write(new SweepEnded(code, folder)
            {
                Planned = history.Planned,
                Finished = finished,
                Failed = failed,
                Dropped = dropped,
                Missing = history.Missing,
                Messages = notes,
                Files = summary?.Files ?? [],
            }));
        else foreach (var file in summary?.Files ?? [folder]) _context.Output.WriteLine(TerminalText.OneLine(file));
        return code;
    }

    /// <summary>The last words of one that did not; the line for people is the caller's.</summary>
    public void Broken(string folder, Exception error)
    {
        Dispose();
        var (code, line) = Outcome.Of(error);
        if (_json) _context.Output.WriteLine(SweepEventJson.Write(new SweepEnded(code, folder) { Error = line ?? "interrupted" }));
    }

    /// <inheritdoc/>
    public void Dispose() => (_display as IDisposable)?.Dispose();

    private void Failures(IEnumerable<TrialResult> results)
    {
        foreach (var result in results.Where(result => result.Status == TrialStatus.Failed))
            _context.Error.WriteLine(TerminalText.OneLine(
                $"{ContextText.Of(result.Setting, result.Context)} of {result.Model}: {TrialText.Outcome(result)}"));
    }
}

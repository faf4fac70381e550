using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;

namespace KvPareto.Cli.Terminal;

/// <summary>Shows a sweep of fidelity as a table that grows by a line whenever a setting is done.</summary>
internal sealed class FidelityProgress : IProgress<SweepEvent>
{
    private readonly HashSet<string> _shown = [];
    private readonly CommandContext _context;
    private readonly string _folder;
    private readonly FidelityTable _table;

    /// <summary>Chooses where the table goes: to standard error where standard output is for JSON.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="json">Standard output is for JSON.</param>
    /// <param name="longestSetting">Characters of the longest setting.</param>
    public FidelityProgress(CommandContext context, string folder, bool json, int longestSetting)
    {
        (_context, _folder) = (context, folder);
        _table = new(json ? context.Error : context.Output, json ? context.ErrorWidth() : context.OutputWidth(), longestSetting);
    }

    /// <inheritdoc/>
    public void Report(SweepEvent value)
    {
        switch (value)
        {
            case WeightsMade made:
                _context.Error.WriteLine(TrialText.Making(made));
                break;
            case SweepWaiting waiting:
                _context.Error.WriteLine(TrialText.Waiting(waiting));
                break;
            case TrialEnded ended:
                Show(ended.Result);
                break;
        }
    }

    /// <summary>Shows what was measured before or by others, and names the columns left out.</summary>
    public void End(RunHistory history)
    {
        foreach (var result in history.Results) Show(result);
        _table.End();
    }

    private void Show(TrialResult result)
    {
        if (!_shown.Add(result.TrialId)) return;
        foreach (var row in FidelityRows.OfTrial(_folder, result)) _table.Write(row);
        if (result.Status == TrialStatus.Failed)
            _context.Error.WriteLine(TerminalText.OneLine($"{result.Setting} of {result.Model}: {TrialText.Outcome(result)}"));
    }
}

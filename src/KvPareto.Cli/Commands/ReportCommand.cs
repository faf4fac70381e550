using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto report DIR…</c></summary>
internal static class ReportCommand
{
    public static Command Create(CommandContext context)
    {
        var runs = new Argument<string[]>("DIR")
        {
            Description = "Run folder of a sweep, finished or not; several are read as one run. Or the CSV of a bench, for latency.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string?>("--out")
        { Description = "Folder for the report. Default: the run's own; several runs need one.", HelpName = "FOLDER" };
        var figure = new Option<string?>("--figure")
        {
            Description = "Figures: frontier, memory, tasks, niah, ablation, fidelity, latency, context, separated by commas. "
                + "Default: all that the run has data for.",
            HelpName = "NAME,…",
        };
        var baseline = new Option<string?>("--baseline")
        {
            Description = "Setting with a result that losses and savings are taken against in place of the run's. Needs --out.",
            HelpName = "SETTING",
        };
        var format = Verb.FormatOption();
        var noHtml = Verb.NoHtmlOption();
        var repair = new Option<bool>("--repair")
        { Description = "First mend a damaged DIR: keep the lines that are whole, say what is dropped, leave the damaged files beside." };
        var command =
            new Verb("report",
                "Writes results.csv, frontier.csv, report.html and the figures again from the journal alone; needs no model and no GPU.",
            "kvpareto report runs/quickstart --figure frontier,memory --format png,pdf\nkvpareto report runs/monday runs/tuesday --out "
                + "runs/both\nkvpareto report runs/chunk --baseline w16a16-k4v4-t32 --out runs/chunk-k4v4")
            {
                runs, output, baseline, repair, figure, format, noHtml,
            };
        command.SetAction(parsed =>
        {
            var (folders, target) = (parsed.GetValue(runs)!, parsed.GetValue(output));
            if (target is not null && (folders.Length > 1 || target != folders[0]) && RunHistory.IsIn(target))
                throw new ConfigException($"--out {target}: holds a run; allowed: a folder that holds none");
            if (folders is [var file] && file.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) && File.Exists(file))
            {
                if (parsed.GetValue(baseline) is not null || parsed.GetValue(repair))
                    throw new ConfigException($"{file}: is no run; allowed for a bench's table: --out, --figure latency, --format");
                var formats = PictureFormats.Parse(parsed.GetValue(format)!);
                return Latency(context, file, target, parsed.GetValue(figure), formats);
            }
            if (target is null && folders.Length > 1)
                throw new ConfigException($"report of {folders.Length} runs; allowed: --out FOLDER, a folder for it");
            var other = parsed.GetValue(baseline);
            if (other is not null && (target is null || folders.Contains(target)))
                throw new ConfigException("report with --baseline; allowed: --out FOLDER, a folder for it");
            if (parsed.GetValue(repair))
                foreach (var line in folders.SelectMany(RunRepair.Mend)) context.Error.WriteLine(TerminalText.OneLine(line));
            var history = RunMerge.Read(folders);
            if (other is not null) history = history.Against(other);
            ClosingTable.Show(context, history, Write(
                target ?? folders[0], history, PictureFormats.Parse(parsed.GetValue(format)!), !parsed.GetValue(noHtml),
                parsed.GetValue(figure)?.Split(',', StringSplitOptions.TrimEntries)));
            return ExitCode.Ok;
        });
        return command;
    }

    // A bench's table has one figure.
    private static int Latency(CommandContext context, string file, string? folder, string? figure, IReadOnlyList<PictureFormat> formats)
    {
        if (figure is not (null or "latency")) throw new ConfigException($"--figure '{figure}'; allowed for a bench's table: latency");
        foreach (var written in ReportWriter.WriteLatency(file, formats, folder)) context.Output.WriteLine(TerminalText.OneLine(written));
        return ExitCode.Ok;
    }

    /// <summary>Writes the report of a run.</summary>
    public static ReportSummary Write(
        string folder, RunHistory history, IReadOnlyList<PictureFormat> formats, bool html, IReadOnlyList<string>? figures = null)
    {
        var options = new ReportOptions
        {
            Run = history.Heading,
            Baseline = history.Baseline,
            Seed = history.Seed,
            Formats = formats,
            Figures = figures,
            History = history,
            Notes = [.. history.Notes, .. history.Remarks],
            Html = html,
        };
        return ReportWriter.Write(folder, [.. history.Results, .. history.Repeats], options);
    }
}

using System.CommandLine;
using KvPareto.Cli.Terminal;
using KvPareto.Sweep;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto report DIR</c></summary>
internal static class ReportCommand
{
    public static Command Create(CommandContext context)
    {
        var folder = new Argument<string>("DIR") { Description = "Run folder of a sweep, finished or not." };
        var format = Verb.FormatOption();
        var command = new Verb("report", "Writes results.csv, frontier.csv and the picture again from the journal alone; needs no model and no GPU.", "kvpareto report runs/quickstart --format png,pdf") { folder, format };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(folder)!;
            Write(context, path, RunHistory.Read(path), PictureFormats.Parse(parsed.GetValue(format)!));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Writes the report of a run and shows its table.</summary>
    public static void Write(CommandContext context, string folder, RunHistory history, IReadOnlyList<PictureFormat> formats)
    {
        var options = new ReportOptions
        {
            Title = $"{history.Name}: accuracy against total peak memory",
            Baseline = history.Baseline,
            Seed = history.Seed,
            Formats = formats,
        };
        var summary = ReportWriter.Write(folder, history.Results, options);
        ClosingTable.Show(context, history, summary);
    }
}

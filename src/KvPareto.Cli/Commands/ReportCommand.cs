using System.CommandLine;
using KvPareto.Cli.Terminal;
using KvPareto.Sweep;
using KvPareto.Sweep.Reports;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto report DIR</c></summary>
internal static class ReportCommand
{
    public static Command Create(CommandContext context)
    {
        var folder = new Argument<string>("DIR") { Description = "Run folder of a sweep, finished or not." };
        var repair = new Option<bool>("--repair") { Description = "First mend a damaged DIR: keep the lines that are whole, say what is dropped, leave the damaged files beside." };
        var command = new Verb("report", "Writes results.csv, frontier.csv and frontier.png again from the journal alone; needs no model and no GPU.", "kvpareto report runs/quickstart") { folder, repair };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(folder)!;
            if (parsed.GetValue(repair))
                foreach (var line in RunRepair.Mend(path)) context.Error.WriteLine(line);
            Write(context, path, RunHistory.Read(path));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Writes the report of a run and shows its table.</summary>
    public static void Write(CommandContext context, string folder, RunHistory history)
    {
        var options = new ReportOptions { Title = $"{history.Name}: accuracy against total peak memory", Baseline = history.Baseline, Seed = history.Seed };
        var summary = ReportWriter.Write(folder, history.Results, options);
        ClosingTable.Show(context, history, summary);
    }
}

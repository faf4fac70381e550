using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Sweep.Cluster;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto status RUN</c></summary>
internal static class StatusCommand
{
    public static Command Create(CommandContext context)
    {
        var folder = new Argument<string>("RUN") { Description = "Run folder of a sweep, whoever works on it." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object; docs/cluster.md names the fields." };
        var command = new Verb(
            "status", "Shows how far a run is and who works on it, from its folder alone.", "kvpareto status runs/smollm2")
        {
            folder, json,
        };
        command.SetAction(parsed =>
        {
            var progress = RunProgress.Read(parsed.GetValue(folder)!);
            if (parsed.GetValue(json)) StatusText.WriteJson(context, progress);
            else StatusText.Show(context, progress);
            return ExitCode.Ok;
        });
        return command;
    }
}

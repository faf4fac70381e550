using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Cli.Workers;
using KvPareto.Sweep.Cluster;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto submit CONFIG --profile P.yaml --out DIR</c></summary>
internal static class SubmitCommand
{
    private const string Sbatch = "sbatch";

    public static Command Create(CommandContext context)
    {
        var config = new Argument<string>("CONFIG") { Description = "Sweep as YAML." };
        var profile = new Option<string>("--profile")
        { Description = "How the cluster is asked for workers, as YAML (docs/cluster.md).", HelpName = "FILE", Required = true };
        var folder = new Option<string>("--out")
        {
            Description = "Run folder, which every node must see; one that has been begun is gone on with.",
            HelpName = "DIR",
            Required = true
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the script; write and send nothing." };
        var command = new Verb(
            "submit",
            "Sends a sweep to a Slurm cluster as an array of jobs, each a worker on the run folder.",
            "kvpareto submit configs/smollm2.yaml --profile cluster.yaml --out /shared/runs/smollm2\nkvpareto status /shared/runs/smollm2")
        {
            config, profile, folder, dryRun,
        };
        command.SetAction(parsed =>
        {
            var file = Path.GetFullPath(parsed.GetValue(config)!);
            var script = SlurmScript.Write(
                SweepConfig.Load(file, []).Name, file, parsed.GetValue(folder)!, SlurmProfile.Load(parsed.GetValue(profile)!),
                    Program());
            if (parsed.GetValue(dryRun)) context.Output.Write(script);
            else context.Output.WriteLine(TerminalText.OneLine(Send(parsed.GetValue(folder)!, script)));
            return ExitCode.Ok;
        });
        return command;
    }

    // What a node is to start: the program's own file, or where that is .NET's host, both.
    private static string Program()
    {
        var (file, arguments) = ThisProgram.Command();
        return string.Join(' ', arguments.Prepend(file).Select(SlurmScript.Quoted));
    }

    private static string Send(string run, string script)
    {
        var folder = SlurmScript.FolderOf(run);
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "job.sh");
        File.WriteAllText(file, script);
        var start = new ProcessStartInfo(Sbatch) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(file);
        try
        {
            using var process = Process.Start(start)!;
            var mistakes = process.StandardError.ReadToEndAsync();
            var answer = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? $"{answer.Trim()}; script and logs: {folder}"
                : throw new ConfigException(
                    $"{Sbatch} {file}: exit code {process.ExitCode}: {OneLine.OfMessage(mistakes.Result.Trim())}");
        }
        catch (Win32Exception error)
        {
            throw new ConfigException(
                $"{Sbatch} could not be started: {error.Message}; allowed: a machine that sends jobs to Slurm, or --dry-run", error);
        }
    }
}

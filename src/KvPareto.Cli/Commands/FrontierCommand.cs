using System.CommandLine;
using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Sweep.Answers.Checks;
using KvPareto.Sweep.Answers.Objectives;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto frontier RUN…</c></summary>
internal static class FrontierCommand
{
    private const double DefaultTolerance = 1;
    private const double MostTolerance = 1000;

    public static Command Create(CommandContext context)
    {
        var defaults = new FrontierRequest();
        var folders = RecommendCommand.RunsArgument();
        var objectives = new Option<string>("--objectives")
        {
            Description = $"What is minimised, or of a score maximised: two or more of {FrontierAnswer.Names}.",
            HelpName = "A,B,…",
            DefaultValueFactory = _ => defaults.Objectives,
        };
        var metric = new Option<string?>("--metric")
        { Description = "A further score of the samples in place of the tasks' own, such as flexible of gsm8k.", HelpName = "NAME" };
        var tasks = new Option<string?>("--tasks")
        { Description = "Tasks that make the score, joined by commas. Default: all.", HelpName = "A,B" };
        var weights = new Option<string?>("--weights")
        { Description = "What a task counts in the score; those not named count 1.", HelpName = "TASK=N,…" };
        var csv = new Option<string?>("--csv") { Description = "Write the table to a file.", HelpName = "FILE" };
        var picture = new Option<string?>("--picture")
        { Description = "Draw it: .png, .svg or .pdf; the first two objectives are axes, the third is colour.", HelpName = "FILE" };
        var check = new Option<string?>("--check")
        {
            Description = "Compare with results.csv or frontier.csv of an earlier run instead; exit code 3 where a setting got worse.",
            HelpName = "FILE",
        };
        var tolerance = new Option<double>("--peak-tolerance")
        {
            Description = "With --check: percent by which a peak may grow.",
            HelpName = "P",
            CustomParser = Verb.Number,
            DefaultValueFactory = _ => DefaultTolerance,
        };
        var json = new Option<bool>("--json") { Description = "Print {\"models\":[…]}; docs/answers.md names the fields." };
        var command = new Verb(
            "frontier",
            "Computes the frontier of measured settings again, with objectives, tasks and metric chosen after the run.",
            "kvpareto frontier runs/smollm2 --objectives memory,score,tpot --picture frontier.png\nkvpareto frontier runs/a runs/b --tasks "
                + "hotpotqa,qasper --weights hotpotqa=2 --csv frontier.csv\nkvpareto frontier runs/today --check baseline.csv")
        {
            folders, objectives, metric, tasks, weights, csv, picture, check, tolerance, json,
        };
        command.SetAction(parsed =>
        {
            Option[] others = [objectives, metric, tasks, weights, csv, picture];
            if (parsed.GetValue(check) is not null
                && others.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
                throw new ConfigException($"{other.Name} beside --check; allowed: without it, since all that was scored is compared");
            var runs = RunMerge.Read(parsed.GetValue(folders)!);
            if (parsed.GetValue(check) is { } earlier)
                return Check(context, runs, earlier, parsed.GetValue(tolerance), parsed.GetValue(json));
            var answer = FrontierAnswer.Of(runs, new()
            {
                Objectives = parsed.GetValue(objectives)!,
                Metric = parsed.GetValue(metric),
                Tasks = parsed.GetValue(tasks),
                Weights = parsed.GetValue(weights),
                Csv = parsed.GetValue(csv),
                Picture = parsed.GetValue(picture),
            });
            foreach (var message in runs.Messages.Concat(answer.Messages).Distinct())
                context.Error.WriteLine(TerminalText.OneLine(message));
            if (parsed.GetValue(json)) FrontierText.WriteJson(context, answer);
            else FrontierText.Show(context, answer);
            return ExitCode.Ok;
        });
        return command;
    }

    private static int Check(CommandContext context, RunHistory runs, string earlier, double tolerance, bool json)
    {
        if (tolerance is not (>= 0 and <= MostTolerance))
            throw new ConfigException(
                string.Create(CultureInfo.InvariantCulture, $"--peak-tolerance {tolerance}; allowed: 0 to {MostTolerance}"));
        var check = FrontierCheck.Of(runs, earlier, tolerance);
        foreach (var message in runs.Messages.Concat(check.Messages).Distinct())
            context.Error.WriteLine(TerminalText.OneLine(message));
        if (json) CheckText.WriteJson(context, check);
        else CheckText.Show(context, check, earlier);
        return check.Points.Any(point => point.Worse.Count > 0) ? ExitCode.Unmet : ExitCode.Ok;
    }
}

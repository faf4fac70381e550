using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Answers;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto recommend RUN…</c></summary>
internal static class RecommendCommand
{
    private static readonly Dictionary<string, Preference> Preferences = new()
    {
        ["score"] = Preference.Score,
        ["memory"] = Preference.Memory,
        ["speed"] = Preference.Speed,
    };

    public static Command Create(CommandContext context)
    {
        var folders = RunsArgument();
        var budget = new Option<string?>("--budget")
        { Description = "Memory that there is, with its unit: 8GiB, 12GB, 500MiB. Loading must fit too.", HelpName = "8GiB" };
        var length = new Option<string?>("--context")
        {
            Description = "Tokens of the prompt; k stands for 1,000. Where no such prompt was measured, the peak is predicted. Default: "
                + "the lengths that were measured.",
            HelpName = "32k",
        };
        var newTokens = TokenCounts.NewTokensOption();
        var loss = new Option<string?>("--max-loss")
        { Description = "Most that may be lost: 2% of the baseline's score, or 2pt, points of score.", HelpName = "2%" };
        var certain = new Option<bool>("--certain") { Description = "The upper end of the loss's 95 % interval must be within it too." };
        var prefer = new Option<string>("--prefer")
        {
            Description = "What the best of the settings within the limits has: the highest score, the least memory, or the shortest time "
                + "of a token.",
            HelpName = string.Join('|', Preferences.Keys),
            DefaultValueFactory = _ => "score",
        };
        var model = new Option<string?>("--model")
        { Description = "One model of the runs. Default: an answer for each.", HelpName = "NAME" };
        var shapes = new Option<string?>("--shapes")
        {
            Description = "A model or architecture whose shapes are the model's, for runs whose run.json does not say them.",
            HelpName = "MODEL",
        };
        var json = new Option<bool>("--json") { Description = "Print {\"answers\":[…]}; docs/answers.md names the fields." };
        var command = new Verb(
            "recommend",
            "Says which measured setting fits a memory budget at a context within a loss, and how to run it with other engines. Exit "
                + "code 3: "
                + "none does.",
            "kvpareto recommend runs/smollm2 --budget 8GiB --context 32k --max-loss 2%\nkvpareto recommend runs/a runs/b --budget 500MiB "
                + "--prefer memory --json")
        {
            folders, budget, length, newTokens, loss, certain, prefer, model, shapes, json,
        };
        command.SetAction(parsed =>
        {
            var request = new RecommendRequest
            {
                Budget = parsed.GetValue(budget) is { } size ? ByteText.Parse("--budget", size) : null,
                Context = parsed.GetValue(length) is { } tokens ? One("--context", tokens) : null,
                NewTokens = TokenCounts.NewTokens(parsed.GetValue(newTokens)),
                MaxLoss = parsed.GetValue(loss) is { } limit ? LossLimit.Parse("--max-loss", limit) : null,
                Certain = parsed.GetValue(certain),
                Prefer = Preferences.TryGetValue(parsed.GetValue(prefer)!, out var preference) ? preference : throw new ConfigException(
                    $"--prefer '{parsed.GetValue(prefer)}'; allowed: {string.Join(", ", Preferences.Keys)}"),
                Model = parsed.GetValue(model),
                Shapes = parsed.GetValue(shapes),
            };
            var runs = RunMerge.Read(parsed.GetValue(folders)!);
            var answers = Recommender.Answer(runs, request, Layout);
            foreach (var message in runs.Messages)
                context.Error.WriteLine(TerminalText.OneLine(message));
            if (parsed.GetValue(json)) RecommendJson.Write(context, answers, request);
            else RecommendText.Show(context, answers, request);
            return answers.Any(answer => answer.Choice is not null) ? ExitCode.Ok : ExitCode.Unmet;
        });
        return command;
    }

    /// <summary>The argument of verbs that ask something of run folders.</summary>
    public static Argument<string[]> RunsArgument() => new("RUN")
    { Description = "Run folders of sweeps, finished or not; of one baseline.", Arity = ArgumentArity.OneOrMore };

    private static int One(string option, string text) => TokenCounts.Parse(option, text, TokenCounts.Most) is [var only]
        ? only
        : throw new ConfigException($"{option} '{text}'; allowed: one number of tokens, such as 32k");

    private static MemoryLayout Layout(TrialSource source) => CommandContext.Layout(source.Workers, source.Backend);
}

using System.CommandLine;
using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine;
using KvPareto.Sweep.Answers.Replays;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto replay RUN</c></summary>
internal static class ReplayCommand
{
    private static readonly FittedTable<SearchReplay> Table = new(
        [
            new("search", 0, replay => replay.Search) { IsText = true },
            new("whole", 1, replay => Whole(replay.Whole)),
            new("cost", 0, replay => Percent(replay.CostShare)),
            new("prompts", 3, replay => Percent(replay.PromptShare)),
            new("probes", 4, replay => Percent(replay.ProbeShare)),
            new("hypervolume", 0, replay => Percent(replay.HypervolumeShare)),
            new("99 % at", 3, replay => replay.CostToNearlyAll is { } share ? Percent(share) : "–"),
            new("by chance", 3, replay => Percent(replay.ChanceShare)),
            new("frontier", 2, replay => $"{Whole(replay.FrontierFound)} of {Whole(replay.FrontierPoints)}"),
            new("largest loss", 1, replay => replay.LargestLoss.ToString("F1", CultureInfo.InvariantCulture)),
        ],
        "--json has them");

    public static Command Create(CommandContext context)
    {
        var folder = new Argument<string>("RUN") { Description = "Run folder of a finished sweep in which everything was measured." };
        var search = new Option<string[]>("--search")
        {
            Description = "A search as the key 'search' of a config says it. May be repeated.",
            HelpName = "SEARCH",
            DefaultValueFactory = _ => ["halving", "predict", "nsga2"],
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object; docs/search.md names the fields." };
        var command = new Verb(
            "replay", "Tells what searches would have made of a finished run: at what share of the time how much of its frontier.",
            "kvpareto replay runs/search-grid --search predict --search \"{kind: halving, margin: 5}\"")
        {
            folder, search, json,
        };
        command.SetAction(parsed =>
        {
            var run = parsed.GetValue(folder)!;
            var areChosen = parsed.GetResult(search) is { Implicit: false };
            var searches = parsed.GetValue(search)!.ToLookup(text => areChosen || !SearchReplay.LacksProbes(run, text));
            foreach (var text in searches[false]) context.Error.WriteLine($"{text} is left out: the run has no probes (docs/search.md)");
            var replays = searches[true].SelectMany(text => SearchReplay.Of(run, text)).ToList();
            if (parsed.GetValue(json)) WriteJson(context, replays);
            else Show(context, replays);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void WriteJson(CommandContext context, IReadOnlyList<SearchReplay> replays) =>
        context.Output.WriteLine(JsonText.Of(new
        {
            replays = replays.Select(replay => new
            {
                model = replay.Model,
                search = replay.Search,
                settings = replay.Settings,
                whole = replay.Whole,
                costShare = replay.CostShare,
                probeShare = replay.ProbeShare,
                promptShare = replay.PromptShare,
                hypervolumeShare = replay.HypervolumeShare,
                costToNearlyAll = replay.CostToNearlyAll,
                chanceShare = replay.ChanceShare,
                frontierPoints = replay.FrontierPoints,
                frontierFound = replay.FrontierFound,
                largestLoss = replay.LargestLoss,
            }),
        }));

    private static void Show(CommandContext context, IReadOnlyList<SearchReplay> replays)
    {
        foreach (var model in replays.GroupBy(replay => replay.Model))
        {
            context.Output.WriteLine(TerminalText.OneLine($"{model.Key}: {CountText.Of(model.First().Settings, "setting")}"));
            Table.Write(context.PlainOutput(), context.OutputWidth(), [.. model]);
        }
    }

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture) + " %";
}

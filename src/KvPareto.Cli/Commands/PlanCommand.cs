using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto plan CONFIG|MODEL</c></summary>
internal static class PlanCommand
{
    private static readonly int[] DefaultContexts = [10_000, 32_000, 128_000];

    public static Command Create(CommandContext context)
    {
        var target = new Argument<string?>("CONFIG|MODEL")
        {
            Description =
                $"A sweep (.yaml): its models and settings. Or a model: {ModelSource.Words}; its weights need not be there, a "
                + $"config.json or one of {string.Join(", ", Architectures.Names)} will do.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var contexts = new Option<string?>("--context")
        {
            Description = "Prompt lengths in tokens, joined by commas; k stands for 1,000. Default: those of 10k, 32k and 128k that "
            + "the model was made for.",
            HelpName = "10k,32k"
        };
        var settings = new Option<string?>("--settings")
        { Description = "Short names joined by commas, in place of the sweep's or the default list.", HelpName = "A,B" };
        var newTokens = TokenCounts.NewTokensOption();
        var fits = new Option<string?>("--fits")
        { Description = "Only what fits in so much memory, loading included; nothing does: exit code 3.", HelpName = "8GiB" };
        var paper = new Option<bool>("--paper")
        { Description = "The five settings that KV Pareto (arXiv 2512.01953) picks at 10k tokens, beside what it reports." };
        var threads = Verb.ThreadsOption();
        threads.Description = "Threads to plan for on cpu; each has scratch of its own. Default: one a processor.";
        var device = Verb.DeviceOption();
        device.Description = "Device to plan for: cpu, cuda, torch or torch:cuda. It need not be there.";
        var json = new Option<bool>("--json") { Description = "Print {\"rows\":[…]}; docs/memory.md names the fields." };
        var command = new Verb(
            "plan",
            "Predicts total peak memory from shapes alone, without running anything.",
            "kvpareto plan Llama-3.1-8B --context 10k,32k,128k\nkvpareto plan Llama-3.1-8B --context 32k --fits 8GiB --device "
                + "cuda\nkvpareto plan configs/smollm2.yaml --context 4096 --json\nkvpareto plan --paper --device cuda")
        {
            target, contexts, settings, newTokens, fits, paper, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var request = new Request(
                parsed.GetValue(contexts) is { } list ? TokenCounts.Parse("--context", list, TokenCounts.Most) : null,
                parsed.GetValue(settings) is { } names ? [.. Verb.Settings(names).DistinctBy(setting => setting.Name)] : null,
                TokenCounts.NewTokens(parsed.GetValue(newTokens)));
            long? room = parsed.GetValue(fits) is { } size ? ByteText.Parse("--fits", size) : null;
            var layout = CommandContext.Layout(parsed.GetValue(threads), parsed.GetValue(device)!);
            IReadOnlyList<ModelPlan> plans = (parsed.GetValue(paper), parsed.GetValue(target)) switch
            {
                (true, null) when request is { Contexts: null, Settings: null } => Paper(layout, request.NewTokens),
                (false, { } file) when IsConfig(file) => Sweep(context, layout, file, request),
                (false, { } model) => [One(context, layout, ModelSource.Open(model), request)],
                _ => throw new ConfigException("plan: give either a CONFIG or MODEL, or --paper without --context and --settings"),
            };
            if (room is { } bytes) plans = [.. plans.Select(plan => Fitting(context, plan, bytes))];
            if (parsed.GetValue(json)) PlanTable.WriteJson(context, plans, request.NewTokens);
            else PlanTable.Show(context, plans, request.NewTokens);
            return plans.All(plan => plan.Rows.Count == 0) ? ExitCode.Unmet : ExitCode.Ok;
        });
        return command;
    }

    private static bool IsConfig(string file) =>
        file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);

    private static ModelPlan[] Paper(MemoryLayout layout, int newTokens) => [.. PaperPick.All.Select(pick =>
    {
        using var shapes = ModelSource.Open(pick.Model).OpenShapes();
        return new ModelPlan(pick.Model, MemoryPlan.Rows(layout, shapes, pick.Variants, [PaperPick.Context], newTokens), pick.SavedPercent);
    })];

    private static ModelPlan[] Sweep(CommandContext context, MemoryLayout layout, string file, Request request)
    {
        var config = SweepConfig.LoadForPlan(file);
        if (request.Contexts is null && config.Contexts.Count > 0) request = request with { Contexts = config.Contexts };
        if (request.Contexts is null)
            context.Error.WriteLine(
                $"{config.Name}: planned for these contexts, not for the lengths of its tasks' prompts; --context N,… gives others");
        return
        [
            .. config.Models.Select(model => One(
                context, layout, ModelSource.Open(model.Model),
                    request with { Settings = request.Settings ?? SearchSpace.Expand(config, model) }, model)),
        ];
    }

    private static ModelPlan Fitting(CommandContext context, ModelPlan plan, long room)
    {
        static long Needed(MemoryPlanRow row) => Math.Max(row.Peak.Total, row.Peaks.Load.Total);
        var fitting = plan with { Rows = [.. plan.Rows.Where(row => Needed(row) <= room)] };
        if (fitting.Rows.Count == 0)
            context.Error.WriteLine(
                $"{plan.Model}: none of {plan.Rows.Count} fits in {ByteText.Of(room)}; the smallest takes "
                    + $"{ByteText.Of(plan.Rows.Min(Needed))}");
        return fitting;
    }

    private static ModelPlan One(CommandContext context, MemoryLayout layout, ModelSource source, Request request, ModelEntry? entry = null)
    {
        var name = entry?.Name ?? source.Name;
        using var shapes = source.OpenShapes();
        Checkpoint[] variants = [.. (entry?.Variants ?? []).Select(variant => variant.Open(shapes))];
        var contexts = request.Contexts ?? ContextsFor(shapes.Config, request.NewTokens);
        foreach (var length in contexts.Where(length => length > shapes.Config.MaxPositions))
            context.Error.WriteLine($"{name}: made for {shapes.Config.MaxPositions} positions, fewer than {length}");
        return new(name,
            MemoryPlan.Rows(
            layout, shapes, request.Settings ?? MemoryPlan.DefaultSettings(shapes.Config), contexts, request.NewTokens, variants));
    }

    private static int[] ContextsFor(ModelConfig config, int newTokens)
    {
        int[] fitting = [.. DefaultContexts.Where(length => length <= config.MaxPositions)];
        return fitting.Length > 0 ? fitting : [Math.Max(1, config.MaxPositions - newTokens)];
    }

    private sealed record Request(IReadOnlyList<int>? Contexts, IReadOnlyList<InferenceSetting>? Settings, int NewTokens);
}

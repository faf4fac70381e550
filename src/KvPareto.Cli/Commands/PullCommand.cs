using System.CommandLine;
using KvPareto.Cli.Hub;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto pull ORG/NAME</c></summary>
internal static class PullCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("REPO") { Description = "Repository of the hub: ORG/NAME, or datasets/ORG/NAME." };
        var revision = new Option<string>("--revision")
        { Description = "Branch, tag or commit.", HelpName = "REV", DefaultValueFactory = _ => "main" };
        var include = new Option<string[]>("--include")
        {
            Description = $"Files to bring, with * and ?. May be repeated. Default: {string.Join(", ", HubDownload.DefaultPatterns)}.",
            HelpName = "PATTERN",
            DefaultValueFactory = _ => [],
        };
        var command = new Verb(
            "pull",
            "Brings a model or data set from the Hugging Face hub into the hub's own cache and prints its folder, which is a MODEL.",
            "kvpareto pull HuggingFaceTB/SmolLM2-135M-Instruct\nkvpareto pull Qwen/Qwen2.5-3B-Instruct-GGUF --include '*q4_k_m*.gguf'\n"
                + "kvpareto pull datasets/zai-org/LongBench --include data.zip")
        {
            name, revision, include,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var settings = HubSettings.FromEnvironment();
            using var client = new HubClient(settings);
            var download = new HubDownload(settings, client, line => context.Error.WriteLine(TerminalText.OneLine(line)));
            var patterns = parsed.GetValue(include) is { Length: > 0 } given ? given : HubDownload.DefaultPatterns;
            context.Output.WriteLine(await download.Run(
                HubRepository.Parse(parsed.GetValue(name)!), parsed.GetValue(revision)!, patterns, cancellation));
            return ExitCode.Ok;
        });
        return command;
    }
}

using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Speed;
using KvPareto.Sweep.Latency;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto bench MODEL</c></summary>
internal static class BenchCommand
{
    private const int MostRepeats = 1000;

    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = $"{ModelSource.Words}." };
        var prompts = Numbers("-p", "--prompt", "Tokens of the prompt; 0 to time new tokens alone, after a depth.", "512");
        var newTokens = Numbers("-n", "--new-tokens", "Tokens generated; 0 to time the prompt alone.", "128");
        var depths = Numbers("-d", "--depth", "Tokens in the cache before the prompt, whose time does not count.", "0");
        var sequences = Numbers("-s", "--sequences", "Sequences of these lengths whose later tokens are made together.", "1");
        var settings = new Option<string>("--settings")
        {
            Description = "Short names of settings, joined by commas.",
            HelpName = "A,B",
            DefaultValueFactory = _ => GenerateCommand.DefaultSetting,
        };
        var chunks = new Option<string?>("--chunk")
        { Description = "Prefill chunks in place of the settings' own; 0 feeds the prompt whole.", HelpName = "N,…" };
        var repeats = new Option<int>("--repeats", "-r")
        {
            Description = "Timed runs of each, after one that compiles and warms up and does not count.",
            HelpName = "N",
            DefaultValueFactory = _ => 5,
        };
        var format = new Option<string>("--output", "-o")
        {
            Description = "Form of the output.",
            HelpName = string.Join('|', BenchOutput.Names),
            DefaultValueFactory = _ => BenchOutput.Names[0],
        };
        var noFloors = new Option<bool>("--no-floors") { Description = "Do not measure what the device does at best." };
        var threads = Verb.ThreadsOption();
        var device = Verb.DeviceOption();
        var command = new Verb(
            "bench",
            "Times prompts and new tokens of settings at lengths, beside the least time that bytes and operations allow.",
            "kvpareto bench models/llama -p 512,2k -n 64 -d 0,4k --settings w16a16-k16v16-c256,w4a16-k4v4-t64-c256\nkvpareto bench "
                + "random:1:Llama-3.1-8B -p 1k-64k*4 -n 32 --chunk 256,1k -r 3 --device cuda -o csv > bench.csv\nkvpareto report bench.csv "
                + "--figure latency")
        {
            model, prompts, newTokens, depths, sequences, settings, chunks, repeats, format, noFloors, device, threads,
        };
        command.SetAction((parsed, cancellation) =>
        {
            IReadOnlyList<int> Of(Option<string> option, int least = 0) =>
                NumberRanges.Parse(option.Name, parsed.GetValue(option)!, least, TokenCounts.Most);
            var output = BenchOutput.Of(parsed.GetValue(format)!);
            var names = Verb.Settings(parsed.GetValue(settings)!);
            var own = parsed.GetValue(chunks) is { } list ? NumberRanges.Parse(chunks.Name, list, 0, InferenceSetting.MostChunk) : null;
            var request = new BenchRequest(
                [
                    .. names.SelectMany(setting => own is null ? [setting] : own.Select(chunk => setting.WithChunk(chunk, chunks.Name)))
                        .DistinctBy(setting => setting.Name),
                ],
                Of(depths), Of(prompts), Of(newTokens), Of(sequences, least: 1), parsed.GetValue(repeats));
            if (request.Repeats is < 1 or > MostRepeats) throw new ConfigException($"-r {request.Repeats}; allowed: 1 to {MostRepeats}");
            Run(context, ModelSource.Open(parsed.GetValue(model)!), request, output, !parsed.GetValue(noFloors), parsed.GetValue(threads),
                parsed.GetValue(device)!, cancellation);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static Option<string> Numbers(string letter, string name, string description, string standard) => new(name, letter)
    {
        Description = $"{description} Lists and ranges: 512,2k, 1k-64k*4, 0-2k+500.",
        HelpName = "N,…",
        DefaultValueFactory = _ => standard,
    };

    private static void Run(
        CommandContext context, ModelSource source, BenchRequest request, BenchOutput output, bool floors, int? threads, string device,
        CancellationToken cancellation)
    {
        using var backend = CommandContext.CreateBackend(threads, device);
        DeviceRates? rates = null;
        if (floors)
        {
            rates = context.RatesOf(backend);
            context.Error.WriteLine(TerminalText.OneLine($"{backend.Device}: {rates?.Words ?? "no room to measure what it does at best"}"));
        }
        var rows = new List<BenchRow>();
        foreach (var row in BenchRunner.Run(
            backend, source, request, rates, message =>
                context.Error.WriteLine(TerminalText.OneLine($"not timed: {message}")), cancellation))
        {
            rows.Add(row);
            context.Error.WriteLine(TerminalText.OneLine(BenchOutput.Line(row)));
        }
        output.Write(context, rows);
    }
}

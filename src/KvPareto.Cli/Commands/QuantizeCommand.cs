using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Quantization;
using KvPareto.Tasks;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto quantize MODEL</c></summary>
internal static class QuantizeCommand
{
    private const int MostSamples = 100_000;

    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = $"A model with tokenizer: {ModelSource.WholeWords}." };
        var method = new Option<string>("--method")
        {
            Description = "awq: activation-aware scales and clipping; rtn: round to nearest.",
            HelpName = "awq|rtn",
            DefaultValueFactory = _ => "awq",
        };
        var bits = new Option<int>("--bits")
        {
            Description = "Bits of a code: 4, or 8 (which vLLM reads, AutoAWQ does not).",
            HelpName = "4|8",
            DefaultValueFactory = _ => 4,
        };
        var group = new Option<int>("--group")
        {
            Description = "Input channels that share a scale: 32, 64, 128.",
            HelpName = "G",
            DefaultValueFactory = _ => 128,
        };
        var calibration = new Option<string?>("--calibration")
        {
            Description = "Texts for awq: JSON Lines with 'context' or 'text', or plain text.",
            HelpName = "FILE",
        };
        var output = new Option<string>("--out") { Description = "Folder to make.", HelpName = "DIR", Required = true };
        var samples = new Option<int>("--samples")
        { Description = "Texts taken from the file.", HelpName = "N", DefaultValueFactory = _ => 64 };
        var tokens = new Option<int>("--tokens")
        { Description = "First tokens taken of each.", HelpName = "N", DefaultValueFactory = _ => 512 };
        var threads = Verb.ThreadsOption();
        var command = new Verb(
            "quantize",
            "Writes a model with 4-bit or 8-bit linear layers in AutoAWQ's format.",
            "kvpareto quantize models/llama --method awq --bits 4 --group 64 --calibration texts.jsonl --out models/llama-awq")
        {
            model, method, bits, group, calibration, output, samples, tokens, threads,
        };
        command.SetWork((parsed, cancellation) =>
        {
            var options = new QuantizeOptions(Method(parsed.GetValue(method)!), parsed.GetValue(bits), parsed.GetValue(group));
            var file = parsed.GetValue(calibration);
            if (options.Method == QuantizeMethod.Awq && file is null)
                throw new ConfigException("--method awq needs --calibration FILE; allowed without: --method rtn");
            if (options.Method == QuantizeMethod.Rtn && file is not null)
                throw new ConfigException("--method rtn takes no --calibration; allowed: leave it out, or --method awq");
            Check("--samples", parsed.GetValue(samples));
            Check("--tokens", parsed.GetValue(tokens));
            var source = ModelSource.Open(parsed.GetValue(model)!);
            source.RequireFolder();
            var texts = file is null
                ? []
                : CalibrationTexts.Read(file, source.RequireTokenizer(), parsed.GetValue(samples), parsed.GetValue(tokens));
            Run(context, source, parsed.GetValue(output)!, options, texts, parsed.GetValue(threads), cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Run(
        CommandContext context,
        ModelSource source,
        string output,
        QuantizeOptions options,
        IReadOnlyList<int[]> texts,
        int? threads,
        CancellationToken cancellation)
    {
        using var backend = CommandContext.CreateBackend(threads);
        var clock = Stopwatch.StartNew();
        void Report(QuantizedLayer layer) => context.Error.WriteLine(Line(layer, clock.Elapsed));
        try
        {
            ModelQuantizer.Run(backend, source, output, options, texts, Report, cancellation);
        }
        catch (OperationCanceledException)
        {
            context.Error.WriteLine($"kvpareto: interrupted; nothing was written to {output}");
            throw;
        }
        context.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{output}: done in {clock.Elapsed.TotalSeconds:F0} s"));
    }

    private static string Line(QuantizedLayer layer, TimeSpan elapsed)
    {
        var choices = layer.Choices.Select(choice => string.Create(
            CultureInfo.InvariantCulture,
            $"; {choice.Inputs}: r {choice.Ratio:F2}, loss {choice.Loss:G3} ({choice.Loss / choice.LossAtZero:F2} of r 0's)"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"layer {layer.Index + 1}/{layer.Count}, {elapsed.TotalSeconds:F0} s{string.Concat(choices)}");
    }

    private static QuantizeMethod Method(string word) => word switch
    {
        "awq" => QuantizeMethod.Awq,
        "rtn" => QuantizeMethod.Rtn,
        _ => throw new ConfigException($"--method {word}; allowed: awq, rtn"),
    };

    private static void Check(string option, int value)
    {
        if (value is < 1 or > MostSamples) throw new ConfigException($"{option} {value}; allowed: 1 to {MostSamples}");
    }
}

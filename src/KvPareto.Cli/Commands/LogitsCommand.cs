using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto logits MODEL --out F.safetensors</c></summary>
internal static class LogitsCommand
{
    private const string Ending = ".safetensors";
    private const string TensorName = "logits";

    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = $"{ModelSource.Words}." };
        var ids = new Option<string?>("--ids") { Description = "Token ids, joined by commas.", HelpName = "1,2,3" };
        var textFile = new Option<string?>("--text-file") { Description = "A text's file, UTF-8; - for standard input.", HelpName = "F" };
        var settings = new Option<string[]>("--setting")
        {
            Description =
                "Short name of a setting; w16a16-k32v32 keeps the cache in f32, as references do. May be repeated: each gets a file of "
                + "its own.",
            HelpName = "NAME",
            DefaultValueFactory = _ => [GenerateCommand.DefaultSetting],
        };
        var chunk = new Option<int?>("--chunk")
        { Description = "Prefill chunk in place of the settings' own; 0 feeds the text whole.", HelpName = "N" };
        var output = new Option<string>("--out")
        {
            Description = "File to write; with several settings F.SETTING.safetensors each.",
            HelpName = "F.safetensors",
            Required = true,
        };
        var threads = Verb.ThreadsOption();
        var device = Verb.DeviceOption();
        var command = new Verb(
            "logits",
            "Writes the logits after every token of a text as a safetensors tensor, logits [tokens, vocabulary] in f32, to compare with "
                + "other programs.",
            "kvpareto logits models/llama --ids 1,15043,3186 --setting w16a16-k32v32 --out logits.safetensors\n"
            + "kvpareto logits models/llama --text-file wiki.txt --setting w16a16-k16v16 --setting w16a16-k4v4-t64-c256 --out "
                + "logits.safetensors")
        {
            model, ids, textFile, settings, chunk, device, threads, output,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var path = parsed.GetValue(output)!;
            if (!path.EndsWith(Ending, StringComparison.Ordinal))
                throw new ConfigException($"--out '{path}'; allowed: a file that ends in {Ending}");
            InferenceSetting[] wanted =
                [.. parsed.GetValue(settings)!.Select(name => InferenceSetting.Parse(name).WithChunk(parsed.GetValue(chunk), chunk.Name))
                .DistinctBy(setting => setting.Name)];
            var source = ModelSource.Open(parsed.GetValue(model)!);
            var tokens = (parsed.GetValue(ids), parsed.GetValue(textFile)) switch
            {
                ({ } list, null) => Ids(list),
                (null, { } file) => source.RequireTokenizer().Encode(TokenizeCommand.Read(context, file)),
                _ => throw new ConfigException("logits: give one of --ids 1,2,3 and --text-file F"),
            };
            using var backend = CommandContext.CreateBackend(parsed.GetValue(threads), parsed.GetValue(device)!);
            using (var checkpoint = source.OpenCheckpoint())
            {
                if (tokens.Length == 0) throw new ConfigException("the text is empty; allowed: at least one token");
                if (tokens.Length > checkpoint.Config.MaxPositions)
                    throw new ConfigException(
                        $"the text has {tokens.Length} tokens; allowed: up to the model's {checkpoint.Config.MaxPositions} positions "
                            + "(max_position_embeddings)");
                foreach (var setting in wanted) backend.Check(checkpoint.Config.Geometry, setting.Cache);
            }
            foreach (var sharing in wanted.GroupBy(setting => setting.Weights))
            {
                using var loaded = LanguageModel.Load(backend, source, sharing.Key);
                foreach (var setting in sharing)
                {
                    var file = wanted.Length == 1 ? path : $"{path[..^Ending.Length]}.{setting.Name}{Ending}";
                    Write(file, loaded, setting, tokens, cancellation);
                    context.Output.WriteLine(TerminalText.OneLine(file));
                }
            }
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static void Write(string file, LanguageModel model, InferenceSetting setting, int[] tokens, CancellationToken cancellation)
    {
        var transformer = model.Transformer;
        var states = new Generator(transformer, setting).Feed(tokens, cancellation);
        using var reader = new LogitReader(transformer.Backend, transformer.Config, transformer.Head);
        using var writer = new SafeTensorsWriter(
            file, [new(TensorName, TensorType.F32, [tokens.Length, reader.Width])], new Dictionary<string, string>
            { ["setting"] = setting.Name });
        for (var first = 0; first < tokens.Length; first += LogitReader.MaxRows)
        {
            cancellation.ThrowIfCancellationRequested();
            var rows = reader.Read(states, first, Math.Min(LogitReader.MaxRows, tokens.Length - first));
            writer.Write(TensorName, MemoryMarshal.AsBytes(rows.Span));
        }
        writer.Complete();
    }

    private static int[] Ids(string list) => [.. list.Split(',').Select(item =>
        int.TryParse(item.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
            : throw new ConfigException($"--ids '{item}'; allowed: token ids joined by commas: 1,2,3"))];
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto generate MODEL</c></summary>
internal static class GenerateCommand
{
    /// <summary>The setting where none is named.</summary>
    public const string DefaultSetting = "w16a16-k16v16-c256";
    private const int DefaultNewTokens = 128;
    private const int MostWarmTokens = 256;

    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = $"{ModelSource.Words}." };
        var prompt = new Option<string?>("--prompt") { Description = "The prompt.", HelpName = "TEXT" };
        var promptFile = new Option<string?>("--prompt-file")
        { Description = "The prompt's file, UTF-8; - for standard input.", HelpName = "F" };
        var promptTokens = new Option<int?>("--prompt-tokens")
        {
            Description = "A prompt of N made-up token ids, to measure memory and latency; the only one that random models take.",
            HelpName = "N"
        };
        var setting = new Option<string>("--setting")
        { Description = "Short name of a setting.", HelpName = "NAME", DefaultValueFactory = _ => DefaultSetting };
        var chunk = new Option<int?>("--chunk")
        { Description = "Prefill chunk in place of the setting's; 0 feeds the prompt whole.", HelpName = "N" };
        var maxNew = new Option<int>("--max-new-tokens")
        { Description = "Most new tokens.", HelpName = "N", DefaultValueFactory = _ => DefaultNewTokens };
        var noChat = new Option<bool>("--no-chat") { Description = "The prompt as it is, without the model's chat template." };
        var template = TemplateOption.Create();
        var threads = Verb.ThreadsOption();
        var device = Verb.DeviceOption();
        var json = new Option<bool>("--json")
        {
            Description =
                "Print {\"promptTokens\",\"ids\",\"text\",\"ttftMs\",\"tpotMs\",\"warmUpMs\",\"peakBytes\"} at the end instead of "
            + "streaming the text."
        };
        var command = new Verb(
            "generate",
            "Continues a prompt greedily under one setting.",
                "kvpareto generate models/llama --no-chat --prompt 'Question: ...' --setting w4g64a16-k4v4-t64-c256\nkvpareto generate "
                + "random:1:Llama-3.1-8B --prompt-tokens 1000 --setting w4a16-k8v2-t64-c256 --json")
        {
            model, prompt, promptFile, promptTokens, setting, chunk, maxNew, noChat, template, device, threads, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var chat = !parsed.GetValue(noChat);
            var given = (parsed.GetValue(promptTokens), parsed.GetValue(prompt), parsed.GetValue(promptFile)) switch
            {
                ( > 0 and var count, null, null) => new Prompt(null, count, chat),
                (null, { } text, null) => new Prompt(text, 0, chat),
                (null, null, { } file) => new Prompt(TokenizeCommand.Read(context, file), 0, chat),
                _ => throw new ConfigException("generate: give one of --prompt TEXT, --prompt-file F and --prompt-tokens N, N 1 or more"),
            };
            given = given with { Template = TemplateOption.Read(parsed.GetValue(template)!) };
            var settings = InferenceSetting.Parse(parsed.GetValue(setting)!).WithChunk(parsed.GetValue(chunk), chunk.Name);
            if (parsed.GetValue(maxNew) < 1) throw new ConfigException($"--max-new-tokens {parsed.GetValue(maxNew)}; allowed: 1 or more");
            Run(context, ModelSource.Open(parsed.GetValue(model)!), given, settings, parsed.GetValue(maxNew), parsed.GetValue(json),
                parsed.GetValue(threads), parsed.GetValue(device)!, cancellation);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static void Run(
        CommandContext context, ModelSource source, Prompt given, InferenceSetting setting, int maxNewTokens, bool json, int? threads,
            string device, CancellationToken cancellation)
    {
        if (given.Text is not null && !source.HasTokenizer) throw source.WithoutTokenizer();
        using var backend = CommandContext.CreateBackend(threads, device);
        using (var checkpoint = source.OpenCheckpoint())
        {
            setting = setting.For(checkpoint.Config);
            backend.Check(checkpoint.Config.Geometry, setting.Cache);
        }
        using var model = LanguageModel.Load(backend, source, setting.Weights);
        var prompt = given.Ids(model);
        if (prompt.Length == 0) throw new ConfigException("the prompt is empty; allowed: at least one token");
        if (prompt.Length + (long)maxNewTokens > model.Config.MaxPositions)
        {
            throw new ConfigException(
                $"the prompt has {CountText.Of(prompt.Length, "token")} and {maxNewTokens} new ones may follow, but {source.Model} was "
                    + $"made for {model.Config.MaxPositions} positions (max_position_embeddings); shorten the prompt or lower "
                    + "--max-new-tokens");
        }
        var generator = new Generator(model.Transformer, setting);
        var warmUp = WarmUp(generator, prompt, cancellation);
        if (json)
        {
            var completion = generator.Generate(prompt, maxNewTokens, cancellation: cancellation);
            context.Output.WriteLine(Json(model, completion, warmUp));
            return;
        }
        var stream = model.HasTokenizer ? model.Tokenizer.CreateStreamDecoder() : null;
        var result = generator.Generate(
            prompt, maxNewTokens, onToken: id =>
                context.Output.Write(stream is null ? string.Create(CultureInfo.InvariantCulture, $"{id} ") : stream.Push(id)),
                    cancellation: cancellation);
        context.Output.WriteLine(stream?.Flush());
        var tpot = result.TimePerOutputToken?.TotalMilliseconds;
        context.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{setting.Name}: {result.PromptTokens} prompt tokens, {result.Ids.Length} new; first after "
                + $"{result.TimeToFirstToken.TotalMilliseconds:F0} "
                + $"ms{(tpot is null ? "" : string.Create(CultureInfo.InvariantCulture, $", then {tpot:F1} ms each"))}; peak "
                + $"{ByteText.Of(result.Peaks.Inference.Total)}; warm-up {warmUp.TotalSeconds:F1} s, not counted"));
    }

    // A device compiles kernels when they are first used, which is no part of the time to the first token.
    private static TimeSpan WarmUp(Generator generator, int[] prompt, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        generator.Generate(
            prompt.AsSpan(0, Math.Min(prompt.Length, generator.Setting.Chunk ?? MostWarmTokens)), 2, cancellation: cancellation);
        return clock.Elapsed;
    }

    private static string Json(LanguageModel model, Completion completion, TimeSpan warmUp) => JsonText.Of(new
    {
        promptTokens = completion.PromptTokens,
        ids = completion.Ids,
        text = model.HasTokenizer ? model.Tokenizer.Decode(completion.Ids) : null,
        ttftMs = completion.TimeToFirstToken.TotalMilliseconds,
        tpotMs = completion.TimePerOutputToken?.TotalMilliseconds,
        warmUpMs = warmUp.TotalMilliseconds,
        peakBytes = JsonText.PeakBytes(completion.Peaks, model.LoadPeak),
    });

    /// <summary>A text, or where that is null a number of made-up ids.</summary>
    private readonly record struct Prompt(string? Text, int Count, bool Chat)
    {
        public TemplateSettings Template { get; init; } = TemplateSettings.Default;

        public int[] Ids(LanguageModel model) => Text is null
            ? SyntheticPrompt.Ids(Count <= model.Config.MaxPositions ? Count : throw TooLong(model), model.Config.VocabularySize)
            : Chat && model.ChatTemplate is { } template
            ? model.Tokenizer.Encode(template.With(Template).Render([new ChatMessage("user", Text)]), addSpecialTokens: false)
            : model.Tokenizer.Encode(Text);

        private ConfigException TooLong(LanguageModel model) =>
            new($"--prompt-tokens {Count}; allowed: up to the model's {model.Config.MaxPositions} positions (max_position_embeddings)");
    }
}

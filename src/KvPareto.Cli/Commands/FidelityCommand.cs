using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Sweep;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto fidelity MODEL… --text FILE</c>, or <c>kvpareto fidelity --report RUN…</c></summary>
internal static class FidelityCommand
{
    public static Command Create(CommandContext context)
    {
        var models = new Argument<string[]>("MODEL") { Description = $"{ModelSource.Words}.", Arity = ArgumentArity.ZeroOrMore };
        var text = new Option<string?>("--text") { Description = "Text, UTF-8.", HelpName = "FILE" };
        var reference = new Option<string?>("--reference")
        {
            Description = "Model to compare with; each other MODEL is an AWQ folder or a GGUF file of it. Default: each MODEL with itself.",
            HelpName = "MODEL",
        };
        var settings = new Option<string?>("--settings")
        {
            Description = "Short names, separated by commas. Default: a ladder from k16v16 to k2v2.",
            HelpName = "A,B,…",
        };
        var tokens = new Option<int?>("--tokens")
        {
            Description = "First tokens of the text, whole windows. Default: 32768, or as many as a shorter text has.",
            HelpName = "N",
        };
        var window = new Option<int?>("--window")
        {
            Description = "Tokens read from an empty cache. Default: 4096, or the model's positions where that is less.",
            HelpName = "N",
        };
        var chunk = new Option<int?>("--chunk")
        {
            Description = "Prefill chunk in place of the settings' own; 0 feeds each window whole.",
            HelpName = "N",
        };
        var threads = Verb.ThreadsOption();
        var device = Verb.DeviceOption();
        var folder = new Option<string?>("--out")
        {
            Description = "Run folder, the report's too. Default: runs/fidelity, or the next free runs/fidelity-2, …; with --report "
                + "the current one.",
            HelpName = "DIR",
        };
        var resume = Verb.ResumeOption();
        var worker = Verb.WorkerOption();
        var json = new Option<bool>("--json") { Description = "Print {\"settings\":[…]} at the end instead of a table." };
        var report = new Option<string[]>("--report")
        {
            Description = "Instead of measuring: read run folders and write fidelity.md, fidelity.csv and a picture. May be repeated.",
            HelpName = "RUN",
            DefaultValueFactory = _ => [],
        };
        var format = Verb.FormatOption();
        var command = new Verb(
            "fidelity",
            "Compares the next-token distributions of settings with those of the unquantized model on a text: perplexity, KL divergence, "
            + "top-1 agreement.",
            "kvpareto fidelity models/llama --text wiki.txt --settings w16a16-k8v8-t64,w16a16-k4v4-t64-smooth --chunk 256\n"
            + "kvpareto fidelity models/llama models/llama-awq --reference models/llama --text wiki.txt --out runs/llama\n"
            + "kvpareto fidelity --report runs/llama --report runs/qwen --out report")
        {
            models, text, reference, settings, tokens, window, chunk, device, threads, folder, resume, worker, json, report, format,
        };
        command.SetWork((parsed, cancellation) =>
        {
            var (given, runs) = (parsed.GetValue(models)!, parsed.GetValue(report)!);
            var formats = PictureFormats.Parse(parsed.GetValue(format)!);
            if (runs.Length > 0)
            {
                if (given.Length > 0)
                    throw new ConfigException("fidelity: --report takes no MODEL; allowed: kvpareto fidelity --report RUN --out DIR");
                Report(context, parsed.GetValue(folder) ?? ".", [.. runs.SelectMany(Rows)], parsed.GetValue(json), formats);
                return ExitCode.Ok;
            }
            var request = new FidelityRequest
            {
                Models = given.Length > 0 ? given
                    : throw new ConfigException("fidelity: MODEL is missing; allowed: kvpareto fidelity MODEL --text FILE"),
                Text = parsed.GetValue(text)
                    ?? throw new ConfigException("fidelity: --text FILE is missing; allowed: a text file, UTF-8"),
                Reference = parsed.GetValue(reference),
                Settings = parsed.GetValue(settings) is { } names ? [.. Verb.Settings(names)] : null,
                Tokens = parsed.GetValue(tokens),
                Window = parsed.GetValue(window),
                Chunk = parsed.GetValue(chunk),
            };
            var config = request.ToConfig();
            var (goesOn, name) = (parsed.GetValue(resume), parsed.GetValue(worker));
            using var backend = CommandContext.CreateBackend(parsed.GetValue(threads), parsed.GetValue(device)!);
            var options = new SweepOptions
            {
                Backend = backend,
                Folder = RunFolderName.Of(config.Name, parsed.GetValue(folder), goesOn, name),
                Resume = goesOn,
                Worker = name,
            };
            return Run(context, config, options, parsed.GetValue(json), formats, cancellation);
        });
        return command;
    }

    private static int Run(
        CommandContext context, SweepConfig config, SweepOptions options, bool json, IReadOnlyList<PictureFormat> formats,
        CancellationToken cancellation)
    {
        var settings = SearchSpace.Expand(config, config.Models[0]);
        var progress = new FidelityProgress(context, options.Folder, json, settings.Max(setting => setting.Name.Length));
        RunHistory history;
        try
        {
            history = SweepRunner.Run(config, options, progress, cancellation);
        }
        catch (OperationCanceledException)
        {
            SweepCommand.SayInterrupted(context, options.Folder);
            throw;
        }
        progress.End(history);
        Report(context, options.Folder, FidelityRows.OfRun(history), json, formats);
        var isWhole = history.Missing.Count == 0 && history.Results.All(result => result.Status == TrialStatus.Ok);
        return isWhole ? ExitCode.Ok : ExitCode.TrialsFailed;
    }

    // Files of rows are what earlier versions wrote.
    private static IReadOnlyList<FidelityRow> Rows(string path)
    {
        if (!Directory.Exists(path)) return FidelityRows.Read(path);
        var rows = FidelityRows.OfRun(RunHistory.Read(path));
        return rows.Count > 0 ? rows : throw new ConfigException($"{path}: has no trial of the task fidelity; allowed: runs that have");
    }

    private static void Report(
        CommandContext context, string folder, IReadOnlyList<FidelityRow> rows, bool json, IReadOnlyList<PictureFormat> formats)
    {
        IReadOnlyList<string> files = rows.Count > 0 ? FidelityReport.Write(folder, rows, formats) : [];
        foreach (var written in files) (json ? context.Error : context.Output).WriteLine(written);
        if (json) context.Output.WriteLine(FidelityRows.ToJson(rows));
    }
}

using System.CommandLine;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto fidelity MODEL --text FILE</c>, or <c>kvpareto fidelity --report ROWS</c></summary>
internal static class FidelityCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string?>("MODEL") { Description = $"{ModelSource.Words}.", Arity = ArgumentArity.ZeroOrOne };
        var text = new Option<string?>("--text") { Description = "Text, UTF-8.", HelpName = "FILE" };
        var reference = new Option<string?>("--reference")
        {
            Description = "Model to compare with, for a MODEL whose weights are packed. Default: MODEL.",
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
        var rows = new Option<string?>("--rows") { Description = "Also append each row to FILE as a line of JSON.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print {\"settings\":[…]} at the end instead of a table." };
        var report = new Option<string?>("--report")
        {
            Description = "Instead of measuring: read rows that --rows wrote and write fidelity.md, fidelity.csv and a picture.",
            HelpName = "ROWS",
        };
        var folder = new Option<string>("--out")
        {
            Description = "Folder of the report.",
            HelpName = "DIR",
            DefaultValueFactory = _ => ".",
        };
        var format = Verb.FormatOption();
        var command = new Verb(
            "fidelity",
            "Compares the next-token distributions of settings with those of the unquantized model on a text: perplexity, KL divergence, "
            + "top-1 agreement.",
            "kvpareto fidelity models/llama --text wiki.txt --settings w16a16-k8v8-t64,w16a16-k4v4-t64-smooth --chunk 256\n"
            + "kvpareto fidelity --report rows.jsonl --out report")
        {
            model, text, reference, settings, tokens, window, chunk, device, threads, rows, json, report, folder, format,
        };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(report) is { } file)
            {
                if (parsed.GetValue(model) is not null)
                    throw new ConfigException("fidelity: --report takes no MODEL; allowed: kvpareto fidelity --report ROWS --out DIR");
                var files = FidelityReport.Write(
                    parsed.GetValue(folder)!, FidelityRows.Read(file), PictureFormats.Parse(parsed.GetValue(format)!));
                foreach (var written in files) context.Output.WriteLine(written);
                return Task.FromResult(ExitCode.Ok);
            }
            var request = new FidelityRequest
            {
                Model = parsed.GetValue(model)
                    ?? throw new ConfigException("fidelity: MODEL is missing; allowed: kvpareto fidelity MODEL --text FILE"),
                Text = parsed.GetValue(text)
                    ?? throw new ConfigException("fidelity: --text FILE is missing; allowed: a text file, UTF-8"),
                Reference = parsed.GetValue(reference),
                Settings = parsed.GetValue(settings) is { } names
                    ? [.. names.Split(',', StringSplitOptions.TrimEntries).Select(InferenceSetting.Parse)]
                    : null,
                Tokens = parsed.GetValue(tokens),
                Window = parsed.GetValue(window),
                Chunk = parsed.GetValue(chunk),
                Threads = parsed.GetValue(threads),
            };
            Run(context, request, parsed.GetValue(device)!, parsed.GetValue(rows), parsed.GetValue(json), cancellation);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static void Run(
        CommandContext context, FidelityRequest request, string device, string? rowsFile, bool json, CancellationToken cancellation)
    {
        if (rowsFile is not null) FidelityRows.CheckWritable(rowsFile);
        using var backend = CommandContext.CreateBackend(request.Threads, device);
        var table = new FidelityTable(
            json ? context.Error : context.Output,
            json ? context.ErrorWidth() : context.OutputWidth(),
            request.Settings?.Max(setting => setting.Name.Length));
        var rows = FidelitySurvey.Run(backend, request, row =>
        {
            if (rowsFile is not null) FidelityRows.Append(rowsFile, row);
            table.Write(row);
        }, cancellation);
        table.End();
        if (json) context.Output.WriteLine(FidelityRows.ToJson(rows));
    }
}

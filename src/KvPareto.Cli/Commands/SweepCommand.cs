using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Cli.Workers;
using KvPareto.Cuda;
using KvPareto.Engine.Settings;
using KvPareto.Sweep;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Preview;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto sweep [CONFIG]</c></summary>
internal static class SweepCommand
{
    public static Command Create(CommandContext context)
    {
        var config = new Argument<string?>("CONFIG")
        {
            Description = "Sweep as YAML. Left out: the config of the run in DIR with --resume or --worker, else the built-in quickstart.",
            Arity = ArgumentArity.ZeroOrOne
        };
        var folder = new Option<string?>("--out")
        { Description = "Run folder. Default: runs/NAME of the config, or the next free runs/NAME-2, …", HelpName = "DIR" };
        var resume = Verb.ResumeOption();
        var retry = new Option<bool>("--retry-failed") { Description = "With --resume: run trials again that failed before." };
        var models = new Option<string[]>("--model")
        {
            Description = "Model folder or embedded:NAME in place of the config's models. May be repeated.",
            HelpName = "MODEL",
            DefaultValueFactory = _ => []
        };
        var worker = Verb.WorkerOption();
        var memory = new Option<string?>("--memory")
        {
            Description = "Memory that a trial may take: one of which more is predicted is listed and not run. Default: the device's.",
            HelpName = "SIZE",
        };
        var budget = new Option<double?>("--budget-hours")
        {
            Description = "Hours after which no further sample is begun: the report is written, and --resume goes on.",
            HelpName = "H",
            CustomParser = result => Verb.Number(result),
        };
        var limit = SampleLimit.Option();
        var threads = Verb.ThreadsOption();
        var device = Verb.DeviceOption();
        var devices = new Option<string?>("--devices")
        {
            Description = "One process for each of these CUDA devices (0,0: two on one), or for all; they share DIR. In place of --device.",
            HelpName = "0,1",
        };
        var format = Verb.FormatOption();
        var noHtml = Verb.NoHtmlOption();
        var noReport = new Option<bool>("--no-report") { Description = "Measure only; kvpareto report DIR writes the report." };
        var dryRun = new Option<bool>("--dry-run")
        { Description = "Show settings, samples, predicted peaks and, where known, time; measure and write nothing." };
        var quiet = new Option<bool>("--quiet") { Description = "Show nothing but errors and, at the end, what was written." };
        var json = new Option<bool>("--json")
        { Description = "One line of JSON an event on standard output; with --dry-run one object (docs/sweep-json.md)." };
        var command = new Verb(
            "sweep",
            "Runs every setting of a sweep on its tasks and writes results.csv, frontier.csv, report.html, pictures, run.json, "
                + "journal.jsonl and samples/.",
            "kvpareto sweep configs/smollm2.yaml --out runs/smollm2\nkvpareto sweep my.yaml --limit 2 --dry-run\n\n"
                + "Exit codes: 0 done, 1 done with trials that failed or are missing,\n"
                + "2 a mistake in config or options, 130 interrupted (go on with --resume).",
            AxesText.Of(SettingAxes.All))
        {
            config, folder, resume, retry, models, limit, budget, dryRun, worker, memory, device, devices, threads, format, noHtml,
            noReport, quiet, json,
        };
        command.SetWork((parsed, cancellation) =>
        {
            if (parsed.GetValue(devices) is { } several && parsed.GetResult(device) is { Implicit: false })
                throw new ConfigException(
                    $"--device {parsed.GetValue(device)} and --devices {several}; allowed: one of the two");
            var request = new SweepRequest
            {
                File = parsed.GetValue(config),
                Folder = parsed.GetValue(folder),
                Resume = parsed.GetValue(resume),
                RetryFailed = parsed.GetValue(retry),
                Models = parsed.GetValue(models)!,
                Worker = parsed.GetValue(worker),
                Memory = parsed.GetValue(memory),
                Limit = parsed.GetValue(limit),
                BudgetHours = parsed.GetValue(budget),
                Threads = parsed.GetValue(threads),
                Device = parsed.GetValue(device)!,
                Devices = parsed.GetValue(devices),
                Formats = PictureFormats.Parse(parsed.GetValue(format)!),
                Html = !parsed.GetValue(noHtml),
                NoReport = parsed.GetValue(noReport),
                Quiet = parsed.GetValue(quiet),
                Json = parsed.GetValue(json),
            };
            return parsed.GetValue(dryRun) ? Preview(context, request) : Run(context, request, cancellation);
        });
        return command;
    }

    private static int Preview(CommandContext context, SweepRequest request)
    {
        var config = request.Config();
        if (!request.Quiet && PreviewText.Reading(config) is { } reading) context.Error.WriteLine(reading);
        if (Workers(request) is [var worker, ..]) request = request.On(worker);
        using var backend = CommandContext.CreateBackend(request.Threads, request.Device);
        var preview = SweepPreview.Of(config, request.Options(config, backend));
        if (request.Json) PreviewText.WriteJson(context, preview);
        else PreviewText.Show(context, preview);
        return ExitCode.Ok;
    }

    private static IReadOnlyList<WorkerDevice>? Workers(SweepRequest request) => request.Devices is not { } devices ? null
        : DeviceList.Parse(devices, [.. CudaDevice.List().Select(device => device.TotalBytes)]);

    private static int Run(CommandContext context, SweepRequest request, CancellationToken cancellation) =>
        Run(context, request, Workers(request), cancellation);

    /// <summary>Runs a sweep by this process, or by one for each of several workers.</summary>
    internal static int Run(
        CommandContext context, SweepRequest request, IReadOnlyList<WorkerDevice>? workers, CancellationToken cancellation)
    {
        using var voice = new SweepVoice(context, request.Quiet, request.Json);
        var folder = request.Folder ?? "";
        try
        {
            var config = request.Config();
            folder = request.RunFolder(config);
            var history = workers is null ? Alone(config)
                : DevicesSweep.Run(request with { Folder = folder }, folder, request.MostSamples(), workers, voice, cancellation);
            return voice.End(folder, history, request.NoReport ? null : Report(folder, history, request));
        }
        catch (Exception error)
        {
            voice.Broken(folder, error);
            if (error is OperationCanceledException)
                SayInterrupted(context, folder, request.Devices is { } devices ? $" --devices {devices}" : "");
            throw;
        }

        RunHistory Alone(SweepConfig config)
        {
            using var backend = CommandContext.CreateBackend(request.Threads, request.Device);
            return SweepRunner.Run(config, request.Options(config, backend) with { Folder = folder }, voice, cancellation);
        }
    }

    private static ReportSummary Report(string folder, RunHistory history, SweepRequest request) =>
        ReportCommand.Write(folder, history, request.Formats, request.Html);

    /// <summary>Says how to go on after an interruption.</summary>
    internal static void SayInterrupted(CommandContext context, string folder, string more = "") => context.Error.WriteLine(
        Directory.Exists(folder) ? $"kvpareto: interrupted; nothing measured is lost: go on with --out {folder} --resume{more}"
        : "kvpareto: interrupted before anything was measured");
}

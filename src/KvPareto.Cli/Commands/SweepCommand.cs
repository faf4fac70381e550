using System.CommandLine;
using System.Globalization;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Settings;
using KvPareto.Sweep;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto sweep [CONFIG]</c></summary>
internal static class SweepCommand
{
    private const string DefaultFolder = "runs";
    private const int MostRunsNamed = 8;

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
        var threads = Verb.ThreadsOption();
        var device = Verb.DeviceOption();
        var format = Verb.FormatOption();
        var noHtml = Verb.NoHtmlOption();
        var command = new Verb(
            "sweep",
            "Runs every setting of a sweep on its tasks and writes results.csv, frontier.csv, report.html, pictures, run.json, "
                + "journal.jsonl and samples/.",
                "kvpareto sweep configs/smollm2.yaml --out runs/smollm2\n\nExit codes: 0 done, 1 done with trials that failed or are "
                + "missing, 2 a mistake in config or options, 130 interrupted (go on with --resume).",
            AxesText.Of(SettingAxes.All))
        {
            config, folder, resume, retry, models, worker, memory, device, threads, format, noHtml,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(
            context, parsed.GetValue(config), parsed.GetValue(folder), parsed.GetValue(resume), parsed.GetValue(retry),
                parsed.GetValue(models)!, parsed.GetValue(worker), parsed.GetValue(memory), parsed.GetValue(threads),
                parsed.GetValue(device)!,
                PictureFormats.Parse(parsed.GetValue(format)!), !parsed.GetValue(noHtml), cancellation), CancellationToken.None));
        return command;
    }

    private static int Run(
        CommandContext context, string? file, string? folder, bool resume, bool retryFailed, string[] models, string? worker,
        string? memory, int? threads, string device, IReadOnlyList<PictureFormat> formats, bool html,
        CancellationToken cancellation)
    {
        var goesOn = resume || worker is not null;
        var config = file is not null ? SweepConfig.Load(file, models)
            : goesOn && folder is not null && RunHistory.IsIn(folder) ? SweepConfig.OfRun(folder, models)
            : SweepConfig.Quickstart(models);
        folder = FolderOf(config.Name, folder, resume, worker);
        using var backend = CommandContext.CreateBackend(threads, device);
        var options = new SweepOptions
        {
            Backend = backend,
            Folder = folder,
            Resume = resume,
            RetryFailed = retryFailed,
            Worker = worker,
            Room = memory is null ? null : ByteText.Parse("--memory", memory),
        };
        RunHistory history;
        try
        {
            history = SweepProgress.Show(context, progress => SweepRunner.Run(config, options, progress, cancellation));
        }
        catch (OperationCanceledException)
        {
            SayInterrupted(context, folder);
            throw;
        }
        ReportCommand.Write(context, folder, history, formats, html);
        var isWhole = history.Missing.Count == 0
            && history.Results.Concat(history.Repeats).All(result => result.Status != TrialStatus.Failed);
        return isWhole ? ExitCode.Ok : ExitCode.TrialsFailed;
    }

    /// <summary>Says how to go on after an interruption.</summary>
    internal static void SayInterrupted(CommandContext context, string folder) => context.Error.WriteLine(Directory.Exists(folder)
        ? $"kvpareto: interrupted; nothing measured is lost: go on with --out {folder} --resume"
        : "kvpareto: interrupted before anything was measured");

    /// <summary>The run folder that the options mean.</summary>
    /// <exception cref="ConfigException">There is nothing to resume.</exception>
    internal static string FolderOf(string name, string? folder, bool resume, string? worker)
    {
        folder ??= resume || worker is not null ? Path.Combine(DefaultFolder, name) : FreeFolder(name);
        return resume && worker is null && !Path.Exists(folder) ? throw NothingToResume(folder) : folder;
    }

    // A run begun from scratch in a mistyped folder would measure everything again.
    private static ConfigException NothingToResume(string folder)
    {
        var full = Path.GetFullPath(folder);
        var parent = Path.GetDirectoryName(full);
        var runs = Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent).Where(found => File.Exists(Path.Combine(found, "run.json")))
                .Order(StringComparer.Ordinal).Take(MostRunsNamed + 1).ToList()
            : [];
        var named = string.Join(", ", runs.Take(MostRunsNamed).Select(found => Path.GetRelativePath(".", found)));
        var allowed = runs.Count == 0 ? "leave out --resume to begin a run"
            : $"{named}{(runs.Count > MostRunsNamed ? ", …" : "")}, or leave out --resume to begin a run";
        return new($"--resume: {folder}: there is no such folder; allowed: {allowed}");
    }

    private static string FreeFolder(string name)
    {
        var folder = Path.Combine(DefaultFolder, name);
        for (var number = 2; Directory.Exists(folder); number++)
            folder = Path.Combine(DefaultFolder, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"));
        return folder;
    }
}

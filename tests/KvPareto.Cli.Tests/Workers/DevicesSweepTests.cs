using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KvPareto.Cli.Commands;
using KvPareto.Cli.Terminal;
using KvPareto.Cli.Workers;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Testing;
using KvPareto.Text.Input;
using Spectre.Console;

namespace KvPareto.Cli.Tests.Workers;

/// <summary>
/// A process a device, with the processor in place of each device: the real program is started, told to stop and killed.
/// </summary>
public sealed partial class DevicesSweepTests : IDisposable
{
    private const string Config = """
        name: shared
        models: [embedded:llama]
        tasks: [{task: embedded, kind: fact, samples: 8, length: 100}]
        settings: [w16a16-k8v8-t64-c64, w16a16-k4v4-t64-c64, w16a16-k2v2-t64-c64]
        """;

    // Of some seconds: a worker takes a second to start, and is to be met at work.
    private static readonly string LongConfig = Config.Replace("length: 100", "length: 400", StringComparison.Ordinal);

    private static readonly WorkerDevice[] Two = [new("one", "cpu"), new("two", "cpu")];

    private readonly ScratchFolder _temp = new();
    private readonly CancellationTokenSource _timeout = new(TimeSpan.FromMinutes(4));

    public void Dispose()
    {
        _timeout.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public void Two_GiveTheResultsOfOne_AndMeasureNothingAgain()
    {
        var config = _temp.Write("sweep.yaml", Config);
        Assert.Equal(0, CommandRun.Of("sweep", config, "--out", _temp["alone"], "--threads", "1", "--no-html", "--quiet").Code);
        var (code, output, error) = Sweep(Request(config));
        Assert.Equal(0, code);
        Assert.Equal(WithoutTimes("alone"), WithoutTimes("run"));
        Assert.StartsWith("4 trials, 32 samples; 0 trials done before\n", error, StringComparison.Ordinal);
        Assert.Equal(4, TrialLine().Count(error));
        Assert.Equal(4, TrialLine().Matches(error).Select(line => line.Groups[1].Value).Distinct().Count());
        Assert.DoesNotContain("ended with", error, StringComparison.Ordinal);
        Assert.Contains("results.csv", output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_temp["run/leases"]));
        Assert.Equal(32, Directory.GetFiles(_temp["run/samples"]).Sum(file => File.ReadLines(file).Count()));
        Assert.Equal(2, Directory.GetFiles(_temp["run"], "journal-*.jsonl").Length);

        // Of what is done nothing is done again, and the folder is not begun in by mistake.
        Assert.Throws<ConfigException>(() => Sweep(Request(config)));
        (code, _, error) = Sweep(Request(null) with { Resume = true, NoReport = true }, [Two[0]]);
        Assert.Equal(0, code);
        Assert.StartsWith("4 trials, 32 samples; 4 trials done before\n", error, StringComparison.Ordinal);
        Assert.Equal(32, Directory.GetFiles(_temp["run/samples"]).Sum(file => File.ReadLines(file).Count()));
    }

    [Fact]
    public void Killed_IsSaid_AndTheOtherTakesItsTrials()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("kills by signal");
        var config = _temp.Write("sweep.yaml", LongConfig);
        var killed = 0;
        var told = new Recorder(value =>
        {
            if (value is not SampleMeasured { Worker: "one", TrialSamplesDone: 3 } || killed > 0) return;
            killed = HolderOf("one");
            using var kill = Process.Start("kill", ["-9", $"{killed}"]);
            kill.WaitForExit();
        });
        var history = DevicesSweep.Run(Request(config), _temp["run"], null, Two, told, _timeout.Token);
        Assert.NotEqual(0, killed);
        var gone = Assert.Single(told.Events.OfType<WorkerGone>());
        Assert.Equal(("one", 137, "signal 9", 1), (gone.Worker, gone.ExitCode, gone.Reason, gone.Others));
        Assert.Equal((4, 0), (history.Results.Count(result => result.Status == TrialStatus.Ok), history.Missing.Count));
        Assert.Equal(32, told.Events.OfType<TrialEnded>().Last().SamplesDone);
        // At most the sample in flight was lost, and none is there twice.
        Assert.Equal(32, Directory.GetFiles(_temp["run/samples"]).Sum(file => File.ReadLines(file).Count()));
        Assert.InRange(told.Events.OfType<SampleMeasured>().Count(), 31, 32);
    }

    [Fact]
    public void Cancelled_EndsAll_AndCanBeGoneOnWith()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("ends by signal");
        var config = _temp.Write("sweep.yaml", LongConfig);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token);
        var told = new Recorder(value => { if (value is TrialEnded) cancel.Cancel(); });
        Assert.ThrowsAny<OperationCanceledException>(
            () => DevicesSweep.Run(Request(config), _temp["run"], null, Two, told, cancel.Token));
        Assert.Empty(told.Events.OfType<WorkerGone>());
        Assert.Empty(Directory.GetFiles(_temp["run/leases"]));
        Assert.Equal(0, CommandRun.Of("sweep", "--out", _temp["run"], "--resume", "--threads", "1", "--no-report", "--quiet").Code);
        Assert.Equal(32, Directory.GetFiles(_temp["run/samples"]).Sum(file => File.ReadLines(file).Count()));
    }

    /// <summary>As where the reader of a pipe has gone: nobody is left to tell, and no process may stay behind.</summary>
    [Fact]
    public void EventsThatCannotBeHandedOn_EndAll()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("ends by signal");
        var config = _temp.Write("sweep.yaml", LongConfig);
        var processes = new List<int>();
        var told = new Recorder(value =>
        {
            if (value is not SampleMeasured { Worker: { } worker }) return;
            processes.Add(HolderOf(worker));
            throw new IOException("Broken pipe");
        });
        Assert.Throws<IOException>(() => DevicesSweep.Run(Request(config), _temp["run"], null, Two, told, _timeout.Token));
        Assert.NotEmpty(processes);
        while (processes.Exists(process => Directory.Exists($"/proc/{process}")))
        {
            _timeout.Token.ThrowIfCancellationRequested();
            Thread.Sleep(50);
        }
        Assert.True(Directory.GetFiles(_temp["run/samples"]).Sum(file => File.ReadLines(file).Count()) < 32);
    }

    /// <summary>Two on one device: each has a journal of its own, and trials that do not fit its share are not tried.</summary>
    [Fact]
    public void WorkersOfOneDevice_HaveTheirShare()
    {
        var config = _temp.Write("sweep.yaml", Config);
        const long share = 2_500_000;
        WorkerDevice[] workers = [new("cuda:0", "cpu") { ShareBytes = share }, new("cuda:0-2", "cpu") { ShareBytes = share }];
        var (code, _, error) = Sweep(Request(config) with { Limit = new(1), NoReport = true }, workers);
        Assert.Equal(1, code);
        Assert.Contains("and there are 2.38 MiB", error, StringComparison.Ordinal);
        Assert.Equal(
            ["cuda0-2.jsonl", "cuda0.jsonl"],
            Directory.GetFiles(_temp["run"], "journal-*.jsonl").Select(file => file[file.LastIndexOf("cuda", StringComparison.Ordinal)..])
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Mistake_IsSaidOnce()
    {
        var config = _temp.Write("sweep.yaml", Config.Replace("k2v2-t64", "k2v2-t48", StringComparison.Ordinal));
        var error = Assert.Throws<ConfigException>(() => Sweep(Request(config)));
        Assert.Contains("head_dim", error.Message, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(error.Message, "head_dim"));
        Assert.False(Directory.Exists(_temp["run"]));
    }

    /// <summary>As a driver that is not there for one of the devices.</summary>
    [Fact]
    public void WorkerThatCannotBegin_IsSaid_AndTheRunIsWhole()
    {
        var config = _temp.Write("sweep.yaml", Config);
        var request = Request(config) with { Json = true, Limit = new(1), NoReport = true };
        var (code, output, _) = Sweep(request, [Two[0], new("two", "torch:mps")]);
        Assert.Equal(0, code);
        var events = output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
        var gone = Assert.Single(events, value => (string)value["event"]! == "gone");
        Assert.Equal(("two", 2), ((string)gone["worker"]!, (int)gone["exitCode"]!));
        Assert.All(events.Where(value => (string)value["event"]! is "started" or "sample" or "finished"),
            value => Assert.Equal("one", (string)value["worker"]!));
        Assert.Equal(("end", 4, 1), ((string)events[^1]["event"]!, (int)events[^1]["finished"]!, (int)events[0]["limit"]!));
    }

    private (int Code, string Output, string Error) Sweep(SweepRequest request, WorkerDevice[]? devices = null)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error), Ansi = AnsiSupport.No });
        var context = new CommandContext(Stream.Null, output, error, console);
        return (SweepCommand.Run(context, request, devices ?? Two, _timeout.Token), output.ToString(), error.ToString());
    }

    private SweepRequest Request(string? config) => new()
    {
        File = config,
        Folder = _temp["run"],
        Resume = false,
        RetryFailed = false,
        Models = [],
        Worker = null,
        Memory = null,
        Limit = null,
        Threads = 1,
        Device = "cpu",
        Devices = null,
        Formats = [PictureFormat.Png],
        Html = false,
        NoReport = false,
        Quiet = false,
        Json = false,
    };

    // The process whose journal a worker's lease is of.
    private int HolderOf(string label)
    {
        var lease = Directory.GetFiles(_temp["run/leases"], $"journal-*-{label}.*")
            .Single(file => !file.EndsWith(".tmp", StringComparison.Ordinal));
        return (int)JsonNode.Parse(File.ReadAllText(lease))!["Process"]!;
    }

    private string WithoutTimes(string run) => Times().Replace(File.ReadAllText(_temp[$"{run}/results.csv"]), "");

    [GeneratedRegex("(,[^,]*){10}$", RegexOptions.Multiline)]
    private static partial Regex Times();

    [GeneratedRegex(@"^(?:one|two) \[ *(\d+)/4\]", RegexOptions.Multiline)]
    private static partial Regex TrialLine();

    private sealed class Recorder(Action<SweepEvent> onEvent) : IProgress<SweepEvent>
    {
        public List<SweepEvent> Events { get; } = [];

        public void Report(SweepEvent value)
        {
            Events.Add(value);
            onEvent(value);
        }
    }
}

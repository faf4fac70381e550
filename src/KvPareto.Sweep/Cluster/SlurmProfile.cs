using System.Text.RegularExpressions;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Cluster;

/// <summary>How a cluster under Slurm is asked for workers: one file a cluster, for any sweep.</summary>
public sealed partial record SlurmProfile
{
    private const int MostWorkers = 10_000;
    private const string ValueWords = "letters, digits and the marks - _ . , : / = + @ % ( )";
    private const string LineWords = "one line of shell";

    private static readonly string[] Keys =
        ["workers", "concurrency", "partition", "account", "qos", "gres", "constraint", "time", "cpus", "memory", "requeue", "warning",
            "setup", "container", "program", "device", "options"];

    /// <summary>Jobs of the array. Key <c>workers</c>.</summary>
    public required int Workers { get; init; }

    /// <summary>Jobs of the array that run at one time; null for all. Key <c>concurrency</c>.</summary>
    public int? Concurrency { get; init; }

    /// <summary>Options of sbatch with their values, in the order of the script: the keys that Slurm has a word for, then
    /// <c>options</c>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Whether a job goes on by itself after it was preempted, lost its node or reached its time. Key <c>requeue</c>.</summary>
    public bool Requeue { get; init; } = true;

    /// <summary>Seconds before its time is over in which a job ends cleanly. Key <c>warning</c>.</summary>
    public int Warning { get; init; } = 120;

    /// <summary>Lines of shell that come first. Key <c>setup</c>.</summary>
    public IReadOnlyList<string> Setup { get; init; } = [];

    /// <summary>What stands before the program, to run it in a container; empty for nothing. Key <c>container</c>.</summary>
    public string Container { get; init; } = "";

    /// <summary>The program as the nodes find it; null for this one. Key <c>program</c>.</summary>
    public string? Program { get; init; }

    /// <summary>The device of each job, as <c>--device</c> has it. Key <c>device</c>.</summary>
    public string Device { get; init; } = "cuda";

    /// <summary>Reads a profile, strictly.</summary>
    /// <exception cref="ConfigException">Names file, line and key, and what is allowed.</exception>
    public static SlurmProfile Load(string path)
    {
        var text = YamlFile.ReadText(path);
        var top = new ConfigValue(path, "", YamlTree.Parse(path, text)).Map(Keys);
        var options = new List<string>();
        Add("partition", "partition");
        Add("account", "account");
        Add("qos", "qos");
        Add("gres", "gres");
        Add("constraint", "constraint");
        Add("time", "time");
        if (top.Find("cpus") is { } cpus) options.Add($"--cpus-per-task={cpus.Integer(1, 4096)}");
        Add("memory", "mem");
        if (top.Find("options") is { } more)
        {
            foreach (var option in more.List("a list of sbatch's options, --name or --name=value"))
            {
                var word = option.Text("--name or --name=value");
                options.Add(OptionPattern().IsMatch(word) ? word : throw option.Error($"is '{ConfigValue.Shorten(word)}'",
                    "--name or --name=value of " + ValueWords));
            }
        }
        var workers = top.Require("workers", $"a whole number from 1 to {MostWorkers}").Integer(1, MostWorkers);
        return new()
        {
            Workers = workers,
            Concurrency = top.Find("concurrency")?.Integer(1, MostWorkers),
            Options = options,
            Requeue = top.Find("requeue")?.Boolean() ?? true,
            Warning = top.Find("warning")?.Integer(10, 3600) ?? 120,
            Setup = top.Find("setup") is { } setup ? [.. setup.List("a list of lines of shell").Select(line => Line(line))] : [],
            Container = top.Find("container") is { } container ? Line(container) : "",
            Program = top.Find("program") is { } program ? Line(program) : null,
            Device = top.Find("device")?.Text("a device: cpu, cuda, torch:cuda") ?? "cuda",
        };

        void Add(string key, string option)
        {
            if (top.Find(key) is not { } value) return;
            var word = value.Text(ValueWords);
            options.Add(ValuePattern().IsMatch(word) ? $"--{option}={word}"
                : throw value.Error($"is '{ConfigValue.Shorten(word)}'", ValueWords));
        }
    }

    private static string Line(ConfigValue value)
    {
        var line = value.Text(LineWords);
        return line.Any(char.IsControl) ? throw value.Error("has several lines, or control characters", LineWords) : line;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._,:/=+@%()-]{1,200}\z")]
    private static partial Regex ValuePattern();

    [GeneratedRegex(@"\A--[a-z][a-z-]*(=[A-Za-z0-9._,:/=+@%()-]{1,200})?\z")]
    private static partial Regex OptionPattern();
}

using System.Text.Json.Nodes;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

/// <summary>How a sweep speaks, to people and to programs, and how it is limited or only looked at.</summary>
public class SweepFlagsTests
{
    private const string Config = """
        name: flags
        models: [embedded:llama]
        tasks: [{task: embedded, kind: fact, samples: 3, length: 100}, {task: embedded, kind: count, samples: 2, length: 100}]
        settings: [w16a16-k8v8-t64, w16a16-k2v2-t64-c64]
        """;

    [Fact]
    public void Json_IsALineAnEvent_AndTheLastNamesTheFiles()
    {
        using var temp = new ScratchFolder();
        var run = Sweep(temp, "--json", "--limit", "2");
        Assert.Equal(0, run.Code);
        var events = Lines(run);
        string[] trial = ["started", "sample", "sample", "sample", "sample", "finished"];
        Assert.Equal(
            ["run", .. trial, .. trial, .. trial, "end"],
            events.Select(value => (string)value["event"]!));
        Assert.Equal(("flags", 2, 12), ((string)events[0]["name"]!, (int)events[0]["limit"]!, (int)events[0]["samples"]!));
        var finished = events.First(value => (string)value["event"]! == "finished")["result"]!;
        Assert.Equal(("w16a16-k16v16", "ok", 4), ((string)finished["setting"]!, (string)finished["status"]!, (int)finished["samples"]!));
        var end = events[^1];
        Assert.Equal((0, 3, 3, 0), ((int)end["exitCode"]!, (int)end["planned"]!, (int)end["finished"]!, (int)end["failed"]!));
        var files = end["files"]!.AsArray().Select(file => (string)file!).ToList();
        Assert.Contains(temp["run/results.csv"], files);
        Assert.All(files, file => Assert.True(File.Exists(file), file));
        Assert.StartsWith(
            "3 trials, 12 samples (at most 2 samples of each task: --limit); 0 trials done before\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Quiet_ShowsPathsAndNotesAlone()
    {
        using var temp = new ScratchFolder();
        var run = Sweep(temp, "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.All(run.Output.TrimEnd().Split('\n'), file => Assert.True(File.Exists(file), file));
        var limited = Sweep(temp, "--quiet", "--limit", "1", "--resume", "--json", "--no-report");
        Assert.StartsWith("a limited run: at most 1 sample of each task (--limit)", limited.Error, StringComparison.Ordinal);
        Assert.Empty(Lines(limited)[^1]["files"]!.AsArray());
    }

    [Fact]
    public void Json_EndsAfterAMistakeToo()
    {
        using var temp = new ScratchFolder();
        temp.Write("file", "");
        var run = CommandRun.Of("sweep", temp.Write("sweep.yaml", Config), "--out", temp["file"], "--json", "--quiet");
        Assert.Equal(2, run.Code);
        var end = Assert.Single(Lines(run));
        Assert.Equal(("end", 2), ((string)end["event"]!, (int)end["exitCode"]!));
        Assert.Contains("is a file", (string)end["error"]!, StringComparison.Ordinal);
        // Nothing was counted.
        Assert.Equal(["event", "exitCode", "folder", "error", "messages", "files"], end.AsObject().Select(pair => pair.Key));
        Assert.Equal($"kvpareto: {end["error"]}\n", run.Error);
    }

    [Fact]
    public void Limit_StandsInThePage()
    {
        using var temp = new ScratchFolder();
        var config = temp.Write("sweep.yaml", Config);
        Assert.Equal(0, CommandRun.Of("sweep", config, "--out", temp["run"], "--threads", "1", "--limit", "1", "--quiet").Code);
        var page = File.ReadAllText(temp["run/report.html"]);
        Assert.Contains("<title>flags, at most 1 sample of each task", page, StringComparison.Ordinal);
        Assert.Contains("\"messages\":[\"a limited run: at most 1 sample of each task (--limit)", page, StringComparison.Ordinal);
    }

    /// <summary>Without a config the run goes on as it was asked for, limit included.</summary>
    [Fact]
    public void Limit_StaysUntilItIsLifted()
    {
        using var temp = new ScratchFolder();
        Assert.Equal(0, Sweep(temp, "--limit", "1", "--no-report").Code);
        Assert.Contains("(at most 1 sample of each task: --limit)", Resume(temp, "--no-report").Error, StringComparison.Ordinal);
        var all = Resume(temp, "--limit", "all");
        Assert.StartsWith("3 trials, 15 samples; 0 trials done before\n", all.Error, StringComparison.Ordinal);
        Assert.Contains(",5,,", File.ReadAllText(temp["run/results.csv"]), StringComparison.Ordinal);
        Assert.Contains("3 trials, 15 samples; 3 trials done before", Sweep(temp, "--resume").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void DryRun_ShowsATableOfEightyColumns_AndWritesNothing()
    {
        using var temp = new ScratchFolder();
        var config = temp.Write("sweep.yaml", Config);
        var run = CommandRun.OnTerminal(80, "sweep", config, "--out", temp["run"], "--threads", "1", "--dry-run", "--memory", "5MiB");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.TrimEnd().Length, 0, 80));
        Assert.Contains("flags: 3 trials, 15 samples\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("memory: 5.00 MiB on ", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("time: not known before samples are measured on this device\nnothing was measured and nothing written\n",
            run.Output, StringComparison.Ordinal);
        Assert.Equal([config], Directory.GetFileSystemEntries(temp.Root));
    }

    [Fact]
    public void DryRun_AsJson_PredictsWhatIsThenMeasured()
    {
        using var temp = new ScratchFolder();
        var preview = JsonNode.Parse(Sweep(temp, "--dry-run", "--json").Output)!;
        Assert.Equal((15, 0, null), ((int)preview["samples"]!, (int)preview["samplesDone"]!, preview["secondsLeft"]));
        var run = Sweep(temp, "--json", "--quiet", "--no-report");
        var measured = Lines(run).Where(value => (string)value["event"]! == "finished").Select(value => value["result"]!)
            .ToDictionary(result => (string)result["trialId"]!, result => (long)result["predictedPeakBytes"]!);
        Assert.Equal(measured.OrderBy(pair => pair.Key), preview["trials"]!.AsArray()
            .Select(trial => KeyValuePair.Create((string)trial!["trial"]!, (long)trial["predictedPeakBytes"]!)).OrderBy(pair => pair.Key));
        var after = JsonNode.Parse(Resume(temp, "--dry-run", "--json").Output)!;
        Assert.Equal((15, 15, 0.0), ((int)after["samples"]!, (int)after["samplesDone"]!, (double)after["secondsLeft"]!));
    }

    /// <summary>A model's files are read whole before the table; of two only the one that has files is named.</summary>
    [Fact]
    public void DryRun_SaysFirstWhoseFilesItReads()
    {
        using var temp = new ScratchFolder();
        new TinyModel().Write(temp["model"]);
        var config = temp.Write("sweep.yaml", """
            name: flags
            models: [embedded:llama, {name: own, path: model}]
            tasks: [{task: prompt, length: 20, new_tokens: 2}]
            settings: [w16a16-k16v16]
            """);
        string[] words = ["sweep", config, "--out", temp["run"], "--threads", "1", "--dry-run"];
        Assert.StartsWith("reading the files of own\n", CommandRun.Of(words).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("reading", CommandRun.Of([.. words, "--quiet"]).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void DryRun_OfASearch_SaysThatItIsTheMost()
    {
        using var temp = new ScratchFolder();
        var config = temp.Write("sweep.yaml", Config + "\nsearch: halving\n");
        var run = CommandRun.Of("sweep", config, "--out", temp["run"], "--threads", "1", "--dry-run");
        Assert.Equal(0, run.Code);
        Assert.Contains("search: halving ", run.Output, StringComparison.Ordinal);
        Assert.Contains("flags: 3 trials, 15 samples\n", run.Output, StringComparison.Ordinal);
    }

    private static List<JsonNode> Lines(CommandRun run) =>
        [.. run.Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!)];

    private static CommandRun Sweep(ScratchFolder temp, params string[] more) => CommandRun.Of(
        ["sweep", temp.Write("sweep.yaml", Config), "--out", temp["run"], "--threads", "1", "--no-html", .. more]);

    private static CommandRun Resume(ScratchFolder temp, params string[] more) =>
        CommandRun.Of(["sweep", "--resume", "--out", temp["run"], "--threads", "1", "--no-html", .. more]);
}

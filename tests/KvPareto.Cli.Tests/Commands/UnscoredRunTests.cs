using System.Text.Json;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

/// <summary>What asks for scores says so of runs that have none, or none above 0.</summary>
public class UnscoredRunTests
{
    [Fact]
    public void RunOfMadeUpPrompts_IsRefusedInOneLine()
    {
        using var folder = new ScratchFolder();
        var run = Sweep(folder, "{task: prompt, length: 32, new_tokens: 2, samples: 1}");
        string[][] commands =
        [
            ["replay", run, "--search", "halving"], ["recommend", run, "--budget", "1GiB"], ["frontier", run],
            ["frontier", run, "--objectives", "memory,score,tpot"],
        ];
        foreach (var command in commands)
        {
            var answer = CommandRun.Of(command);
            Assert.Equal((2, ""), (answer.Code, answer.Output));
            Assert.Contains(": no trial has a score, as made-up prompts have none; allowed: ", answer.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void RunOfMadeUpPrompts_HasAFrontierOfMemoryAndTime()
    {
        using var folder = new ScratchFolder();
        var run = Sweep(folder, "{task: prompt, length: 32, new_tokens: 4, samples: 2}");
        string[] asked = ["frontier", run, "--objectives", "memory,tpot", "--csv", folder["f.csv"]];
        var table = CommandRun.Of(asked);
        Assert.Equal(0, table.Code);
        Assert.Contains(" of 2 settings on the frontier", table.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("95 %", table.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(CommandRun.Of([.. asked, "--json"]).Output);
        var setting = json.RootElement.GetProperty("models")[0].GetProperty("settings")[0];
        Assert.True(setting.GetProperty("values").GetProperty("total_peak_bytes").GetInt64() > 0);
        Assert.Equal(JsonValueKind.Null, setting.GetProperty("interval").ValueKind);
        Assert.StartsWith("model,setting,trial,total_peak_bytes,tpot_ms,ci_low", File.ReadAllText(folder["f.csv"]), StringComparison.Ordinal);
    }

    [Fact]
    public void RunOfMadeUpPrompts_IsCheckedByItsPeaks()
    {
        using var folder = new ScratchFolder();
        var run = Sweep(folder, "{task: prompt, length: 32, new_tokens: 2, samples: 1}");
        var before = File.ReadAllText(Path.Combine(run, "results.csv"));
        Assert.Equal((0, "0 of 2 settings worse than in before.csv, 0 better\n"), Check(before));

        using var json = JsonDocument.Parse(CommandRun.Of("frontier", run, "--objectives", "memory,cache", "--json").Output);
        var peak = json.RootElement.GetProperty("models")[0].GetProperty("settings").EnumerateArray()
            .Single(setting => setting.GetProperty("setting").GetString() == "w16a16-k8v8-t64").GetProperty("values")
            .GetProperty("total_peak_bytes").GetInt64();
        var (code, words) = Check(before.Replace($",{peak},", $",{peak / 2},", StringComparison.Ordinal));
        Assert.Equal(3, code);
        Assert.Contains("k8v8-t64\n    peak ", words, StringComparison.Ordinal);
        Assert.Contains("1 of 2 settings worse than in before.csv", words, StringComparison.Ordinal);
        Assert.Equal((2, ""), Check(before.Replace(",1,,,,,,", ",1,,50,,40,60,", StringComparison.Ordinal))); // scored then

        (int Code, string Output) Check(string earlier)
        {
            File.WriteAllText(folder["before.csv"], earlier);
            var answer = CommandRun.Of("frontier", run, "--check", folder["before.csv"]);
            return (answer.Code, answer.Output);
        }
    }

    [Fact]
    public void RunWithoutAResult_IsRefusedByReplay()
    {
        using var folder = new ScratchFolder();
        var run = Sweep(folder, "{task: embedded, kind: fact, samples: 1, length: 96}", code: 1, "--memory", "100KiB");
        var answer = CommandRun.Of("replay", run, "--search", "halving");
        Assert.Equal(2, answer.Code);
        Assert.Contains(": no trial has a result; allowed: ", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ReplayOfScoresThatAreAllNothing_FindsAllOfIt()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["rows.jsonl"], """{"q": "Who?", "a": "no model says this"}""" + "\n");
        var run = Sweep(folder, "{task: own, data: rows.jsonl, prompt: '{{ q }}', answers: a, metrics: exact, max_new_tokens: 2}");
        var answer = CommandRun.Of("replay", run, "--search", "exhaustive", "--json");
        Assert.Equal((0, ""), (answer.Code, answer.Error));
        using var json = JsonDocument.Parse(answer.Output);
        Assert.Equal(1, json.RootElement.GetProperty("replays")[0].GetProperty("hypervolumeShare").GetDouble());
    }

    private static string Sweep(ScratchFolder folder, string task, int code = 0, params string[] more)
    {
        File.WriteAllText(folder["c.yaml"], $"models: [\"embedded:llama\"]\ntasks: [{task}]\nsettings: [w16a16-k8v8-t64]\n");
        Assert.Equal(code, CommandRun.Of(["sweep", folder["c.yaml"], "--out", folder["run"], "--threads", "1", .. more]).Code);
        return folder["run"];
    }
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CsvHelper;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Reports;

public partial class ResultsCsvTests
{
    private const int TimeColumnCount = 10;

    [Fact]
    public void Write_GivesTheDocumentedColumns()
    {
        var trials = SomeTrial.Sweep("llama");
        var names = ResultsCsv.Columns(trials).Select(column => column.Name).ToList();
        Assert.Equal(
            Documented("## results.csv"),
            names.Select(name => TaskColumn().Replace(name, "$1:NAME")).Distinct());
        Assert.Equal(names[^TimeColumnCount..], names.Where(name => name[..5] is "ttft_" or "tpot_"));
        Assert.Equal(["ttft_ms", "tpot_ms"], FrontierCsv.Columns.TakeLast(2).Select(column => column.Name));
        var inResults = names.ToHashSet();
        Assert.Equal(
            Documented("## frontier.csv"),
            FrontierCsv.Columns.Select(column => column.Name).Where(name => !inResults.Contains(name)));
    }

    [Fact]
    public void Write_GivesEveryPartOfASetting()
    {
        var row = Rows(SomeTrial.Sweep("llama")).Single(row => row["setting"] == "w4g64a16-k4v2-kt32-vt64-c64-math");
        Assert.Equal(
            ["rtn", "4", "64", "16", "4", "2", "token:32", "token:64", "false", "64", "math"],
            Cells(
                row,
                "weight_method", "weight_bits", "weight_group", "embedding_bits", "key_bits", "value_bits", "key_granularity",
                    "value_granularity", "smooth", "chunk",
                "attention"));
        var baseline = Rows(SomeTrial.Sweep("llama")).Single(row => row["setting"] == "w16a16-k16v16");
        Assert.Equal(
            ["none", "", "", "none", "flash"], Cells(baseline, "weight_method", "weight_group", "key_granularity", "chunk", "attention"));
    }

    [Fact]
    public void Write_LeavesNoFormulaAndNoOrderInTexts()
    {
        TrialResult[] trials =
        [
            SomeTrial.Ok("=HYPERLINK(\"http://x\",\"y\")", "w16a16-k16v16", 1000, ("=1+1|\e[5mT", [1.0, 0.5])),
            SomeTrial.Failed("  @cmd", "w4a16-k4v4-t64", "-1 is no size\e[2J"),
            SomeTrial.Failed("\uFF1Dcmd", "w4a16-k4v4-t64", "no memory"),
            SomeTrial.Failed("a=b", "w4a16-k4v4-t64", "no memory"),
        ];
        var rows = Rows(trials);
        Assert.Equal(["'  @cmd", "'=HYPERLINK(\"http://x\",\"y\")", "a=b", "'\uFF1Dcmd"], rows.Select(row => row["model"]));
        Assert.Equal(["'-1 is no size [2J", "", "no memory", "no memory"], rows.Select(row => row["failure"]));
        Assert.Equal("75.0000", rows[1]["task:=1+1| [5mT"]);
        Assert.DoesNotContain('\e', Encoding.UTF8.GetString(ResultsCsv.Write(FrontierAnalysis.Of(trials, "w16a16-k16v16", 1, 10))));
    }

    [Fact]
    public void Write_GivesFixedFormats()
    {
        var row = Rows(SomeTrial.Sweep("llama")).Single(row => row["setting"] == "w4g64a16-k4v4-t32-smooth-c256");
        Assert.Equal(
            [
                "20", "80.0000", "80.0000", "80.0000", "400", "300", "400", "", "200", "100", "50", "50", "60.000", "15.0000", "true",
                "true", "ok", "", "12.500", "1.250",
            ],
            Cells(
                row,
                "samples", "score", "task:fact", "task:label", "total_peak_bytes", "load_peak_bytes",
                "prefill_peak_bytes", "decode_peak_bytes", "peak_weights_bytes", "peak_kv_cache_bytes",
                "peak_activations_bytes", "peak_workspace_bytes", "memory_saved_percent", "score_loss", "frontier",
                "frontier_all", "status", "failure", "ttft_ms", "tpot_ms"));
    }

    [Fact]
    public void Write_SaysHowPeaksWereGot()
    {
        var trials = SomeTrial.Sweep("llama").ToList();
        trials[0] = trials[0] with { Peaks = trials[0].Peaks with { Measured = PeakKind.Process } };
        Assert.Equal(["process"], Rows(trials).Where(row => row["trial"] == trials[0].TrialId).Select(row => row["peak_kind"]));
        Assert.All(Rows(trials).Where(row => row["trial"] != trials[0].TrialId), row =>
            Assert.Equal(row["status"] == "ok" ? "ledger" : "", row["peak_kind"]));
    }

    [Fact]
    public void Write_KeepsARecordOnOneLineWhateverAFailureSays()
    {
        var trials = SomeTrial.Sweep("a,\"b\"\r\n=c");
        var text = Encoding.UTF8.GetString(ResultsCsv.Write(Analysis(trials)));
        Assert.DoesNotContain('\r', text);
        Assert.Equal(trials.Count + 1, text.Count(character => character == '\n'));
        var failed = Rows(trials).Single(row => row["status"] == "failed");
        Assert.Equal(
            ["out of memory: \"prefill\", 2 GiB", "a,\"b\"  =c", "", ""], Cells(failed, "failure", "model", "score", "total_peak_bytes"));
    }

    [Fact]
    public void Write_LeavesPartsEmptyWhereTheSettingCannotBeRead()
    {
        var row = Assert.Single(Rows([SomeTrial.Ok("m", "w3a8-k1v1", 10, ("t", [1]))]));
        Assert.Equal(("w3a8-k1v1", "", "", "100.0000"), (row["setting"], row["key_bits"], row["chunk"], row["score"]));
    }

    [Fact]
    public void Write_NumbersTasksOfOneName()
    {
        var row = Assert.Single(Rows([SomeTrial.Ok("m", "w16a16-k16v16", 10, ("niah", [1]), ("niah", [0]))]));
        Assert.Equal(("100.0000", "0.0000"), (row["task:niah"], row["task:niah#2"]));
    }

    [Fact]
    public void Write_GivesPartsAfterTheirTask()
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 10, ("gsm8k", [1]), ("niah", [0]));
        var scores = trial.Scores.ToArray();
        scores[0] = scores[0] with { Parts = [new("flexible", 1, 62.5)] };
        trial = trial with { Scores = scores };
        Assert.Equal("62.5000", Assert.Single(Rows([trial]))["task:gsm8k/flexible"]);
        var names = ResultsCsv.Columns([trial]).Select(column => column.Name)
            .Where(name => name.StartsWith("task:", StringComparison.Ordinal));
        Assert.Equal(["task:gsm8k", "task:gsm8k/flexible", "task:niah"], names);
    }

    [Fact]
    public void Write_GivesEachTaskWithItsErrors()
    {
        var rows = Rows(SomeTrial.Sweep("llama"));
        var row = rows.Single(row => row["setting"] == "w4g64a16-k4v4-t32-smooth-c256");
        // fact: 8 of 10 right, the baseline 10, so 2 of 10 differ; label: 8 of 10 reversed against 9 of 10, 3 differ: 2 down, 1 up.
        Assert.Equal(
            ["80.0000", "13.3333", "20.0000", "13.3333", "0.5000", "80.0000", "13.3333", "10.0000", "17.9505", "1.0000"],
            Cells(
                row, "task:fact", "task_se:fact", "task_loss:fact", "task_loss_se:fact", "task_loss_p:fact", "task:label", "task_se:label",
                "task_loss:label", "task_loss_se:label", "task_loss_p:label"));
        // Of five that differ, all of one weight, four are losses; Holm doubles it, as one of three settings has a smaller p value.
        Assert.Equal(["9.4281", "11.1803", "0.3750", "0.7500", ""], Cells(
            row, "score_se", "score_loss_se", "score_loss_p", "score_loss_p_holm", "score_noise"));
        Assert.True(double.Parse(row["task_ci_low:fact"], CultureInfo.InvariantCulture) is > 40 and < 80);
        Assert.True(double.Parse(row["task_loss_ci_high:fact"], CultureInfo.InvariantCulture) is > 20 and <= 60);
        var baseline = rows.Single(row => row["setting"] == "w16a16-k16v16");
        Assert.Equal(["0.0000", "0.0000", "0.0000", "1.0000", ""], Cells(
            baseline, "task_se:fact", "task_loss:fact", "task_loss_se:fact", "task_loss_p:fact", "score_loss_p_holm"));
        var failed = rows.Single(row => row["status"] == "failed");
        Assert.Equal(["", "", ""], Cells(failed, "task_se:fact", "score_se", "score_loss_p"));
    }

    [Fact]
    public void Write_GivesErrorsOfPartsWhereTheirSamplesAreKnown()
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 10, ("mmlu", [1, 0, 1, 0]));
        trial = trial with
        {
            Scores = [trial.Scores[0] with { Parts = [new("law", 2, 50) { PerSample = [1, 0] }, new("old", 2, 50)] }],
        };
        var row = Assert.Single(Rows([trial]));
        Assert.Equal(
            ["50.0000", "50.0000", "50.0000", ""], Cells(row, "task:mmlu/law", "task_se:mmlu/law", "task:mmlu/old", "task_se:mmlu/old"));
    }

    [Fact]
    public void Write_SaysHowFarTheBaselineMovesByItself()
    {
        var trials = SomeTrial.Sweep("llama").ToList();
        var first = trials[0];
        TrialResult Again(int number, double score, double ttft) => first with
        {
            TrialId = $"{number:x16}",
            Repeat = number,
            Scores = [first.Scores[0], first.Scores[1] with { Mean = score, PerSample = SomeTrial.Samples((int)(score / 10), 10) }],
            Score = (100 + score) / 2,
            TtftMs = ttft,
        };
        var rows = Rows([.. trials, Again(1, 90, 12.5), Again(2, 70, 15)]);
        Assert.Equal(trials.Count, rows.Count);
        Assert.All(rows.Where(row => row["status"] == "ok"), row => Assert.Equal(
            ["10.0000", "20.000", "0.000"], Cells(row, "score_noise", "ttft_noise_percent", "tpot_noise_percent")));
        var messages = Analysis([.. trials, Again(1, 90, 12.5), Again(2, 70, 15)]).Messages;
        Assert.Contains(
            "llama: the baseline measured 3 times in all gives scores within 10.00 points (samples that differ: 2) and peaks within 0 B; "
            + "median times within 20.0 % to the first token, 0.0 % for later ones", messages);
    }

    [Fact]
    public void Write_DiffersInTimesOnly()
    {
        var trials = SomeTrial.Sweep("llama");
        var slower = trials.Select(trial => trial with { TtftMs = trial.TtftMs * 3, TpotMs = trial.TpotMs + 0.001 }).Reverse().ToList();
        var (a, b) = (ResultsCsv.Write(Analysis(trials)), ResultsCsv.Write(Analysis(slower)));
        Assert.NotEqual(a, b);
        Assert.Equal(WithoutTimes(a), WithoutTimes(b));
        Assert.Equal(WithoutTimes(FrontierCsv.Write(Analysis(trials))), WithoutTimes(FrontierCsv.Write(Analysis(slower))));
    }

    [Fact]
    public void FrontierCsv_GivesTheFrontierByRisingPeak()
    {
        var csv = FrontierCsv.Write(Analysis([.. SomeTrial.Sweep("qwen"), .. SomeTrial.Sweep("llama")]));
        var lines = Encoding.UTF8.GetString(csv).Split('\n');
        Assert.Equal(
            [
                "llama,digest of llama,w4g64a16-k4v4-t32-smooth-c256",
                "llama,digest of llama,w16a16-k8v8-t64",
                "qwen,digest of qwen,w4g64a16-k4v4-t32-smooth-c256",
                "qwen,digest of qwen,w16a16-k8v8-t64",
                "",
            ],
            lines.Skip(1).Select(line => string.Join(',', line.Split(',').Take(3))));
        Assert.Contains(",w4g64a16-k4v2-kt32-vt64-c64-math,53.095,1050,0.0000,12.500,1.250", lines[1], StringComparison.Ordinal);
    }

    private static FrontierAnalysis Analysis(IReadOnlyList<TrialResult> trials) => FrontierAnalysis.Of(trials, "w16a16-k16v16", seed: 1);

    private static List<IDictionary<string, string>> Rows(IReadOnlyList<TrialResult> trials)
    {
        using var text = new StreamReader(new MemoryStream(ResultsCsv.Write(Analysis(trials))));
        using var csv = new CsvReader(text, CultureInfo.InvariantCulture);
        return [.. csv.GetRecords<dynamic>().Select(row => ((IDictionary<string, object>)row)
            .ToDictionary(cell => cell.Key, cell => (string)cell.Value))];
    }

    private static IEnumerable<string> Cells(IDictionary<string, string> row, params string[] names) => names.Select(name => row[name]);

    private static string WithoutTimes(byte[] csv) =>
        (csv.AsSpan().IndexOf("tpot_noise_percent"u8) < 0 ? FrontierTimes() : TimeColumns()).Replace(Encoding.UTF8.GetString(csv), "");

    private static IEnumerable<string> Documented(string heading)
    {
        var file = Path.Combine(TestData.RepositoryRoot, "docs", "results-csv.md");
        var lines = File.ReadLines(file).SkipWhile(line => line != heading).Skip(1);
        return lines.TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => FirstCell().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);
    }

    [GeneratedRegex("(,[^,]*){2}$", RegexOptions.Multiline)]
    private static partial Regex FrontierTimes();

    [GeneratedRegex("(,[^,]*){10}$", RegexOptions.Multiline)]
    private static partial Regex TimeColumns();

    [GeneratedRegex("^(task[a-z_]*):.*")]
    private static partial Regex TaskColumn();

    [GeneratedRegex(@"^\| `([^`]+)` \|")]
    private static partial Regex FirstCell();
}

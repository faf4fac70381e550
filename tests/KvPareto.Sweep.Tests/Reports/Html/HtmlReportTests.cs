using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Html;
using KvPareto.Sweep.Results;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Reports.Html;

public sealed class HtmlReportTests : IDisposable
{
    private const string Start = "<script type=\"application/json\" id=\"data\">";
    private const string End = "</script>";
    private const string Attack = "</script>\u2028\u2029<!--<script>{{style}}";

    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Data_CannotEndItsScriptAndReadsBack()
    {
        var trial = SomeTrial.Ok(Attack, "w16a16-k16v16", 1000, (Attack, [1.0]));
        WriteSamples(trial, [Sample(Attack, "1", Attack)]);
        var page = Write([trial]);
        Assert.Equal(3, page.Split("</script>").Length); // Data, script, and what follows.
        Assert.DoesNotContain('\u2028', page);
        Assert.DoesNotContain('\u2029', page);
        using var data = Data(page);
        Assert.Equal(Attack, data.RootElement.GetProperty("models")[0].GetProperty("name").GetString());
        var samples = data.RootElement.GetProperty("samples");
        Assert.Equal(Attack, samples.GetProperty("tasks")[0].GetProperty("name").GetString());
        Assert.Equal(Attack, samples.GetProperty("answers").GetProperty(SampleData.KeyOf(trial))[0].GetProperty("0")[0].GetString());
    }

    [Fact]
    public void Run_ShowsItsFiguresSamplesAndRecord()
    {
        var history = FakeSweep.Run(_folder.Root, new FakeEngine());
        using var data = Data(Write(history.Results));
        var root = data.RootElement;
        Assert.Equal(["one", "two"], root.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()));
        var point = root.GetProperty("models")[0].GetProperty("points")[0];
        var trial = history.Results.Single(result => SampleData.KeyOf(result) == point.GetProperty("trial").GetString());
        Assert.Equal(trial.Peaks.Inference.Total, point.GetProperty("peak").GetInt64());
        Assert.Equal(trial.Score!.Value, point.GetProperty("score").GetDouble(), 4);
        Assert.Equal(
            trial.Peaks.Inference.Total, point.GetProperty("memory").GetProperty("peak").EnumerateArray().Sum(part => part.GetInt64()));
        var tasks = root.GetProperty("samples").GetProperty("tasks");
        Assert.Equal([3, 2], tasks.EnumerateArray().Select(task => task.GetProperty("samples").GetArrayLength()));
        Assert.Equal("answer 0", tasks[0].GetProperty("samples")[0].GetProperty("references")[0].GetString());
        Assert.Equal(FakeSweep.Config().Source, root.GetProperty("provenance").GetProperty("config").GetString());
        Assert.Equal("fake", root.GetProperty("provenance").GetProperty("host").GetProperty("backend").GetString());
    }

    [Fact]
    public void SamplesOfSeveralContexts_AreToldApart()
    {
        var trials = new[] { 1000, 2000 }.Select((context, i) => SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("niah", [1.0])) with
        {
            TrialId = new string((char)('a' + i), 16),
            Context = context,
        }).ToList();
        foreach (var trial in trials) WriteSamples(trial, [Sample("niah", "1", $"at {trial.Context}")]);
        using var data = Data(Write(trials));
        var samples = data.RootElement.GetProperty("samples");
        Assert.Equal(
            ["niah at 1,000", "niah at 2,000"], samples.GetProperty("tasks").EnumerateArray()
                .Select(task => task.GetProperty("name").GetString()));
        Assert.Equal("at 1000", samples.GetProperty("answers").GetProperty(SampleData.KeyOf(trials[0]))[0].GetProperty("0")[0].GetString());
        Assert.Equal("at 2000", samples.GetProperty("answers").GetProperty(SampleData.KeyOf(trials[1]))[1].GetProperty("0")[0].GetString());
    }

    [Fact]
    public void ComparisonsAndLikelihoods_AreShownByTheirFigures()
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("fidelity", [0.9, 1]));
        var figures = new FidelityFigures(21.5, 19.25, 0.125, 0.0625, 0.75, 1.5, 0.9, 20, 0.1);
        WriteSamples(trial,
            [
                Sample("fidelity", "0", "") with { Prediction = new FidelityPrediction(figures, 4.5, 870, [0.125f]) },
                Sample("fidelity", "1", "") with { Prediction = new LikelihoodPrediction([-1.23456789, -0.5]) },
            ]);
        using var data = Data(Write([trial]));
        var answers = data.RootElement.GetProperty("samples").GetProperty("answers").GetProperty(SampleData.KeyOf(trial))[0];
        Assert.Equal(
            "perplexity 21.5; KL divergence, nats: mean 0.125, median 0.0625, 99 % 0.75, largest 1.5",
            answers.GetProperty("0")[0].GetString());
        Assert.Equal("log likelihoods -1.235, -0.500", answers.GetProperty("1")[0].GetString());
    }

    /// <summary>Of very many samples the first ones, texts cut, so that the page has a bound.</summary>
    [Fact]
    public void Samples_AreBounded()
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("t", new double[500]));
        WriteSamples(trial, [.. Enumerable.Range(0, 500).Select(i => Sample("t", $"s{i}", new string('x', 5000) + "🙂"))]);
        var page = Write([trial]);
        Assert.True(page.Length < 600_000);
        using var data = Data(page);
        var task = data.RootElement.GetProperty("samples").GetProperty("tasks")[0];
        Assert.Equal(500, task.GetProperty("total").GetInt32());
        Assert.Equal(
            Enumerable.Range(0, SampleData.MostOfATask).Select(i => $"s{i}"),
            task.GetProperty("samples").EnumerateArray().Select(sample => sample.GetProperty("id").GetString()));
        var text = data.RootElement.GetProperty("samples").GetProperty("answers").GetProperty(SampleData.KeyOf(trial))[0]
            .GetProperty("0")[0].GetString();
        Assert.Equal(new string('x', SampleData.MostCharacters - 1) + "…", text);
    }

    [Fact]
    public void Page_AllowsItsOwnScriptAndStyleOnly()
    {
        var page = Write(SomeTrial.Sweep("m"));
        Assert.Contains($"script-src 'sha256-{Hash(Between(page, "<script>", End))}'", page, StringComparison.Ordinal);
        Assert.Contains($"style-src 'sha256-{Hash(Between(page, "<style>", "</style>"))}'", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        Assert.DoesNotContain("innerHTML", page, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "http://", page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    [Fact]
    public void SameTrials_GiveTheSameBytes() => Assert.Equal(Write(SomeTrial.Sweep("m")), Write([.. SomeTrial.Sweep("m").Reverse()]));

    [Fact]
    public void Report_WithoutHtml_TakesAnEarlierOneAway()
    {
        ReportWriter.Write(_folder.Root, SomeTrial.Sweep("m"), new() { Figures = [] });
        Assert.True(File.Exists(_folder["report.html"]));
        ReportWriter.Write(_folder.Root, SomeTrial.Sweep("m"), new() { Figures = [], Html = false });
        Assert.False(File.Exists(_folder["report.html"]));
    }

    private string Write(IReadOnlyList<TrialResult> trials)
    {
        var options = new ReportOptions { Baseline = "w16a16-k16v16", Seed = 1, Resamples = 50 };
        var analysis = FrontierAnalysis.Of(trials, options.Baseline, options.Seed, options.Resamples);
        return Encoding.UTF8.GetString(HtmlReport.Write(_folder.Root, analysis, options));
    }

    private void WriteSamples(TrialResult trial, IReadOnlyList<SampleRecord> records)
    {
        Directory.CreateDirectory(RunPaths.Samples(_folder.Root));
        File.WriteAllLines(
            RunPaths.Samples(_folder.Root, trial.TrialId),
                records.Select(record => Encoding.UTF8.GetString(JournalJson.WriteLine(record))));
    }

    private static SampleRecord Sample(string task, string id, string text) => new()
    {
        Task = task,
        Sample = id,
        PromptHead = text,
        References = [text],
        Prediction = new TextPrediction(text),
        Score = 0,
        PromptTokens = 1,
        NewTokens = 1,
        Peaks = default,
        TtftMs = 1,
    };

    private static JsonDocument Data(string page) => JsonDocument.Parse(Between(page, Start, End));

    private static string Between(string page, string start, string end)
    {
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[from..page.IndexOf(end, from, StringComparison.Ordinal)];
    }

    private static string Hash(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

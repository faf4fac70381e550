using System.Text;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class FiguresTests
{
    private static readonly ReportOptions Options = new() { Run = "some", Resamples = 20 };

    private static readonly TrialResult[] Trials =
    [
        SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("niah", [1, 1, 1, 1])),
        SomeTrial.Ok("m", "w16a16-k4v4-t32-c64", 700, ("niah", [1, 0, 1, 1])),
        SomeTrial.Ok("m", "w16a16-k4v4-t32-c256", 720, ("niah", [1, 0, 1, 0])),
        SomeTrial.Ok("m", "w16a16-k4v4-t64-c64", 690, ("niah", [1, 0, 0, 1])),
        SomeTrial.Ok("m", "w16a16-k4v4-t64-c256", 710, ("niah", [0, 0, 0, 1])),
    ];

    [Fact]
    public void Write_DrawsEveryFigureThatHasData()
    {
        using var temp = new ScratchFolder();
        Samples(temp["run"], Trials[0]);
        var files = ReportWriter.Write(temp["run"], Trials, Options).Files.Select(Path.GetFileName);
        Assert.Equal(
            [
                "results.csv", "frontier.csv", "report.html", "memory.csv", "niah.csv", "ablation.csv", "frontier.png", "memory.png",
                    "niah.png", "ablation.png",
            ], files);
    }

    [Fact]
    public void Draw_SaysThatTheLibraryIsNotThere() =>
        Assert.Equal(
            "undrawable was not drawn: SkiaSharp's library is not there or not for this machine",
            Assert.ThrowsAny<IOException>(() => FigureWriter.Draw(new Undrawable(), PictureFormat.Png)).Message);

    private sealed class Undrawable : Figure
    {
        public override string Name => "undrawable";

        public override string? Missing => null;

        public override string Title => "";

        public override byte[] Csv() => [];

        public override IReadOnlyList<Panel> Panels() => throw new TypeInitializationException(
            "ScottPlot.Fonts", new TypeInitializationException("SkiaSharp.SKObject", new DllNotFoundException("libSkiaSharp")));
    }

    [Fact]
    public void Memory_NamesEveryPart()
    {
        using var temp = new ScratchFolder();
        ReportWriter.Write(temp["run"], Trials, Options with { Figures = ["memory"] });
        var lines = File.ReadAllLines(temp["run/memory.csv"]);
        Assert.Equal(
            "model,setting,baseline,frontier,total_peak_bytes,weight_bytes,kv_cache_bytes,activation_bytes,workspace_bytes", lines[0]);
        Assert.Equal("m,w16a16-k4v4-t64-c64,false,true,690,345,172,86,87", lines[1]);
        Assert.Equal("m,w16a16-k16v16,true,true,1000,500,250,125,125", lines[^1]);
    }

    [Fact]
    public void Tasks_GivesEachTaskOfEachSettingWithItsInterval()
    {
        using var temp = new ScratchFolder();
        var files = ReportWriter.Write(temp["run"], SomeTrial.Sweep("m"), Options with { Figures = ["tasks"] }).Files;
        Assert.Contains("tasks.png", files.Select(Path.GetFileName));
        var lines = File.ReadAllLines(temp["run/tasks.csv"]);
        Assert.Equal("model,setting,baseline,frontier,task,score,se,ci_low,ci_high,loss,loss_se,loss_ci_low,loss_ci_high,loss_p", lines[0]);
        Assert.Equal(1 + 2 * 4, lines.Length);
        Assert.StartsWith("m,w4g64a16-k4v4-t32-smooth-c256,false,true,fact,80.0000,13.3333,", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(",0.5000", lines[1], StringComparison.Ordinal);
        Assert.Contains(
            "m,w16a16-k16v16,true,false,fact,100.0000,0.0000,100.0000,100.0000,0.0000,0.0000,0.0000,0.0000,1.0000", lines);
    }

    [Fact]
    public void Ablation_ComparesWhatDiffersOnOneAxisAlone()
    {
        using var temp = new ScratchFolder();
        ReportWriter.Write(temp["run"], Trials, Options with { Figures = ["ablation"] });
        var rows = File.ReadAllLines(temp["run/ablation.csv"]).Select(line => line.Split(',')).Skip(1).ToList();
        Assert.Equal(
            [
                ("Granularity", "w16-k4v4-c256", "t32", "0.0000"), ("Granularity", "w16-k4v4-c256", "t64", "-25.0000"),
                ("Granularity", "w16-k4v4-c64", "t32", "0.0000"), ("Granularity", "w16-k4v4-c64", "t64", "-25.0000"),
                ("Chunk", "w16-k4v4-t32", "64", "0.0000"), ("Chunk", "w16-k4v4-t32", "256", "-25.0000"),
                ("Chunk", "w16-k4v4-t64", "64", "0.0000"), ("Chunk", "w16-k4v4-t64", "256", "-25.0000"),
            ],
            rows.Select(row => (row[0], row[2], row[3], row[9])));
        Assert.Equal("98.571", rows[3][10]);
    }

    /// <summary>16 bits, whatever the granularity of what it is compared with.</summary>
    [Fact]
    public void Ablation_BeginsACachesBitsAt16()
    {
        TrialResult[] trials =
        [
            SomeTrial.Ok("m", "w16a16-k16v16-c64", 1000, ("niah", [1, 1, 1, 1])),
            .. Trials.Where(trial => trial.Setting.EndsWith("c64", StringComparison.Ordinal)),
        ];
        var figure = new AblationFigure(FrontierAnalysis.Of(trials, "w16a16-k16v16-c64", 1, 20), Options);
        var rows = Encoding.UTF8.GetString(figure.Csv()).TrimEnd().Split('\n').Skip(1).Select(line => line.Split(',')).ToList();
        Assert.Equal(
            [
                ("KV cache", "w16-t32-c64", "k16v16", "0.0000"), ("KV cache", "w16-t32-c64", "k4v4", "-25.0000"),
                ("KV cache", "w16-t64-c64", "k16v16", "0.0000"), ("KV cache", "w16-t64-c64", "k4v4", "-50.0000"),
                ("Granularity", "w16-k4v4-c64", "t32", "0.0000"), ("Granularity", "w16-k4v4-c64", "t64", "-25.0000"),
            ],
            rows.Select(row => (row[0], row[2], row[3], row[9])));
    }

    [Fact]
    public void Niah_ReadsLengthsAndDepthsFromTheSamples()
    {
        using var temp = new ScratchFolder();
        Samples(temp["run"], Trials[0]);
        ReportWriter.Write(temp["run"], Trials, Options with { Figures = ["niah"] });
        Assert.Equal(
            [
                "model,setting,baseline,length,depth_percent,samples,score",
                "m,w16a16-k16v16,true,1000,10,2,75.0000", "m,w16a16-k16v16,true,3000,12.5,1,0.0000",
            ],
            File.ReadAllLines(temp["run/niah.csv"]));
    }

    /// <summary>Contexts are columns of one map, in which a setting that one of them has on its frontier is shown whole.</summary>
    [Fact]
    public void Niah_PutsTheContextsOfAModelTogether()
    {
        using var temp = new ScratchFolder();
        TrialResult[] trials = [.. new[] { 1000, 3000 }.SelectMany(context => SomeTrial.Sweep("m").Select(trial => trial with
        { TrialId = $"{trial.TrialId}{context}", Context = context }))];
        foreach (var trial in trials)
            Samples(temp["run"], trial, $"-{trial.Context}-");
        var figure = new NiahFigure(FrontierAnalysis.Of(trials, "w16a16-k16v16", 1, 20), Options, temp["run"]);
        var settings = trials.Where(trial => trial.Score is not null).Select(trial => trial.Setting).Distinct().Count();
        var rows = Encoding.UTF8.GetString(figure.Csv()).TrimEnd().Split('\n').Skip(1).ToList();
        Assert.Equal(2 * settings, rows.Count);
        Assert.All(rows, row => Assert.StartsWith("m,", row, StringComparison.Ordinal));
        Assert.Equal(["m,w16a16-k16v16,true,1000,10,2,75.0000", "m,w16a16-k16v16,true,3000,12.5,1,0.0000"], rows[..2]);
        Assert.Equal("w16a16-k16v16 (baseline)", figure.Panels()[0].Title);
        Assert.Equal(figure.Panels().Count, figure.Panels().Select(panel => panel.Title).Distinct().Count());
    }

    /// <summary>A heading that is cut says neither model nor setting.</summary>
    [Fact]
    public void Niah_HasRoomForItsHeadings_HoweverFewLengths()
    {
        using var temp = new ScratchFolder();
        TrialResult[] trials = [Trials[0], Trials[0] with { TrialId = "other", Model = "SmolLM2-135M at 1500" }];
        foreach (var trial in trials) Samples(temp["run"], trial);
        var figure = new NiahFigure(FrontierAnalysis.Of(trials, "w16a16-k16v16", 1, 20), Options, temp["run"]);
        var panels = figure.Panels();
        Assert.Contains(panels, panel => panel.Title == "SmolLM2-135M at 1500: w16a16-k16v16 (baseline)");
        Assert.All(panels, panel => Assert.InRange(Look.PanelTitle.Width(panel.Title), 0, figure.PlotSize.Width));
    }

    /// <summary>Beside long names of settings a plot is narrow.</summary>
    [Fact]
    public void Tasks_HasRoomForItsHeadings()
    {
        TrialResult[] trials =
            [.. new[] { "Llama at 1k", "Mistral-Small-3.1-24B-Instruct-2503 at 10k" }.SelectMany(model => SomeTrial.Sweep(model))];
        var figure = new TasksFigure(FrontierAnalysis.Of(trials, "w16a16-k16v16", 1, 20), Options);
        var widest = figure.Panels().Max(panel => Look.PanelTitle.Width(panel.Title) + Look.Note.Width(panel.Note));
        Assert.InRange(widest, figure.PlotSize.Width, new Page(figure).HeadingRoom);
    }

    [Fact]
    public void Write_TakesAwayATableThatHasNoDataAnyMore_AndSaysWhyWhereItWasAskedFor()
    {
        using var temp = new ScratchFolder();
        Directory.CreateDirectory(temp["run"]);
        foreach (var name in new[] { "niah.csv", "niah.png" }) File.WriteAllText(temp["run/" + name], "of an earlier report");
        var summary = ReportWriter.Write(temp["run"], Trials, Options with { Figures = ["niah"] });
        Assert.Equal(["frontier.csv", "report.html", "results.csv"], Directory.GetFiles(temp["run"]).Select(Path.GetFileName).Order());
        Assert.Equal(["niah was not drawn: no trial looked for needles, or the run's samples are not there"], summary.Messages);
    }

    [Fact]
    public void Write_NamesTheFiguresThereAre()
    {
        using var temp = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => ReportWriter.Write(temp["run"], Trials, Options with { Figures = ["pie"] }));
        Assert.Equal(
            "--figure 'pie'; allowed: frontier, memory, tasks, niah, ablation, fidelity, latency, context, separated by commas",
                error.Message);
    }

    private static void Samples(string folder, TrialResult trial, string part = "")
    {
        (string Id, double Score)[] samples = [("sandwich-1000-10", 1), ("city-1000-10", 0.5), ("sandwich-3000-12.5", 0), ("no cell", 1)];
        var text = new StringBuilder();
        foreach (var (id, score) in samples.Where(sample => sample.Id.Contains(part, StringComparison.Ordinal)))
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $$"""{"task":"niah","sample":"{{id}}","prediction":"p","score":{{score}},""");
            text.Append("""
                "promptTokens":1000,"newTokens":3,"peaks":{"load":{"weights":1,"kvCache":0,"activations":0,"workspace":0},"prefill":{"weights":1,"kvCache":1,"activations":0,"workspace":0},"decode":{"weights":1,"kvCache":1,"activations":0,"workspace":0}},"warmUp":false,"ttftMs":1.5}
                """).Append('\n');
        }
        Directory.CreateDirectory(Path.Combine(folder, "samples"));
        File.WriteAllText(Path.Combine(folder, "samples", trial.TrialId + ".jsonl"), text.ToString());
    }
}

using System.Globalization;
using CsvHelper;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Trials;

/// <summary>
/// Replays recorded sweeps: SmolLM2-135M (5 settings × 10 samples of 300 to 1,230 tokens) and the quickstart's first model (15 settings ×
/// 48 samples), both on a machine with other things to do, the second one fifteen times slower at first than later.
/// </summary>
public class TimeEstimateTests
{
    /// <summary>As asked for: the first estimate is within a factor of two.</summary>
    private const double Factor = 2;

    private static readonly Dictionary<string, ModelConfig> Models = new()
    {
        ["smollm2.csv"] = Embedded() with
        {
            LayerCount = 30,
            HiddenSize = 576,
            FeedForwardSize = 1536,
            QueryHeads = 9,
            KvHeads = 3,
            HeadDim = 64,
            VocabularySize = 49152,
        },
        ["quickstart.csv"] = Embedded(),
    };

    [Theory]
    [InlineData("smollm2.csv", "niah,narrativeqa,multi_news")]
    [InlineData("smollm2.csv", "multi_news,niah,narrativeqa")]
    [InlineData("quickstart.csv", "embedded:fact,embedded:two-hop,embedded:count,embedded:label")]
    public void Left_OfARecordedSweep_IsWithinAFactorOfTwoAtFirst(string file, string tasks)
    {
        var estimates = Replay(file, tasks.Split(','));
        var (estimated, left) = estimates[0];
        Assert.InRange(estimated / left, 1 / Factor, Factor);
        // Long before half of the time is over.
        Assert.True(left > 0.75 * estimates[^1].Whole, $"{left} s were left at the first estimate, of {estimates[^1].Whole}");
    }

    /// <summary>
    /// A baseline that holds all scores took 287 ms of a prompt of 900 tokens and what followed 131: the first does not stand for the
    /// second.
    /// </summary>
    [Fact]
    public void FlashAfterMath_IsKnownToBeFaster()
    {
        var (time, trials, rows) = Start("quickstart.csv", ["embedded:fact", "embedded:two-hop", "embedded:count", "embedded:label"]);
        Row[] baseline = [.. rows.Where(row => row.Setting == trials[0].Spec.Setting.Name)];
        time.Begun(trials[0], (_, _) => false);
        foreach (var row in baseline) Measure(time, trials[0], row with { Made = 1, Tpot = null, Ttft = 287, Wall = 0.287 });
        Assert.InRange(time.Of(trials[1])!.Value.TotalSeconds / (baseline.Length * 0.131), 1 / 1.5, 1.5);
    }

    [Theory]
    [InlineData("niah,narrativeqa,multi_news")]
    [InlineData("multi_news,niah,narrativeqa")]
    public void Left_OfARecordedSweep_StaysWithinAFactorOfTwo(string tasks)
    {
        var estimates = Replay("smollm2.csv", tasks.Split(','));
        Assert.All(estimates.Where(estimate => estimate.Left > 0.05 * estimate.Whole), estimate =>
            Assert.InRange(estimate.Estimated / estimate.Left, 1 / Factor, Factor));
    }

    [Fact]
    public void Left_IsZeroAtTheEnd()
    {
        var (time, trials, _) = Start("smollm2.csv", ["niah", "narrativeqa", "multi_news"]);
        Assert.Null(time.Left());
        foreach (var trial in trials) time.Ended(trial, elsewhere: false);
        Assert.Equal(TimeSpan.Zero, time.Left());
    }

    /// <summary>The five settings have the same weights: a minute of loading comes once.</summary>
    [Fact]
    public void Loading_CountsOnceWhereWeightsStay()
    {
        var (time, trials, rows) = Start("smollm2.csv", ["niah", "narrativeqa", "multi_news"]);
        Row[] first = [.. rows.Where(row => row.Setting == trials[0].Spec.Setting.Name)];
        time.Begun(trials[0], (_, _) => false);
        foreach (var (i, row) in first.Index()) Measure(time, trials[0], i == 0 ? row with { Wall = row.Wall + 60 } : row);
        time.Ended(trials[0], elsewhere: false);
        var others = trials.Skip(1).Sum(trial => time.Of(trial)!.Value.TotalSeconds);
        Assert.Equal(others, time.LeftAlone()!.Value.TotalSeconds, 1e-3);
    }

    [Fact]
    public void Left_IsSharedWithOtherWorkers()
    {
        var (time, trials, rows) = Start("smollm2.csv", ["niah", "narrativeqa", "multi_news"]);
        time.Begun(trials[0], (_, _) => false);
        foreach (var row in rows.Where(row => row.Setting == trials[0].Spec.Setting.Name)) Measure(time, trials[0], row);
        time.Ended(trials[0], elsewhere: false);
        var alone = time.Left()!.Value;
        time.Ended(trials[1], elsewhere: true);
        // Three of five are left, and two workers do as much as one did.
        Assert.InRange(time.Left()!.Value / alone, 0.3, 0.45);
    }

    /// <summary>Who helps with a trial does as much of the sweep as who has it.</summary>
    [Fact]
    public void Left_IsSharedWithThoseThatHelp()
    {
        var (time, trials, rows) = Start("smollm2.csv", ["niah", "narrativeqa", "multi_news"]);
        time.Begun(trials[0], (_, _) => false);
        var own = rows.Where(row => row.Setting == trials[0].Spec.Setting.Name).ToArray();
        foreach (var row in own.Where((_, index) => index % 2 == 0)) Measure(time, trials[0], row);
        Assert.Equal(1, time.Left()!.Value / time.LeftAlone()!.Value);
        time.Begun(trials[0], (_, _) => true, isShared: true);
        Assert.InRange(time.Left()!.Value / time.LeftAlone()!.Value, 0.4, 0.6);
    }

    /// <summary>New tokens that are made five at a time: what is left takes a fifth of what those alone have taken, whatever setting it
    /// is of; that the first of each five is heard of late, with the others' work in its time, counts for nothing.</summary>
    [Fact]
    public void Left_OfSamplesTogether_GoesByThose()
    {
        var (time, trials, rows) = Start("smollm2.csv", ["niah", "narrativeqa", "multi_news"], sharesWork: true);
        Row[] own = [.. rows.Where(row => row.Setting == trials[0].Spec.Setting.Name)
            .Select(row => row with { Prompt = 500, Ttft = 1, Tpot = 50, Allowed = 64, Made = 64 })];
        time.Begun(trials[0], (_, _) => false);
        foreach (var row in own.Where((_, i) => i % 2 == 0)) Measure(time, trials[0], row with { Wall = Seconds(row) });
        var before = time.Of(trials[1])!.Value.TotalSeconds;
        Row[] together = [.. own.Where((_, i) => i % 2 == 1).Select(row => row with { Tpot = 10 })];
        foreach (var (i, row) in together.Index())
            Measure(time, trials[0], row with { Wall = i == 0 ? together.Sum(Seconds) : 0 }, batchSize: 5);
        Assert.InRange(before / time.Of(trials[1])!.Value.TotalSeconds, 4.5, 5.5);

        static double Seconds(Row row) => (row.Ttft + (row.Made - 1) * row.Tpot!.Value) / 1000;
    }

    private sealed record Row(
        string Setting, string Task, int Prompt, int Allowed, int Made, double Ttft, double? Tpot, double Wall, string Id);

    private sealed record Estimate(double Estimated, double Left, double Whole)
    {
        public void Deconstruct(out double estimated, out double left) => (estimated, left) = (Estimated, Left);
    }

    private static List<Estimate> Replay(string file, string[] tasks)
    {
        var (time, trials, rows) = Start(file, tasks);
        var estimates = new List<Estimate>();
        var whole = rows.Sum(row => row.Wall);
        var gone = 0.0;
        foreach (var trial in trials)
        {
            time.Begun(trial, (_, _) => false);
            foreach (var row in rows.Where(row => row.Setting == trial.Spec.Setting.Name))
            {
                Measure(time, trial, row);
                gone += row.Wall;
                if (time.Left() is { } left) estimates.Add(new(left.TotalSeconds, whole - gone, whole));
            }
            time.Ended(trial, elsewhere: false);
        }
        return estimates;
    }

    private static (TimeEstimate Time, PlannedTrial[] Trials, Row[] Rows) Start(string file, string[] tasks, bool sharesWork = false)
    {
        using var csv = new CsvReader(new StreamReader(TestData.Golden("timings", file)), CultureInfo.InvariantCulture);
        var rows = csv.GetRecords<dynamic>().Select((row, index) => new Row(
            row.setting, row.task, Whole(row.prompt_tokens), Whole(row.max_new_tokens), Whole(row.new_tokens), Number(row.ttft_ms),
            row.tpot_ms == "" ? (double?)null : Number(row.tpot_ms), Number(row.wall_ms) / 1000, $"{index}")).ToArray();
        var settings = rows.Select(row => row.Setting).Distinct().ToArray();
        rows = [.. rows.OrderBy(row => Array.IndexOf(settings, row.Setting)).ThenBy(row => Array.IndexOf(tasks, row.Task))];
        PreparedTask[] prepared = [.. tasks.Select(task => new PreparedTask(new(task, new FakeTask(task, 1)),
            [.. rows.Where(row => row.Setting == settings[0] && row.Task == task).Select(Sample)]))];
        var model = new PreparedModel(new("model", ".", "here"), "digest", prepared) { Settings = [], Config = Models[file] };
        PlannedTrial[] trials = [.. settings.Select((setting, index) => new PlannedTrial(
            index + 1, new TrialSpec("model", "digest", InferenceSetting.Parse(setting), [], 1), model))];
        return (new TimeEstimate(trials, repeats: 1, sharesWork), trials, rows);

        static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);
        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static TaskSample Sample(Row row) =>
        new() { Id = row.Id, PromptIds = new int[row.Prompt], MaxNewTokens = row.Allowed, Answers = [] };

    private static void Measure(TimeEstimate time, PlannedTrial trial, Row row, int? batchSize = null) => time.Measured(trial, Sample(row), new()
    {
        Task = row.Task,
        Sample = row.Id,
        Prediction = new TextPrediction(""),
        Score = 0,
        PromptTokens = row.Prompt,
        NewTokens = row.Made,
        Peaks = default,
        TtftMs = row.Ttft,
        TpotMs = row.Tpot,
        BatchSize = batchSize,
    }, TimeSpan.FromSeconds(row.Wall));

    private static ModelConfig Embedded()
    {
        using var checkpoint = ModelSource.Open("embedded:llama").OpenCheckpoint();
        return checkpoint.Config;
    }
}

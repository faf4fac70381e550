using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;

namespace KvPareto.Browser.Tests;

/// <summary>A run folder with its report, whose model, tasks, prompts and answers would be markup if anything took them for that.</summary>
public sealed class HostileRun : IDisposable
{
    public const string Attack =
        "</script><script>window.attacked = 1</script><img src=x onerror='window.attacked = 2'>\u2028<!-- {{data}}";
    public const string Model = "m<b>odel</b> & \"co\"";
    public const string Task = "ta'sk <i>";
    public const int Samples = 30;

    public const string Baseline = "w16a16-k16v16";

    private static readonly (string Setting, long Peak, int Right)[] Settings =
        [(Baseline, 4000, 28), ("w16a16-k8v8-t64", 3000, 28), ("w16a16-k4v4-t64", 2000, 20), ("w16a16-k2v2-t64", 2500, 4)];

    private readonly ScratchFolder _folder = new();

    public HostileRun()
    {
        var trials = Settings.Select((setting, i) => Trial(i, setting.Setting, setting.Peak, setting.Right)).ToList();
        trials.Add(Trial(9, "w16a16-k4v2-t64", 1, 1) with { Status = "failed", Failure = Attack, Scores = [], Score = null });
        Directory.CreateDirectory(RunPaths.Samples(_folder.Root));
        foreach (var (trial, i) in trials.Select((trial, i) => (trial, i)).SkipLast(1))
            File.WriteAllLines(RunPaths.Samples(_folder.Root, trial.TrialId), Enumerable.Range(0, Samples).SelectMany(sample =>
                new[] { Line(Task, sample, sample < Settings[i].Right), Line("second", sample, sample < Settings[i].Right / 2) }));
        RunFile.Write(_folder.Root, Record(trials));
        ReportWriter.Write(_folder.Root, trials, new() { Run = $"run {Attack}", Baseline = Baseline, Resamples = 200, Figures = [] });
    }

    public string Page => _folder["report.html"];

    /// <summary>The report of its settings, measured without a score.</summary>
    public static void WriteWithoutScores(string folder)
    {
        var trials = Settings.Select((setting, i) =>
            Trial(i, setting.Setting, setting.Peak, 0) with { Scores = [], Score = null, UnscoredSamples = 1 });
        ReportWriter.Write(folder, [.. trials], new() { Baseline = Baseline, Resamples = 200, Figures = [] });
    }

    public void Dispose() => _folder.Dispose();

    private static TrialResult Trial(int number, string setting, long peak, int right)
    {
        double[] Scores(int count) => [.. Enumerable.Range(0, Samples).Select(sample => sample < count ? 1.0 : 0)];
        TaskScore[] scores =
        [
            new(Task, "d1", Samples, 100.0 * right / Samples, Scores(right)),
                new("second", "d2", Samples, 50.0 * right / Samples, Scores(right / 2)),
        ];
        var use = new MemoryUse(peak / 2, peak / 4, peak / 8, peak / 8);
        return new()
        {
            TrialId = $"{number:x16}",
            Model = Model,
            ModelDigest = "digest",
            Setting = setting,
            Status = "ok",
            Scores = scores,
            Score = scores.Average(score => score.Mean),
            Peaks = new(use with { KvCache = 0 }, use, default),
            TtftMs = 100 + number,
            TpotMs = 10 - number,
            Samples = 2 * Samples,
        };
    }

    private static string Line(string task, int sample, bool isRight) => Encoding.UTF8.GetString(JournalJson.WriteLine(new SampleRecord
    {
        Task = task,
        Sample = $"{sample} {Attack}",
        PromptHead = $"Head {sample} {Attack}",
        PromptTail = $"tail {sample}\nQuestion?",
        References = [$"right {sample}", Attack],
        Prediction = new TextPrediction(isRight ? $"right {sample} {Attack}" : $"wrong {sample}"),
        Score = isRight ? 1 : 0,
        Parts = new Dictionary<string, double> { ["fl<u>exible"] = 0.5 },
        PromptTokens = 500,
        NewTokens = 3,
        Peaks = default,
        TtftMs = 1,
    }));

    private static RunRecord Record(IReadOnlyList<TrialResult> trials) => new()
    {
        Name = "run",
        Seed = 1,
        Baseline = Baseline,
        StartedAt = DateTimeOffset.UnixEpoch,
        Host = new()
        {
            Version = "1",
            Backend = "cpu",
            Device = $"device {Attack}",
            Instructions = $"instructions {Attack}",
            Workers = 2,
            Machine = $"machine {Attack}",
            Cpu = "cpu",
            Cores = 2,
            OperatingSystem = "os",
            DotNet = "dotnet",
        },
        Config = $"# {Attack}",
        ConfigDigest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"# {Attack}"))),
        Models = [new(Model, "digest")],
        Tasks = [new(Task, "d1"), new("second", "d2")],
        // Ids are hashes of what trials are of, which these are not.
        Trials = [],
    };
}

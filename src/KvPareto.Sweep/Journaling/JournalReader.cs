using System.Text.Json;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>Reads the journals of all workers of a run folder.</summary>
internal static class JournalReader
{
    /// <summary>What the checksums of a journal say it is.</summary>
    public const string Subject = "journal";

    private const long MostBytes = 1L << 60;
    private const double Rounding = 1e-9;

    /// <summary>Name of a worker's journal without its ending, and of the worker's lease.</summary>
    /// <param name="worker">Name, or null for a run of one process.</param>
    public static string NameOf(string? worker) => worker is null ? "journal" : $"journal-{worker}";

    /// <summary>A worker's journal.</summary>
    public static string PathOf(string folder, string? worker) => Path.Combine(folder, NameOf(worker) + ".jsonl");

    /// <summary>The journals there are, in ordinal order of their names.</summary>
    public static IReadOnlyList<string> Files(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.GetFileSystemEntries(folder, "journal*.jsonl")
            .Where(file => Path.GetFileName(file) is "journal.jsonl" or ['j', 'o', 'u', 'r', 'n', 'a', 'l', '-', ..])
            .Order(StringComparer.Ordinal)];

    /// <summary>Everything that <c>run.json</c> and the journals say.</summary>
    /// <exception cref="ConfigException">A line is damaged; names file and line.</exception>
    public static JournalState Read(string folder) => Of(RunFile.TryRead(folder), Files(folder).Select(Events));

    /// <summary>The same of what was read.</summary>
    /// <param name="planned">That of <c>run.json</c>; null where there is none.</param>
    /// <param name="journals">The events of each journal, in the order of <see cref="Files"/>.</param>
    public static JournalState Of(
        (RunRecord Run, bool IsSealed)? planned, IEnumerable<IEnumerable<RecordFile.Entry<JournalEvent>>> journals)
    {
        var state = new JournalState();
        if (planned is { } inForce)
        {
            state.SetInForce(inForce.Run);
            if (!inForce.IsSealed) state.Unsealed++;
        }
        foreach (var journal in journals)
        {
            state.BeginJournal();
            foreach (var entry in journal)
            {
                state.Add(entry.Value);
                if (!entry.IsSealed) state.Unsealed++;
            }
        }
        return state;
    }

    /// <summary>The events of one journal.</summary>
    /// <exception cref="ConfigException">A line is damaged; names file and line.</exception>
    public static IEnumerable<RecordFile.Entry<JournalEvent>> Events(string file) => Events(file, LineReader.Read(file));

    /// <summary>The events of some lines of a journal.</summary>
    /// <exception cref="ConfigException">A line is damaged; names file and line.</exception>
    public static IEnumerable<RecordFile.Entry<JournalEvent>> Events(
        string file, IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> lines) =>
        RecordFile.Read<JournalEvent>(file, lines, Subject, "a journal entry", Check);

    /// <summary>Refuses an event that no sweep wrote.</summary>
    /// <exception cref="JsonException">Says what does not agree.</exception>
    public static void Check(JournalEvent entry)
    {
        switch (entry)
        {
            case { Event: JournalEvent.RunStarted, Run: { } run, Trial: null, Result: null }:
                RunCheck.Check(run);
                break;
            case { Event: JournalEvent.TrialStarted, Trial: { } trial, Run: null, Result: null, Samples: null or >= 0 }:
                Require(TextHash.IsId(trial), "a trial's id is not 16 hex digits");
                break;
            case
            {
                Event: JournalEvent.TrialFinished or JournalEvent.TrialFailed or JournalEvent.TrialDropped,
                Trial: { } trial, Result: { } result, Run: null,
            }:
                Require(TextHash.IsId(trial) && result.TrialId == trial, "a trial's id is not 16 hex digits, or not the result's");
                Require(result.Status is TrialStatus.Ok or TrialStatus.Failed or TrialStatus.Dropped,
                    "the status is neither ok, failed nor dropped");
                Require((result.Status == TrialStatus.Ok) == (entry.Event == JournalEvent.TrialFinished)
                    && (result.Status == TrialStatus.Dropped) == (entry.Event == JournalEvent.TrialDropped), "status and event differ");
                Check(result);
                break;
            default:
                throw new JsonException($"unknown or incomplete event '{entry.Event}'");
        }
    }

    private static void Check(TrialResult result)
    {
        InferenceSetting.Parse(result.Setting);
        var ok = result.Status == TrialStatus.Ok;
        // Tasks without a score have none.
        var isScored = result.Scores.Count > 0;
        Require(isScored ? result.Score is >= 0 and <= 100 : result.Score is null, "a score is missing or out of range");
        Require((ok || !isScored) && ok == (result.Failure is null), "scores or reason do not fit the status");
        Require(
            result.Status == TrialStatus.Dropped ? result.DroppedBy is { } search && TextHash.IsId(search) : result.DroppedBy is null,
            "what a trial was dropped by is missing, or is no 16 hex digits");
        foreach (var score in result.Scores) Check(score);
        Require(
            !isScored || IsNear(result.Score!.Value, result.Scores.Average(score => score.Mean)),
            "the score is not the mean of its tasks'");
        var samples = result.Scores.Sum(score => score.Samples) + (result.UnscoredSamples ?? 0);
        Require(ok ? result.Samples == samples : result.Samples >= 0, "the samples are not those of its tasks");
        var (load, prefill, decode) = (result.Peaks.Load, result.Peaks.Prefill, result.Peaks.Decode);
        Require(IsPossible(load) && IsPossible(prefill) && IsPossible(decode), "a peak is negative, or too large");
        Require(
            result.WeightBytes == result.Peaks.Inference.Weights && result.KvCacheBytes == result.Peaks.Inference.KvCache,
            "the bytes of weights and cache are not those of the peak");
        Require(result is { TtftMs: null or >= 0, TpotMs: null or >= 0 }, "a time is negative");
        Require(
            IsAround(result.TtftSpread, result.TtftMs) && IsAround(result.TpotSpread, result.TpotMs), "a time is not within its spread");
        Require(result.Repeat is null or > 0, "a repeat's number is not positive");
        Require(result is { PredictedPeakBytes: null or >= 0, Context: null or > 0 }, "a prediction or a context is out of range");
    }

    private static void Check(TaskScore score)
    {
        Require(score is { Mean: >= 0 and <= 100 }, "a task's mean is out of range");
        Require(score.Samples == score.PerSample.Count && score.Samples > 0, "a task's samples are not as many as it says");
        Require(score.PerSample.All(value => value is >= 0 and <= 1), "a sample's score is out of range");
        Require(IsNear(score.Mean, 100 * score.PerSample.Average()), "a task's mean is not that of its samples");
        Require(
            score.Parts?.All(part => part is { Mean: >= 0 and <= 100, Samples: > 0 } && part.Samples <= score.Samples) != false,
            "a part's mean is out of range");
        foreach (var part in score.Parts ?? [])
        {
            if (part.PerSample is not { } scores) continue;
            Require(scores.Count == part.Samples && scores.All(value => value is >= 0 and <= 1), "a part's samples are out of range");
            Require(IsNear(part.Mean, 100 * scores.Average()), "a part's mean is not that of its samples");
        }
    }

    private static bool IsAround(TimeSpread? spread, double? median) => spread is null
        || (spread is { MinMs: >= 0, DeviationMs: null or >= 0 } && spread.MinMs <= median && median <= spread.MaxMs);

    private static bool IsPossible(MemoryUse use) => use is
    {
        Weights: >= 0 and <= MostBytes, KvCache: >= 0 and <= MostBytes, Activations: >= 0 and <= MostBytes,
        Workspace: >= 0 and <= MostBytes,
    };

    private static bool IsNear(double a, double b) => Math.Abs(a - b) <= Rounding * 100;

    private static void Require(bool holds, string problem)
    {
        if (!holds) throw new JsonException(problem);
    }
}

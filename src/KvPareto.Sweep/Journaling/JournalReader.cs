using System.Text.Json;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>Reads the journals of all workers of a run folder.</summary>
internal static class JournalReader
{
    private const int IdLength = 16;

    /// <summary>A worker's journal.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="worker">Name, or null for a run of one process.</param>
    public static string PathOf(string folder, string? worker) =>
        Path.Combine(folder, worker is null ? "journal.jsonl" : $"journal-{worker}.jsonl");

    /// <summary>The journals there are, in ordinal order of their names.</summary>
    public static IReadOnlyList<string> Files(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.GetFiles(folder, "journal*.jsonl")
            .Where(file => Path.GetFileName(file) is "journal.jsonl" or ['j', 'o', 'u', 'r', 'n', 'a', 'l', '-', ..])
            .Order(StringComparer.Ordinal)];

    /// <summary>Everything the journals say.</summary>
    /// <exception cref="ConfigException">A line is damaged; names file and line.</exception>
    public static JournalState Read(string folder)
    {
        var state = new JournalState();
        foreach (var file in Files(folder))
            foreach (var (number, line) in LineReader.Read(file))
                state.Add(Parse(file, number, line.Span));
        return state;
    }

    private static JournalEvent Parse(string file, int number, ReadOnlySpan<byte> line)
    {
        try
        {
            var entry = JournalJson.Read<JournalEvent>(line);
            Check(entry);
            return entry;
        }
        catch (Exception e) when (e is JsonException or ConfigException)
        {
            throw new ConfigException($"{file}:{number}: not a journal entry ({FirstLine(e.Message)}); the file is damaged"
                + "; allowed: lines that a sweep wrote", e);
        }
    }

    private static void Check(JournalEvent entry)
    {
        switch (entry)
        {
            case { Event: JournalEvent.RunStarted, Run: { } run }:
                InferenceSetting.Parse(run.Baseline);
                Require(run.Trials.All(trial => trial is not null && IsId(trial.Id)), "a trial's id is not 16 hex digits");
                break;
            case { Event: JournalEvent.TrialStarted, Trial: { } trial }:
                Require(IsId(trial), "a trial's id is not 16 hex digits");
                break;
            case { Event: JournalEvent.TrialFinished or JournalEvent.TrialFailed, Trial: { } trial, Result: { } result }:
                Require(IsId(trial) && result.TrialId == trial, "a trial's id is not 16 hex digits, or not the result's");
                Require((result.Status == TrialStatus.Ok) == (entry.Event == JournalEvent.TrialFinished), "status and event differ");
                Require(result.Status is TrialStatus.Ok or TrialStatus.Failed, "the status is neither ok nor failed");
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
        Require(ok == (result.Score is >= 0 and <= 100), "a score is missing or out of range");
        Require(ok == (result.Scores.Count > 0) && ok == (result.Failure is null), "scores or reason do not fit the status");
        foreach (var score in result.Scores)
        {
            Require(score is { Mean: >= 0 and <= 100 }, "a task's mean is out of range");
            Require(score.Samples == score.PerSample.Count && score.Samples > 0, "a task's samples are not as many as it says");
            Require(score.PerSample.All(value => value is >= 0 and <= 1), "a sample's score is out of range");
            Require(score.Parts?.All(part => part is { Mean: >= 0 and <= 100, Samples: > 0 }) != false, "a part's mean is out of range");
        }
        Require(IsPossible(result.Peaks.Load) && IsPossible(result.Peaks.Prefill) && IsPossible(result.Peaks.Decode), "a peak is negative");
    }

    private static bool IsPossible(MemoryUse use) => use is { Weights: >= 0, KvCache: >= 0, Activations: >= 0, Workspace: >= 0 };

    private static bool IsId(string text) => text.Length == IdLength && text.All(char.IsAsciiHexDigitLower);

    private static void Require(bool holds, string problem)
    {
        if (!holds) throw new JsonException(problem);
    }

    private static string FirstLine(string message) => message.ReplaceLineEndings("\n").Split('\n')[0];
}

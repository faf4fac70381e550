using KvPareto.Engine;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Compares the results in the journals with the plan and with the samples that they sum up.</summary>
internal static class ResultCheck
{
    /// <summary>Makes of each trial's results the one that agrees with its samples the one that counts.</summary>
    /// <returns>What could not be checked, one line each.</returns>
    /// <exception cref="ConfigException">A result contradicts the plan or the samples, or a file is damaged.</exception>
    public static IReadOnlyList<string> Settle(string folder, JournalState state)
    {
        DiskFolder.RequireOwn(RunPaths.Samples(folder));
        var (unsealed, alone) = (state.Unsealed, 0);
        foreach (var id in state.WithResult.Where(state.IsPlanned).Order(StringComparer.Ordinal))
        {
            var path = RunPaths.Samples(folder, id);
            var (records, unsealedSamples) = SampleLog.Read(path);
            unsealed += unsealedSamples;
            var candidates = state.Candidates(id);
            RequirePlanned(folder, state, candidates);
            var comparable = candidates.Where(result => IsComparable(result, records.Count)).ToList();
            if (comparable.Count == 0) alone++;
            else if (comparable.Find(result => TrialSummary.Agrees(result, records)) is { } right) state.Settle(right);
            else
            {
                throw new ConfigException(
                    $"{path}: its samples do not give the result that the journal has of trial {id}; one of them is damaged"
                    + "; allowed: what a sweep wrote; kvpareto report DIR --repair drops the result, and --resume makes it again");
            }
        }
        return [.. Messages(unsealed, alone)];
    }

    /// <summary>A finished trial has all its samples; of a failed one that is tried again there may be more than its result had.</summary>
    public static bool IsComparable(TrialResult result, int samples) => samples == result.Samples;

    private static void RequirePlanned(string folder, JournalState state, IReadOnlyList<TrialResult> results)
    {
        foreach (var result in results)
        {
            if (state.Runs.Any(run => IsPlanned(run, result))) continue;
            throw new ConfigException(
                $"{folder}: the result of trial {result.TrialId} ({result.Setting} of {result.Model}) is of no trial that"
                + " was planned; the journal is damaged; allowed: what a sweep wrote");
        }
    }

    /// <summary>A run planned a trial of this id, model, setting and tasks.</summary>
    public static bool IsPlanned(RunRecord run, TrialResult result) =>
        run.Trials.Contains(new(result.TrialId, result.Model, result.Setting)
        { Repeat = result.Repeat, Context = result.Context, Probe = result.Probe })
        && run.Models.Contains(new RunInput(result.Model, result.ModelDigest))
        && run.Models.Contains(new RunInput(result.Model, result.FrontierDigest))
        && (result.Status != TrialStatus.Ok
            || run.Tasks
                .Where(task => task.Context == result.Context && task.Probe == result.Probe && task.Unscored is null)
                .Select(task => task.Name)
                .SequenceEqual(result.Scores.Select(score => score.Task)));

    private static IEnumerable<string> Messages(int unsealed, int alone)
    {
        if (unsealed > 0)
        {
            yield return $"{CountText.Of(unsealed, "line")} of this folder from a version without checksums: figures agree with each "
                + "other, but damage may go unseen";
        }
        if (alone > 0)
        {
            yield return $"the samples of {CountText.Of(alone, "result")} are not all in samples/, and could not be compared with it";
        }
    }
}

using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Storage;
using KvPareto.Sweep.Trials;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Runs;

/// <summary>
/// Makes a damaged run folder one that can be read and gone on with again: keeps every line that is whole, drops the others and says
/// which. Files as they were stay beside the mended ones, with <c>.damaged</c> in their names.
/// </summary>
public static class RunRepair
{
    /// <summary>Mends a folder that no run is writing to.</summary>
    /// <returns>What was done, one line each; empty where nothing was amiss.</returns>
    /// <exception cref="ConfigException">There is no such folder, a run writes to it, or a file is a link, a folder, a pipe or a
    /// device.</exception>
    public static IReadOnlyList<string> Mend(string folder)
    {
        if (!Directory.Exists(folder) || JournalReader.Files(folder).Count == 0)
            throw new ConfigException($"{folder}: holds no journal of a run; allowed: the --out folder of a sweep");
        DiskFolder.RequireOwn(RunPaths.Samples(folder));
        using var leases = new LeaseBook(RunPaths.Leases(folder), LeaseTimes.Default);
        var workers = JournalReader.Files(folder).Select(file => Path.GetFileNameWithoutExtension(file));
        foreach (var name in workers.Union(leases.Names()))
        {
            if (leases.Take(name) is null)
                throw new ConfigException(
                    $"{folder}: a run writes to it ({leases.HolderOf(name)}); allowed: a folder that no run writes to");
        }
        RunLeftovers.Clear(folder, leases);

        List<string> said = [.. MendJournals(folder, _ => null), .. MendSamples(folder)];
        var state = MendRunFile(folder, said);
        var wrong = Contradicted(folder, state);
        said.AddRange(MendJournals(folder, entry => entry.Result is { } result && wrong.Contains(result.TrialId)
            ? $"the samples, or the plan, do not give this result of trial {result.TrialId}; sweep --resume makes it again"
            : null));
        return said;
    }

    private static List<string> MendJournals(string folder, Func<JournalEvent, string?> unwanted) =>
        [.. JournalReader.Files(folder).SelectMany(file => RecordRepair.Mend(file, JournalReader.Subject, JournalReader.Check, unwanted))];

    private static List<string> MendSamples(string folder)
    {
        var path = RunPaths.Samples(folder);
        string[] logs = Directory.Exists(path) ? Directory.GetFiles(path, "*.jsonl") : [];
        return [.. logs.Order(StringComparer.Ordinal).SelectMany(MendLog)];
    }

    private static IReadOnlyList<string> MendLog(string path)
    {
        var seen = new HashSet<(string, string)>();
        return RecordRepair.Mend<SampleRecord>(path, SampleLog.SubjectOf(path), SampleLog.Check, record =>
            seen.Add((record.Task, record.Sample)) ? null : $"sample '{record.Sample}' of task '{record.Task}' stands twice");
    }

    // The record is made of the journals again: they have all that it says.
    private static JournalState MendRunFile(string folder, List<string> said)
    {
        try
        {
            return JournalReader.Read(folder);
        }
        catch (ConfigException e)
        {
            var path = RunFile.PathOf(folder);
            var kept = RecordRepair.KeptNameOf(path);
            File.Move(path, kept);
            said.Add($"{e.Message.Split(';')[0]}: dropped, and kept as {kept}");
            var state = JournalReader.Read(folder);
            if (state.Run is not { } run) return state;
            RunFile.Write(folder, run with { StartedAt = state.StartedAt ?? run.StartedAt });
            said.Add($"{path}: written again from the journals");
            return state;
        }
    }

    private static HashSet<string> Contradicted(string folder, JournalState state) => [.. state.WithResult.Where(id =>
    {
        var records = SampleLog.Read(RunPaths.Samples(folder, id)).Records;
        var candidates = state.Candidates(id);
        return !candidates.All(result => state.Runs.Any(run => ResultCheck.IsPlanned(run, result)))
            || (candidates.Any(result => ResultCheck.IsComparable(result, records.Count))
                && !candidates.Any(result => ResultCheck.IsComparable(result, records.Count) && TrialSummary.Agrees(result, records)));
    })];
}

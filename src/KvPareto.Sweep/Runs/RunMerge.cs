using KvPareto.Engine.Seam;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Trials;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Runs;

/// <summary>
/// Several runs read as one. A setting of a model that some measured on one task and others on another has both; models are told by
/// their files, whatever they are called. What was measured on different devices stays apart.
/// </summary>
public static class RunMerge
{
    /// <summary>Reads run folders; changes nothing in them.</summary>
    /// <param name="folders">At least one.</param>
    /// <exception cref="ConfigException">As <see cref="RunHistory.Read"/>, or the runs have different baselines, or tasks that
    /// results cannot tell apart.</exception>
    public static RunHistory Read(IReadOnlyList<string> folders)
    {
        RunHistory[] runs = [.. folders.Select(RunHistory.Read)];
        if (runs.Length == 1) return runs[0];
        var other = Array.FindIndex(runs, run => run.Baseline != runs[0].Baseline);
        if (other >= 0)
            throw new ConfigException($"{folders[other]}: its baseline is {runs[other].Baseline}, that of {folders[0]} {runs[0].Baseline}"
                + "; allowed: runs with one baseline");

        var messages = new List<string>();
        var devices = runs.Select(run => run.Device).Distinct().ToList();
        if (devices.Count > 1) messages.Add($"the runs are of {devices.Count} devices, which the models' names say; frontiers stay apart");
        var shared = devices.Select(PartsOf).Aggregate((parts, more) => [.. parts.Intersect(more)]);
        var names = new Dictionary<(string Device, string Digest), string>();
        Measured[] all = [.. runs.SelectMany((run, index) => run.Results.Concat(run.Repeats).Select(result => new Measured(
            run.Sources[(result.Model, result.TrialId)], Named(run, result))))];
        var order = all.SelectMany(one => one.Result.Scores).Select(score => score.Task).Distinct().ToList();
        if (SweepTask.NamedAsPart(order) is { } part)
            throw new ConfigException($"the runs have a task '{part}', as a part of another is called; allowed: {SweepTask.NameWords}");
        Measured[] merged =
        [
            .. all.GroupBy(one => (one.Source.Device, one.Result.ModelDigest, one.Result.FrontierDigest, one.Result.Setting,
                one.Result.Context, one.Result.Repeat))
                .Select(group => Merge([.. group], order, messages)),
        ];
        var missing = runs.SelectMany(run => run.Missing).Except(merged.Select(one => RunHistory.NameOf(
            one.Result.Setting, one.Result.Context, one.Result.Model, one.Result.Repeat))).ToList();
        return new(string.Join(" + ", runs.Select(run => run.Name).Distinct()), runs[0].Seed, runs[0].Baseline,
            merged.Length + missing.Count, [.. merged.Select(one => one.Result).Where(result => result.Repeat is null)])
        {
            Repeats = [.. merged.Select(one => one.Result).Where(result => result.Repeat is not null)],
            Missing = missing,
            Remarks = [.. runs.SelectMany((run, index) => run.Remarks.Select(text => $"{folders[index]}: {text}"))],
            Limit = runs.Min(run => run.Limit),
            Place = string.Join(" + ", folders),
            Sources = merged.ToDictionary(one => (one.Result.Model, one.Result.TrialId), one => one.Sources),
            Messages =
            [
                .. runs.SelectMany((run, index) => run.Messages.Select(text => $"{folders[index]}: {text}")), .. messages.Distinct(),
                .. Mixed(runs),
            ],
        };

        TrialResult Named(RunHistory run, TrialResult result)
        {
            var key = (run.Device, result.FrontierDigest);
            if (!names.TryGetValue(key, out var name))
                names.Add(key, name = devices.Count > 1 ? $"{result.Model} on {Distinction(run.Device)}" : result.Model);
            return result with { Model = name };
        }

        // Headings have no room for what all devices are.
        string Distinction(string device)
        {
            string[] own = [.. PartsOf(device).Except(shared)];
            return own.Length > 0 ? string.Join(", ", own) : device;
        }
    }

    private static string[] PartsOf(string device) => device.Split(", ");

    // What differs within one run is said of that run.
    private static IEnumerable<string> Mixed(RunHistory[] runs)
    {
        var words = runs.Select(run => InstructionWords.Join(InstructionWords.All(run.Results.Select(result => result.Instructions))));
        return words.Distinct().Count() > 1 ? InstructionWords.Mixed(runs.SelectMany(run => run.Results)) : [];
    }

    private static Measured Merge(Measured[] found, List<string> order, List<string> messages)
    {
        Measured[] good = [.. found.Where(one => one.Result.Status == TrialStatus.Ok)];
        if (good.Length == 0) return found[0];
        if (good.All(one => one.Result.Scores.Count == 0)) return good[0];
        var tasks = new Dictionary<string, (TaskScore Score, Measured From)>();
        foreach (var one in good)
            foreach (var score in one.Result.Scores)
            {
                if (!tasks.TryGetValue(score.Task, out var known) || score.Samples > known.Score.Samples) tasks[score.Task] = (score, one);
                if (known.Score is not { } first) continue;
                if (first.Digest == score.Digest && first.PerSample.SequenceEqual(score.PerSample)) continue;
                messages.Add(first.Digest != score.Digest
                    ? $"task {score.Task}: its data differ between runs; the larger, then the first, counts"
                    : $"{one.Result.Setting} of {one.Result.Model}: scores of task {score.Task} differ between runs; the first counts");
            }
        Measured[] used = [.. tasks.Values.Select(task => task.From).Distinct()];
        if (used.Length == 1 && used[0].Result.Scores.Count == tasks.Count) return used[0];
        TaskScore[] scores = [.. tasks.Values.Select(task => task.Score).OrderBy(score => order.IndexOf(score.Task))];
        var peaks = used.Aggregate(default(MemoryPeaks), (highest, one) => MemoryPeaks.Max(highest, one.Result.Peaks));
        // What counts first names the machine and the model's shapes.
        TrialSource[] sources =
        [
            .. used.SelectMany(one => one.Sources.Select(source => source.Of(
                tasks.Values.Where(task => task.From == one).Select(task => task.Score.Task).ToHashSet()))),
        ];
        var result = TrialSummary.Timed([.. sources.SelectMany(source => source.Samples())], used[0].Result with
        {
            TrialId = IdOf(used),
            Device = InstructionWords.Join(used.Select(one => one.Result.Device)),
            Limit = used.Min(one => one.Result.Limit),
            Instructions = InstructionWords.Join(InstructionWords.All(used.Select(one => one.Result.Instructions))),
            Scores = scores,
            Score = scores.Average(score => score.Mean),
            Samples = scores.Sum(score => score.Samples),
            UnscoredSamples = null,
            Peaks = peaks,
            WeightBytes = peaks.Inference.Weights,
            KvCacheBytes = peaks.Inference.KvCache,
        });
        return new(sources, result);
    }

    // Of no trial that a run has, and the same whatever the order of the runs.
    private static string IdOf(Measured[] used) =>
        TextHash.Id(string.Join('\n', used.Select(one => one.Result.TrialId).Order(StringComparer.Ordinal)));

    private sealed record Measured(IReadOnlyList<TrialSource> Sources, TrialResult Result)
    {
        public TrialSource Source => Sources[0];
    }
}

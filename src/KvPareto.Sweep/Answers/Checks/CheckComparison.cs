using KvPareto.Engine;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Checks;

/// <summary>Whether an earlier run can be compared with others, and what is to be known of it beforehand.</summary>
internal static class CheckComparison
{
    /// <summary>Refuses scores that are of other tasks. A file that does not name the tasks is taken as it is.</summary>
    /// <exception cref="ConfigException">They are: names the file and the tasks.</exception>
    public static void RequireSameTasks(string file, EarlierPoint before, MeasuredPoint now)
    {
        string[] then = [.. Tasks(before.Tasks)], today = [.. Tasks(now.Tasks)];
        var areScored = (Then: before.Score is not null, Today: today.Length > 0);
        if (areScored.Then == areScored.Today && (then.Length == 0 || then.SequenceEqual(today))) return;
        string?[] differences = then.Length == 0 && areScored.Then
            ? ["there alone"] : [Alone(then.Except(today), "there"), Alone(today.Except(then), "here")];
        throw new ConfigException(
            $"{file}: {OneLine.Of(before.Setting)} of {OneLine.Of(before.Model)} is scored "
                + $"{string.Join(" and ", differences.OfType<string>())}; allowed: an earlier run of the same tasks");

        static string? Alone(IEnumerable<string> tasks, string where) =>
            string.Join(", ", tasks.Select(OneLine.Of)) is { Length: > 0 } names ? $"on {names} {where} alone" : null;
    }

    /// <summary>What a user should know of the comparison, one line each.</summary>
    /// <param name="before">The earlier run.</param>
    /// <param name="now">These runs.</param>
    /// <param name="runs">The same.</param>
    public static IEnumerable<string> Differences(
        IReadOnlyList<EarlierPoint> before, ILookup<(string Model, string Setting, int? Context), MeasuredPoint> now, RunHistory runs)
    {
        var severalModels = now.Select(group => group.Key.Model).Distinct().Count() > 1;
        string[] added =
        [
            .. now.Where(
                group => group.Any(point => point.OnFrontier)
                    && !before.Any(point => (point.Model, point.Setting, point.Context) == group.Key))
                .Select(group =>
                    ContextText.Of(group.Key.Setting, group.Key.Context) + (severalModels ? $" of {group.Key.Model}" : "")),
        ];
        if (added.Length > 0) yield return $"on the frontier now and not in the earlier file: {string.Join(", ", added)}";
        foreach (var line in SampleDifferences(before, now, runs.Limit)) yield return line;
        var then = InstructionWords.All(before.Select(point => point.Instructions));
        var others = InstructionWords.All(runs.Results.Select(result => result.Instructions));
        if (then.Count > 0 && others.Count > 0 && !then.SequenceEqual(others))
            yield return $"the earlier run was measured with {string.Join(" and with ", then)}, this one with "
                + $"{string.Join(" and with ", others)}: {InstructionWords.Consequence}";
    }

    private static IEnumerable<string> SampleDifferences(
        IReadOnlyList<EarlierPoint> before, ILookup<(string Model, string Setting, int? Context), MeasuredPoint> now, int? limit)
    {
        var pairs = before.SelectMany(point =>
            now[(point.Model, point.Setting, point.Context)].Select(same => (Before: point, Now: same.Trial))).ToList();
        var otherFiles = pairs.Where(pair => pair.Before.ModelDigest is { } digest && digest != pair.Now.ModelDigest).ToList();
        foreach (var model in otherFiles.Select(pair => pair.Now.Model).Distinct())
            yield return $"the files of {model} are not those that the earlier run had";
        if (before.Min(point => point.Limit) is var earlier && earlier != limit)
            yield return $"the earlier run has {Samples(earlier)}, this one {Samples(limit)}: scores and peaks are of other samples";
        else if (pairs.FirstOrDefault(pair => pair.Before.Samples is { } count && count != pair.Now.Samples) is { Now: not null } other)
            yield return $"the earlier run has {CountText.Of(other.Before.Samples!.Value, "sample")} of a setting, this one "
                + $"{other.Now.Samples:N0}: scores and peaks are of other samples";
        else if (pairs.Except(otherFiles).Any(pair => pair.Before.Trial is { } id && id != pair.Now.TrialId))
            yield return "the earlier run has other trials of the same settings: its tasks, their data, the seed or the kind of "
                + "device differ";
    }

    // A task's parts come with it, if the file has them.
    private static IEnumerable<string> Tasks(IReadOnlyList<string> names) => names.Distinct(StringComparer.Ordinal)
        .Where(name => !names.Any(other => name.StartsWith(other + "/", StringComparison.Ordinal))).Order(StringComparer.Ordinal);

    private static string Samples(int? limit) => limit is { } most ? RunHistory.LimitWords(most) : "all samples";
}

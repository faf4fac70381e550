namespace KvPareto.Tasks.Catalog;

/// <summary>A kind of task that configs can name.</summary>
/// <param name="Key">The value of <c>task</c>.</param>
/// <param name="Example">The keys that matter most, as they follow it in a config.</param>
/// <param name="Read">Reads its options.</param>
/// <param name="StoredScores">How predictions of a file are scored; null where they can't be.</param>
internal sealed record TaskKind(
    string Key, string Example, Func<TaskSection, TaskOptions> Read, IReadOnlyList<StoredScore>? StoredScores = null);

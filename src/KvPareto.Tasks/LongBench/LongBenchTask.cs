using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.LongBench;

/// <summary>
/// Rows of LongBench (Bai et al., 2023, arXiv 2308.14508) in its own file form, with its prompts, limits and scores. Two things differ
/// from its <c>pred.py</c>: the chat template is the model's own, and its special tokens are not doubled by the tokenizer's.
/// </summary>
internal sealed class LongBenchTask : TextTask
{
    private readonly LongBenchOptions _options;
    private readonly IReadOnlyList<LongBenchRow> _rows;
    private readonly Dictionary<string, LongBenchDataset> _datasets;
    private readonly ChineseSegmenter? _segmenter;

    /// <summary>Reads the rows and, where one needs it, jieba's data.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or a file is damaged; names key, or file, line and field.</exception>
    public LongBenchTask(LongBenchOptions options)
    {
        options.Validate();
        _options = options;
        _rows = LongBenchRow.ReadFile(options.File, options.Limit, options.Jieba is not null);
        _datasets = _rows.ToDictionary(row => row.Id, row => row.Dataset, StringComparer.Ordinal);
        _segmenter = _rows.Any(row => row.Dataset.NeedsSegmenter) ? ChineseSegmenter.Open(options.Jieba!) : null;
        var names = _rows.Select(row => row.Dataset.Name).Distinct().ToList();
        Name = names.Count == 1 ? names[0] : "longbench";
        Digest = ComputeDigest();
    }

    /// <summary>LongBench's own scores, under each data set's name and that with "_e" (LongBench-E).</summary>
    internal static IReadOnlyList<StoredScore> StoredScores { get; } =
    [
        .. LongBenchDataset.All.Select(dataset =>
            new StoredScore(dataset.Name, (stored, jieba) => Score(dataset, stored, jieba)) { Alias = dataset.Name + "_e" }),
    ];

    /// <summary>The data set's, or "longbench" where the file mixes several.</summary>
    public override string Name { get; }

    /// <summary>
    /// SHA-256 (hex) over the rows' own fields, prompts and limits, and over jieba's data where a score depends on them; the file's place
    /// and its form do not bear on it.
    /// </summary>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context) => [.. _rows.Select(row => Prepare(context, row))];

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The sample is not of this task.</exception>
    public override double Score(TaskSample sample, string prediction) => _datasets.TryGetValue(sample.Id, out var dataset)
        ? dataset.Score(prediction, sample.Answers, sample.AllClasses, _segmenter)
        : throw new ArgumentException($"sample '{sample.Id}' is not of task {Name}", nameof(sample));

    private static double Score(LongBenchDataset dataset, StoredPrediction stored, string? jieba)
    {
        if (dataset.NeedsSegmenter && jieba is null) throw stored.Row.Error(stored.TaskField, dataset.SegmenterMissing("--jieba"));
        if (dataset.FindProblem(stored.Answers, stored.AllClasses) is { } found) throw stored.Row.Error(found.Field, found.Problem);
        return dataset.Score(
            stored.Text, stored.Answers, stored.AllClasses, dataset.NeedsSegmenter ? ChineseSegmenter.Open(jieba!) : null);
    }

    private TaskSample Prepare(PromptContext context, LongBenchRow row) => new()
    {
        Id = row.Id,
        Part = row.Dataset.Name,
        PromptIds = TruncatedPrompt.Encode(
            context, row.Dataset.Format(row.Context, row.Input), row.Dataset.ChatTemplate, _options.MaxLength),
        MaxNewTokens = _options.MaxNewTokens ?? row.Dataset.MaxNewTokens,
        StopIds = row.Dataset.StopAtNewline ? context.Tokenizer.Encode("\n", addSpecialTokens: false)[^1..] : [],
        Answers = row.Answers,
        AllClasses = row.AllClasses ?? [],
    };

    private string ComputeDigest()
    {
        using var digest = new TaskDigest();
        digest.Add("longbench/1").Add(_options.MaxLength ?? 0).Add(_rows.Count);
        foreach (var row in _rows)
        {
            digest.Add(row.Id).Add(row.Dataset.Name).Add(row.Dataset.Prompt).Add(_options.MaxNewTokens ?? row.Dataset.MaxNewTokens);
            digest.Add(row.Context).Add(row.Input).Add(row.Answers).Add(row.AllClasses);
        }
        if (_segmenter is not null) digest.Add(_segmenter.Digest);
        return digest.Finish();
    }
}

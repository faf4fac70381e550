using System.Globalization;
using KvPareto.Engine;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Gsm8k;

/// <summary>
/// GSM8K (Cobbe et al., 2021, arXiv 2110.14168) with the prompts and scores of lm-evaluation-harness. The score is that of its filter
/// <c>strict-match</c>; that of <c>flexible-extract</c> is reported beside it. One thing differs: the examples are the first rows of
/// their file, where the harness draws those of <c>gsm8k</c> by lot.
/// </summary>
internal sealed class Gsm8kTask : TextTask
{
    /// <summary>The task's name where a config gives none; that of <see cref="Gsm8kFormat.Cot"/> is <see cref="CotName"/>.</summary>
    public const string DefaultName = "gsm8k";

    /// <summary>The same of <see cref="Gsm8kFormat.Cot"/>.</summary>
    public const string CotName = "gsm8k-cot";

    /// <summary>Name of the score of the last number, wherever it stands.</summary>
    public const string Flexible = "flexible";

    /// <summary>GSM8K by its last number, as <c>score</c> names it.</summary>
    internal const string FlexibleName = $"{DefaultName}-{Flexible}";

    private readonly Gsm8kOptions _options;
    private readonly IReadOnlyList<Gsm8kRow> _rows;
    private readonly IReadOnlyList<Gsm8kRow> _shots;

    /// <summary>Answers are solutions.</summary>
    internal static IReadOnlyList<StoredScore> StoredScores { get; } =
    [
        new(DefaultName, (stored, _) => Score(Gsm8kAnswer.Strict(stored.Text, Gsm8kFormat.Hash), stored.Answers, Gsm8kFormat.Hash)),
        new(CotName, (stored, _) => Score(Gsm8kAnswer.Strict(stored.Text, Gsm8kFormat.Cot), stored.Answers, Gsm8kFormat.Cot)),
        new(FlexibleName, (stored, _) => Score(Gsm8kAnswer.Flexible(stored.Text), stored.Answers, Gsm8kFormat.Hash)),
    ];

    /// <summary>Reads questions and examples.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or a file is damaged; names key, or file, line and field.</exception>
    public Gsm8kTask(Gsm8kOptions options)
    {
        options.Validate();
        _options = options;
        _rows = Gsm8kRow.ReadFile(options.File, Gsm8kFormat.Hash, options.Limit);
        _shots = options.ShotCount > 0 ? Gsm8kRow.ReadFile(options.ShotsFile!, options.Format, options.ShotCount) : [];
        if (_shots.Count < options.ShotCount)
            throw new ConfigException(
                $"{options.ShotsFile}: has {CountText.Of(_shots.Count, "row")}; "
                    + $"allowed: at least the task's {CountText.Of(options.ShotCount, "shot")}");
        Digest = ComputeDigest();
    }

    /// <inheritdoc/>
    public override string Name => _options.Format == Gsm8kFormat.Cot ? CotName : DefaultName;

    /// <summary>SHA-256 (hex) over questions, examples, form and limits; the files' places do not bear on it.</summary>
    public override string Digest { get; }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">The prompt is to go through a chat template, and the model has none.</exception>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context)
    {
        if (_options.Chat && context.ChatTemplate is null)
            throw Gsm8kOptions.Mistake("chat", "is true, but the model has no chat template; allowed: false");
        return [.. _rows.Select((row, index) => new TaskSample
        {
            Id = index.ToString(CultureInfo.InvariantCulture),
            PromptIds = PromptText.Encode(context, Gsm8kPrompt.Build(_options.Format, _shots, row.Question), _options.Chat),
            MaxNewTokens = _options.MaxNewTokens,
            StopTexts = Gsm8kPrompt.StopTexts(_options.Format),
            Answers = [row.Answer],
        })];
    }

    /// <inheritdoc/>
    public override double Score(TaskSample sample, string prediction) =>
        Score(Gsm8kAnswer.Strict(prediction, _options.Format), sample.Answers, _options.Format);

    /// <summary>The score under <see cref="Flexible"/>.</summary>
    public override IReadOnlyDictionary<string, double> Parts(TaskSample sample, string prediction) =>
        new Dictionary<string, double> { [Flexible] = Score(Gsm8kAnswer.Flexible(prediction), sample.Answers, _options.Format) };

    /// <summary>1 where an answer is that of one of some solutions, else 0.</summary>
    internal static double Score(string answer, IEnumerable<string> solutions, Gsm8kFormat format)
    {
        var plain = Gsm8kAnswer.Plain(answer);
        return solutions.Any(solution => Gsm8kAnswer.Plain(Gsm8kAnswer.Target(solution, format)) == plain) ? 1 : 0;
    }

    private string ComputeDigest()
    {
        using var digest = new TaskDigest();
        digest.Add("gsm8k/1").Add(_options.Format.ToString()).Add(_options.Chat ? 1 : 0).Add(_options.MaxNewTokens).Add(_shots.Count)
            .Add(_rows.Count);
        foreach (var row in _shots.Concat(_rows)) digest.Add(row.Question).Add(row.Answer);
        return digest.Finish();
    }
}

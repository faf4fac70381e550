using System.Globalization;
using KvPareto.Tasks.Predictions;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Mmlu;

/// <summary>
/// MMLU (Hendrycks et al., 2020, arXiv 2009.03300) with the prompts and scores of lm-evaluation-harness: of the four choices' letters
/// the likeliest after the prompt is the answer, the first of equals. Nothing is generated. The score is that over all questions;
/// each subject's stands beside it.
/// </summary>
internal sealed class MmluTask : EvaluationTask
{
    /// <summary>The task's name where a config gives none.</summary>
    public const string DefaultName = "mmlu";

    private readonly MmluOptions _options;
    private readonly IReadOnlyList<MmluSubject> _subjects;

    /// <summary>Answers are letters, and predictions log likelihoods, or a text that holds their list.</summary>
    internal static IReadOnlyList<StoredScore> StoredScores { get; } =
        [new(DefaultName, (stored, _) => Score(Likelihoods(stored), stored.Answers))];

    /// <summary>Reads questions and examples.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or a file is damaged; names key, or file and line.</exception>
    public MmluTask(MmluOptions options)
    {
        options.Validate();
        _options = options;
        _subjects = MmluSubject.Read(options);
        Digest = ComputeDigest();
    }

    /// <inheritdoc/>
    public override string Name => DefaultName;

    /// <summary>SHA-256 (hex) over subjects, questions and examples; the folder's place and the files' form do not bear on it.</summary>
    public override string Digest { get; }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">The tokenizer has no token of its own for a choice's letter.</exception>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context) =>
    [
        .. from subject in _subjects
           from indexed in subject.Rows.Index()
           select Prepare(context, subject, indexed.Index, indexed.Item),
    ];

    /// <summary>Whether the likeliest choice is the right one.</summary>
    /// <param name="sample">A sample of this task.</param>
    /// <param name="prediction">The choices' <see cref="LikelihoodPrediction"/>.</param>
    /// <exception cref="FormatException">The prediction is something else.</exception>
    public override double Score(TaskSample sample, Prediction prediction) => Score(prediction, sample.Answers);

    /// <summary>The score under the subject's name, where there are several.</summary>
    public override IReadOnlyDictionary<string, double> Parts(TaskSample sample, Prediction prediction) => _subjects.Count > 1
        ? new Dictionary<string, double> { [sample.Part] = Score(sample, prediction) }
        : base.Parts(sample, prediction);

    /// <summary>1 where the likeliest choice is one of the right letters, else 0.</summary>
    /// <exception cref="FormatException">The prediction is not the log likelihoods of four choices.</exception>
    private static double Score(Prediction prediction, IEnumerable<string> letters)
    {
        var values = prediction is LikelihoodPrediction rated ? rated.LogLikelihoods : throw new FormatException("no log likelihoods");
        if (values.Count != MmluRow.Letters.Length)
            throw new FormatException($"{values.Count} log likelihoods, not {MmluRow.Letters.Length}");
        var best = Enumerable.Range(0, values.Count).MaxBy(choice => values[choice]);
        return letters.Contains(MmluRow.Letters[best].ToString()) ? 1 : 0;
    }

    private static Prediction Likelihoods(StoredPrediction stored) =>
        stored.Prediction is TextPrediction list ? LikelihoodPrediction.Parse(list.Text) : stored.Prediction;

    private TaskSample Prepare(PromptContext context, MmluSubject subject, int index, MmluRow row)
    {
        var text = MmluPrompt.Build(subject.Name, subject.Shots, row);
        var prompt = PromptText.Encode(context, text, chat: false);
        return new()
        {
            Kind = SampleKind.Rate,
            Id = string.Create(CultureInfo.InvariantCulture, $"{subject.Name}-{index}"),
            Part = subject.Name,
            PromptIds = prompt,
            MaxNewTokens = 0,
            Continuations = [.. MmluPrompt.Continuations.Select(letter => PromptText.Continuation(context, text, prompt.Length, letter))],
            Answers = [row.Letter.ToString()],
        };
    }

    private string ComputeDigest()
    {
        using var digest = new TaskDigest();
        digest.Add("mmlu/1").Add(_options.Shots).Add(_subjects.Count);
        foreach (var subject in _subjects)
        {
            digest.Add(subject.Name).Add(subject.Rows.Count);
            foreach (var row in subject.Shots.Concat(subject.Rows)) digest.Add(row.Question).Add(row.Choices).Add(row.Answer);
        }
        return digest.Finish();
    }
}

using System.Collections.ObjectModel;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Own;

/// <summary>
/// A task of a user's own rows: prompts by a template, scores by one or several metrics. The first is the score; the others stand beside it
/// under their names.
/// </summary>
internal sealed class OwnTask : TextTask
{
    private const string DefaultName = "own";

    private readonly OwnOptions _options;
    private readonly IReadOnlyList<OwnQuestion> _questions;
    private readonly OwnMetric[] _metrics;

    /// <summary>Reads the rows.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or a file is damaged; names key, or file, line and
    /// field.</exception>
    public OwnTask(OwnOptions options)
    {
        options.Validate();
        (_options, _questions) = (options, OwnQuestion.Read(options));
        _metrics = [.. options.Metrics.Select(OwnMetric.Of)];
        Digest = ComputeDigest();
    }

    /// <inheritdoc/>
    public override string Name => _options.Title ?? DefaultName;

    /// <summary>
    /// SHA-256 (hex) over filled prompts, answers and all that the scores depend on; the file's place does not bear on it.
    /// </summary>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context)
    {
        return [.. _questions.Select(question => new TaskSample
        {
            Id = question.Id,
            PromptIds = TruncatedPrompt.Encode(
                context, Checked(context, question), _options.Chat, _options.MaxLength, _options.Truncate, _options.AnswerPrefix),
            MaxNewTokens = _options.MaxNewTokens,
            StopTexts = _options.Stop,
            Answers = question.Answers,
            AllClasses = question.Classes,
        })];
    }

    /// <inheritdoc/>
    public override double Score(TaskSample sample, string prediction) => Score(_metrics[0], sample, prediction);

    /// <summary>The scores of the other metrics.</summary>
    public override IReadOnlyDictionary<string, double> Parts(TaskSample sample, string prediction) => _metrics.Length == 1
        ? ReadOnlyDictionary<string, double>.Empty
        : _metrics[1..].ToDictionary(metric => metric.Name, metric => Score(metric, sample, prediction));

    // One that nothing may go of is as long as it may be.
    private string Checked(PromptContext context, OwnQuestion question)
    {
        if (_options is not { Truncate: Truncation.None, MaxLength: { } most }) return question.Prompt;
        var length = context.Tokenizer.Encode(question.Prompt).Length;
        return length <= most ? question.Prompt : throw new ConfigException($"task '{Name}': sample '{OneLine.Of(question.Id)}' has "
            + $"{length} tokens; allowed: the max_length of {most}, or truncate: middle, left or right");
    }

    private double Score(OwnMetric metric, TaskSample sample, string prediction)
    {
        if (_options.FirstLine) prediction = prediction.TrimStart('\n').Split('\n', 2)[0];
        return metric.Score(prediction, sample.Answers, sample.AllClasses);
    }

    private string ComputeDigest()
    {
        using var digest = new TaskDigest();
        digest.Add("own/1").Add([.. _options.Metrics]).Add(_options.Chat ? 1 : 0).Add(_options.AnswerPrefix).Add(_options.MaxNewTokens)
            .Add([.. _options.Stop]).Add(_options.FirstLine ? 1 : 0).Add((int)_options.Truncate).Add(_options.MaxLength ?? 0)
            .Add(_questions.Count);
        foreach (var question in _questions)
            digest.Add(question.Id).Add(question.Prompt).Add([.. question.Answers]).Add([.. question.Classes]);
        return digest.Finish();
    }
}

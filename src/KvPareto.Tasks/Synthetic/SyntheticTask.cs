using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Questions about generated English texts, which the embedded models were trained to answer. The prompt is plain text, without
/// chat template; the score is 1 where the reply is the answer or a sentence that ends with it, else 0 (<see cref="AnswerMatch"/>).
/// </summary>
internal sealed class SyntheticTask : TextTask
{
    private const int LongestReply = 16;
    private const string Version = "synthetic/1";

    private readonly SyntheticOptions _options;
    private readonly SyntheticSample[] _samples;

    /// <summary>Generates the samples.</summary>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public SyntheticTask(SyntheticOptions options)
    {
        _options = options;
        _samples = [.. SyntheticSample.Generate(options)];
        Digest = ComputeDigest(_samples, options.MaxTokens);
    }

    /// <summary><c>embedded:</c> and the kind.</summary>
    public override string Name => "embedded:" + SyntheticKindNames.Of(_options.Kind);

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">A prompt is longer than the model takes: cutting it could cut the answer.</exception>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context)
    {
        // Models that were not trained on these texts have no token that ends an answer; a line break does.
        var lineBreak = context.Tokenizer.Encode("\n", addSpecialTokens: false);
        var stopIds = lineBreak.Length == 1 ? lineBreak : [];
        IReadOnlyList<TaskSample> prepared = [.. _samples.Select(sample => Prepare(sample, context, stopIds))];
        return _options.MaxTokens is { } most ? Shortened(prepared, most, context, stopIds) : prepared;
    }

    /// <inheritdoc/>
    public override double Score(TaskSample sample, string prediction) =>
        sample.Answers.Any(answer => AnswerMatch.IsRight(prediction, answer)) ? 1 : 0;

    // A tokenizer may need more tokens than there are words.
    private IReadOnlyList<TaskSample> Shortened(IReadOnlyList<TaskSample> prepared, int most, PromptContext context, int[] stopIds)
    {
        for (var length = _options.Length; prepared.Max(sample => sample.PromptIds.Length) is var longest && longest > most;)
        {
            length = Math.Min(length - 1, (int)((long)length * most / longest));
            prepared = [.. SyntheticSample.Generate(_options with { Length = length }).Select(sample => Prepare(sample, context, stopIds))];
        }
        return prepared;
    }

    private TaskSample Prepare(SyntheticSample sample, PromptContext context, int[] stopIds)
    {
        var ids = PromptText.Encode(context, sample.Prompt, chat: false);
        if (ids.Length > context.MaxPromptTokens && _options.MaxTokens is null)
        {
            throw new ConfigException(string.Create(CultureInfo.InvariantCulture,
                $"{Name}: length: {_options.Length} makes a prompt of {ids.Length} tokens ({sample.Id}); "
                + $"allowed: at most {context.MaxPromptTokens} tokens"));
        }
        return new TaskSample
        {
            Id = sample.Id,
            PromptIds = ids,
            MaxNewTokens = LongestReply,
            StopIds = stopIds,
            Answers = [sample.Answer],
            AllClasses = sample.AllClasses,
        };
    }

    private static string ComputeDigest(SyntheticSample[] samples, int? maxTokens)
    {
        using var digest = new TaskDigest();
        digest.Add(Version).Add(LongestReply).Add(samples.Length);
        foreach (var sample in samples) digest.Add(sample.ToJson()).Add(sample.Prompt);
        if (maxTokens is { } most) digest.Add(most);
        return digest.Finish();
    }
}

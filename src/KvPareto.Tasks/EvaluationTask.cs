using System.Collections.ObjectModel;
using KvPareto.Tasks.Predictions;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks;

/// <summary>What a task needs to know of a model to write its prompts.</summary>
/// <param name="Tokenizer">The model's tokenizer.</param>
/// <param name="ChatTemplate">The model's chat template, or null.</param>
/// <param name="MaxPromptTokens">Longest prompt that still leaves room for the answer.</param>
public sealed record PromptContext(Tokenizer Tokenizer, ChatTemplate? ChatTemplate, int MaxPromptTokens);

/// <summary>What is done with a sample.</summary>
public enum SampleKind
{
    /// <summary>The prompt is continued, and the text scored.</summary>
    Answer,

    /// <summary>The prompt's own likelihoods are compared with those of the unquantized model; nothing is generated.</summary>
    Compare,

    /// <summary>The likelihoods of continuations of the prompt are read; nothing is generated.</summary>
    Rate,

    /// <summary>The prompt is continued for what that costs; the text is not kept.</summary>
    Cost,
}

/// <summary>One question as the model gets it, and what is right.</summary>
public sealed record TaskSample
{
    /// <summary>What is done with it.</summary>
    public SampleKind Kind { get; init; }

    /// <summary>Unique within the task and the same for every setting, so that settings can be compared sample by sample.</summary>
    public required string Id { get; init; }

    /// <summary>The part of the task that it belongs to, where there are several: a subject, a data set, a length. A limit on samples takes
    /// of all parts in turn.</summary>
    public string Part { get; init; } = "";

    /// <summary>The whole prompt, chat template and truncation applied.</summary>
    public required int[] PromptIds { get; init; }

    /// <summary>Limit on new tokens.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Ids that end the answer besides the model's own end tokens.</summary>
    public IReadOnlyList<int> StopIds { get; init; } = [];

    /// <summary>Texts that end the answer; what comes from the first of them on is cut off.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>Token ids of the continuations that are rated; else empty.</summary>
    public IReadOnlyList<int[]> Continuations { get; init; } = [];

    /// <summary>Of a comparison: how many of the last tokens' distributions are compared; null for all.</summary>
    public int? ComparedTokens { get; init; }

    /// <summary>Right answers; the best match counts.</summary>
    public required IReadOnlyList<string> Answers { get; init; }

    /// <summary>All class names of a classification task; else empty.</summary>
    public IReadOnlyList<string> AllClasses { get; init; } = [];
}

/// <summary>A set of questions with a score, the same for every setting.</summary>
public abstract class EvaluationTask
{
    /// <summary>Name in configs and results.</summary>
    public abstract string Name { get; }

    /// <summary>SHA-256 (hex) over the data and everything else that a score depends on.</summary>
    public abstract string Digest { get; }

    /// <summary>Predictions are scored; else the task tells of memory and time alone.</summary>
    public virtual bool IsScored => true;

    /// <summary>
    /// The digest of the task as one model gets it: another one for each model where scores are relative to the model itself, and cannot be
    /// compared between models.
    /// </summary>
    /// <param name="modelDigest">SHA-256 (hex) over the model's files.</param>
    public virtual string DigestOf(string modelDigest) => Digest;

    /// <summary>The prompts for one model, always in the same order.</summary>
    public abstract IReadOnlyList<TaskSample> Prepare(PromptContext context);

    /// <summary>
    /// Score of one prediction, 0 to 1: as the sample's kind is, of a text, of a comparison's figures or of the likelihoods of
    /// continuations.
    /// </summary>
    /// <exception cref="FormatException">The prediction is of another kind.</exception>
    public abstract double Score(TaskSample sample, Prediction prediction);

    /// <summary>
    /// Further scores of one prediction by name, 0 to 1: another way to score it, or the name of the part of the task that it belongs to.
    /// Their means over the samples that have them are reported beside the task's and decide nothing. Most tasks have none.
    /// </summary>
    public virtual IReadOnlyDictionary<string, double> Parts(TaskSample sample, Prediction prediction) =>
        ReadOnlyDictionary<string, double>.Empty;
}

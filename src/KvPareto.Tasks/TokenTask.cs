namespace KvPareto.Tasks;

/// <summary>A task whose prompts are made of token ids, not of text: it needs no tokenizer.</summary>
public abstract class TokenTask : EvaluationTask
{
    /// <inheritdoc/>
    public sealed override IReadOnlyList<TaskSample> Prepare(PromptContext context) => Prepare(context.Tokenizer.VocabularySize);

    /// <summary>The prompts for a model, always in the same order.</summary>
    /// <param name="vocabulary">Ids go from 0 to the one before it.</param>
    public abstract IReadOnlyList<TaskSample> Prepare(int vocabulary);
}

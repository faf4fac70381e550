namespace KvPareto.Tasks.Synthetic;

/// <summary>A question of a document with its only right answer.</summary>
/// <param name="Question">The question.</param>
/// <param name="Answer">One word, or up to three digits.</param>
/// <param name="Reply">What a model learns to write: the answer, or a sentence that ends with it.</param>
internal readonly record struct SolvedQuestion(string Question, string Answer, string Reply);

/// <summary>A generated text with questions about it.</summary>
internal sealed record SyntheticDocument
{
    /// <summary>Plain English, sentences in paragraphs.</summary>
    public required string Context { get; init; }

    /// <summary>At least one question; of a training document more. The sample's own question comes first.</summary>
    public required IReadOnlyList<SolvedQuestion> Questions { get; init; }

    /// <summary>Labels in use, in ordinal order; empty for other kinds.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Where the answer's sentence stands, 0 (first) to 1 (last); NaN where the evidence is spread over the whole text.</summary>
    public required double Depth { get; init; }
}

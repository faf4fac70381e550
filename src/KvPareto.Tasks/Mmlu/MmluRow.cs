namespace KvPareto.Tasks.Mmlu;

/// <summary>A question with its choices.</summary>
/// <param name="Question">As the file has it.</param>
/// <param name="Choices">The four choices.</param>
/// <param name="Answer">Index of the right one, from 0.</param>
internal sealed record MmluRow(string Question, IReadOnlyList<string> Choices, int Answer)
{
    /// <summary>The choices' letters.</summary>
    public const string Letters = "ABCD";

    /// <summary>Letter of the right one.</summary>
    public char Letter => Letters[Answer];
}

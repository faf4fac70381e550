using KvPareto.Text.Input;

namespace KvPareto.Tasks.Mmlu;

/// <summary>Prompts in the form of lm-evaluation-harness: a line on the subject, examples and question, a blank line between two.</summary>
internal static class MmluPrompt
{
    /// <summary>What may follow a prompt: a blank and a choice's letter.</summary>
    public static IReadOnlyList<string> Continuations { get; } = [.. MmluRow.Letters.Select(letter => $" {letter}")];

    /// <summary>The text before the answer.</summary>
    public static string Build(string subject, IEnumerable<MmluRow> shots, MmluRow row) =>
        $"The following are multiple choice questions (with answers) about {subject.Replace('_', ' ')}.\n\n"
        + string.Concat(shots.Select(shot => $"{Ask(shot)} {shot.Letter}\n\n")) + Ask(row);

    private static string Ask(MmluRow row) =>
        PythonText.Trim(row.Question) + string.Concat(row.Choices.Select((choice, index) => $"\n{MmluRow.Letters[index]}. {choice}"))
            + "\nAnswer:";
}

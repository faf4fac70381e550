namespace KvPareto.Tasks.Gsm8k;

/// <summary>Prompts in the form of lm-evaluation-harness: examples and question, a blank line between two.</summary>
internal static class Gsm8kPrompt
{
    private static readonly string[] HashStops = ["Question:", "</s>", "<|im_end|>"];
    private static readonly string[] CotStops = ["Q:", "</s>", "<|im_end|>"];

    /// <summary>What ends an answer: the next question, or a special token that the model does not know as its end.</summary>
    public static IReadOnlyList<string> StopTexts(Gsm8kFormat format) => format == Gsm8kFormat.Cot ? CotStops : HashStops;

    /// <summary>The text before the answer.</summary>
    public static string Build(Gsm8kFormat format, IEnumerable<Gsm8kRow> shots, string question) =>
        string.Concat(shots.Select(shot => $"{Ask(format, shot.Question)} {shot.Answer}\n\n")) + Ask(format, question);

    private static string Ask(Gsm8kFormat format, string question) =>
        format == Gsm8kFormat.Cot ? $"Q: {question}\nA:" : $"Question: {question}\nAnswer:";
}

namespace KvPareto.Tasks.Synthetic;

/// <summary>The text that a model reads: the same for evaluation and for training.</summary>
internal static class SyntheticPrompt
{
    /// <summary>
    /// Ends each answer in training text; the embedded models' end-of-sequence token. Further questions about the same text may
    /// follow it there.
    /// </summary>
    public const string EndOfAnswer = "<eos>";

    /// <summary>Words and punctuation marks that frame context and question, the beginning-of-sequence token included.</summary>
    public const int FramePieces = 8;

    private const string QuestionLead = "\n\nQuestion: ";
    private const string AnswerLead = "\nAnswer:";

    /// <summary>The prompt of one sample; the answer follows it after a space.</summary>
    public static string Of(string context, string question) => context + Ask(question);

    /// <summary>What follows the context, or the previous answer, to ask one question.</summary>
    public static string Ask(string question) => QuestionLead + question + AnswerLead;

    /// <summary>A question with its reply as training text.</summary>
    public static string Solved(string question, string reply) => Ask(question) + " " + reply + EndOfAnswer;
}

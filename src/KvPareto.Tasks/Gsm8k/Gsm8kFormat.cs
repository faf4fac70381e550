namespace KvPareto.Tasks.Gsm8k;

/// <summary>How questions and answers of GSM8K are written: the forms of lm-evaluation-harness's tasks.</summary>
internal enum Gsm8kFormat
{
    /// <summary>Task <c>gsm8k</c>: "Question: … Answer: …", the answer after "#### ".</summary>
    Hash,

    /// <summary>Task <c>gsm8k_cot</c>: "Q: … A: …", the answer after "The answer is ".</summary>
    Cot,
}

namespace KvPareto.Tasks.LongBench;

/// <summary>How LongBench compares a prediction with an answer (its <c>metrics.py</c>).</summary>
internal enum LongBenchMetric
{
    /// <summary>Bag-of-words F1 without punctuation and articles.</summary>
    QaF1,

    /// <summary>ROUGE-L "f" of the Python package rouge 1.0.1.</summary>
    RougeL,

    /// <summary>1 / (number of classes named) where the right one is among them.</summary>
    ClassMatch,

    /// <summary>Share of the numbers in the prediction that are the answer.</summary>
    CountMatch,

    /// <summary>Share of the numbers in the prediction that are the answer's paragraph number.</summary>
    ParagraphMatch,

    /// <summary>fuzzywuzzy's ratio of the first line of code, in hundredths.</summary>
    CodeSimilarity,

    /// <summary><see cref="QaF1"/> over Chinese words.</summary>
    ChineseQaF1,

    /// <summary><see cref="RougeL"/> over Chinese words.</summary>
    ChineseRougeL,
}

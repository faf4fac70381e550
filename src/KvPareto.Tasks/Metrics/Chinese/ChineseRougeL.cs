namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>LongBench's <c>rouge_zh_score</c>: <see cref="RougeL"/> over jieba's words.</summary>
internal static class ChineseRougeL
{
    // rouge_zh_score calls rouge_score: one frame more above the walk.
    private const int MaxWalk = RougeL.MaxWalk - 1;

    /// <summary>Score of one prediction against one answer, 0 to 1; 0 where either has no sentence.</summary>
    public static double Score(string prediction, string answer, ChineseSegmenter segmenter, ScoreBudget? budget = null) =>
        RougeL.Score(Joined(prediction, segmenter), Joined(answer, segmenter), MaxWalk, budget);

    private static string Joined(string text, ChineseSegmenter segmenter) => string.Join(' ', segmenter.Cut(text));
}

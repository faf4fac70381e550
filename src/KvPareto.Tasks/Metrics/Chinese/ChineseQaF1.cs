using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>
/// LongBench's <c>qa_f1_zh_score</c>: <see cref="QaF1"/>'s F1 over jieba's words, lower case and without punctuation and white space.
/// </summary>
internal static class ChineseQaF1
{
    // LongBench's own list, which has '》' but not '《'.
    private const string Punctuation =
        "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.";

    /// <summary>Score of one prediction against answers, 0 to 1; 0 where nothing is shared, two empty texts included.</summary>
    public static Func<string, double> Against(string prediction, ChineseSegmenter segmenter, ScoreBudget budget) =>
        QaF1.Against(prediction, text => Words(text, segmenter), budget);

    private static List<string> Words(string text, ChineseSegmenter segmenter) =>
        [.. segmenter.Cut(text).Select(Normalize).Where(word => word.Length > 0)];

    private static string Normalize(string word)
    {
        var kept = new StringBuilder(word.Length);
        foreach (var c in PythonCase.Lower(word))
            if (!IsPunctuation(c) && !PythonText.IsWhiteSpace(c)) kept.Append(c);
        return kept.ToString();
    }

    private static bool IsPunctuation(char c) => PythonText.IsAsciiPunctuation(c) || Punctuation.Contains(c, StringComparison.Ordinal);
}

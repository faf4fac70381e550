using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics;

/// <summary>
/// LongBench's <c>qa_f1_score</c>, which is SQuAD's: lower case, ASCII punctuation removed, the articles a, an, the removed,
/// split on white space; F1 of the two bags of words.
/// </summary>
internal static class QaF1
{
    private static readonly string[] Articles = ["a", "an", "the"];

    /// <summary>Score of one prediction against answers, 0 to 1; 0 where nothing is shared, two empty texts included.</summary>
    public static Func<string, double> Against(string prediction, ScoreBudget budget) => Against(prediction, Words, budget);

    /// <summary>F1 of the bags of words that texts are cut into, a prediction's once for all answers.</summary>
    public static Func<string, double> Against(string prediction, Func<string, List<string>> cut, ScoreBudget budget)
    {
        var predicted = cut(prediction);
        return answer =>
        {
            budget.Spend(ScoreBudget.StepsOfCharacter * ((long)answer.Length + predicted.Count));
            return OfWords(predicted, cut(answer));
        };
    }

    /// <summary>F1 of two bags of words, 0 to 1; 0 where they share none.</summary>
    public static double OfWords(List<string> predicted, List<string> right)
    {
        var open = right.CountBy(word => word).ToDictionary();
        var shared = 0;
        foreach (var word in predicted)
        {
            if (open.GetValueOrDefault(word) == 0) continue;
            open[word]--;
            shared++;
        }
        if (shared == 0) return 0;
        var precision = (double)shared / predicted.Count;
        var recall = (double)shared / right.Count;
        return 2 * precision * recall / (precision + recall);
    }

    /// <summary>SQuAD's exact match: 1 where both have the same words in the same order, else 0.</summary>
    public static double Exact(string prediction, string answer) => Words(prediction).SequenceEqual(Words(answer)) ? 1 : 0;

    private static List<string> Words(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in PythonCase.Lower(text))
            if (!PythonText.IsAsciiPunctuation(c)) kept.Append(c);
        return PythonText.Split(RemoveArticles(kept.ToString()));
    }

    /// <summary><c>re.sub(r"\b(a|an|the)\b", " ", text)</c>: a boundary on each side makes the match a whole run of <c>\w</c>.</summary>
    private static string RemoveArticles(string text)
    {
        var result = new StringBuilder(text.Length);
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (PythonText.IsWord(rune))
            {
                word.Append(rune.ToString());
                continue;
            }
            EndWord();
            result.Append(rune.ToString());
        }
        EndWord();
        return result.ToString();

        void EndWord()
        {
            var ended = word.ToString();
            result.Append(Articles.Contains(ended, StringComparer.Ordinal) ? " " : ended);
            word.Clear();
        }
    }
}

using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics;

/// <summary>LongBench's <c>count_score</c> and <c>retrieval_score</c>: the share of the predicted numbers that are right.</summary>
internal static class NumberMatch
{
    /// <summary>Share of the digit runs in <paramref name="prediction"/> spelled as a number is; 0 without any.</summary>
    public static Func<string, double> Against(string prediction, ScoreBudget budget)
    {
        var numbers = PythonText.DigitRuns(prediction);
        return number =>
        {
            budget.Spend(ScoreBudget.StepsOfCharacter + 4L * numbers.Count);
            return numbers.Count == 0 ? 0 : (double)numbers.Count(found => found == number) / numbers.Count;
        };
    }

    /// <summary>The digits after the first <paramref name="marker"/> that has digits after it ("Paragraph 12"), or null.</summary>
    public static string? NumberAfter(string answer, string marker)
    {
        foreach (var rest in answer.Split(marker).Skip(1))
        {
            var digits = new StringBuilder();
            foreach (var rune in rest.EnumerateRunes())
            {
                if (!Rune.IsDigit(rune)) break;
                digits.Append(rune.ToString());
            }
            if (digits.Length > 0) return digits.ToString();
        }
        return null;
    }
}

using System.Globalization;
using System.Text;

namespace KvPareto.Tasks.Metrics;

/// <summary>LongBench's <c>count_score</c> and <c>retrieval_score</c>: the share of the prediction's numbers that are the right one.</summary>
internal static class NumberMatch
{
    /// <summary>Share of the digit runs in <paramref name="prediction"/> spelled as <paramref name="number"/> is; 0 where there are none.</summary>
    public static double Score(string prediction, string number)
    {
        var numbers = PythonText.DigitRuns(prediction);
        return numbers.Count == 0 ? 0 : (double)numbers.Count(found => found == number) / numbers.Count;
    }

    /// <summary>The digits after the first <paramref name="marker"/> of an answer that has digits after it ("Paragraph 12"), or null.</summary>
    public static string? NumberAfter(string answer, string marker)
    {
        for (var at = answer.IndexOf(marker, StringComparison.Ordinal); at >= 0; at = answer.IndexOf(marker, at + 1, StringComparison.Ordinal))
        {
            var digits = new StringBuilder();
            foreach (var rune in answer[(at + marker.Length)..].EnumerateRunes())
            {
                if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.DecimalDigitNumber) break;
                digits.Append(rune.ToString());
            }
            if (digits.Length > 0) return digits.ToString();
        }
        return null;
    }
}

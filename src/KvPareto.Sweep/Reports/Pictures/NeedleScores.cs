using System.Globalization;
using System.Text.RegularExpressions;
using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>What one trial found at one length and depth.</summary>
/// <param name="Length">Tokens of the prompt.</param>
/// <param name="Depth">Percent of the haystack before the needle.</param>
/// <param name="Samples">Needles looked for.</param>
/// <param name="Score">Mean over them, 0 to 100.</param>
internal readonly record struct NeedleScore(int Length, double Depth, int Samples, double Score);

/// <summary>Needle scores by length and depth, from the samples of a run, whose ids name both.</summary>
internal static partial class NeedleScores
{
    private const string TaskName = "niah";

    /// <summary>The scores of a trial, by length and depth; none where it looked for no needles.</summary>
    /// <param name="samples">The trial's samples.</param>
    public static IReadOnlyList<NeedleScore> Of(IEnumerable<SampleRecord> samples)
    {
        var cells = new Dictionary<(int Length, double Depth), List<double>>();
        foreach (var record in samples)
        {
            if (!record.Task.StartsWith(TaskName, StringComparison.Ordinal) || Cell(record.Sample) is not { } cell) continue;
            if (!cells.TryGetValue(cell, out var scores)) cells.Add(cell, scores = []);
            scores.Add(record.Score);
        }
        return
        [
            .. cells.OrderBy(cell => cell.Key)
                .Select(cell => new NeedleScore(cell.Key.Length, cell.Key.Depth, cell.Value.Count, 100 * cell.Value.Average())),
        ];
    }

    private static (int Length, double Depth)? Cell(string sample)
    {
        if (SampleName().Match(sample) is not { Success: true } match) return null;
        return int.TryParse(match.Groups["length"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && double.TryParse(match.Groups["depth"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var depth)
            ? (length, depth)
            : null;
    }

    [GeneratedRegex(@"-(?<length>[0-9]+)-(?<depth>[0-9]+(\.[0-9]+)?)\z")]
    private static partial Regex SampleName();
}

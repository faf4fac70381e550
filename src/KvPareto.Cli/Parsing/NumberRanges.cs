using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Parsing;

/// <summary>Lists of numbers with ranges, as llama-bench takes them: <c>512</c>, <c>1k,4k</c>, <c>512-4096*2</c>,
/// <c>0-2k+500</c>.</summary>
internal static class NumberRanges
{
    private const int MostNumbers = 1000;

    /// <summary>Reads a list; a number that stands twice counts once.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="text">What was written.</param>
    /// <param name="least">Smallest number allowed.</param>
    /// <param name="most">Largest number allowed.</param>
    /// <exception cref="ConfigException">An item is none, or there are too many.</exception>
    public static IReadOnlyList<int> Parse(string option, string text, int least, int most)
    {
        var numbers = new List<int>();
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries))
        {
            foreach (var number in Item(item))
            {
                numbers.Add((int)number);
                if (numbers.Count > MostNumbers) throw new ConfigException($"{option} '{text}'; allowed: at most {MostNumbers} numbers");
            }
        }
        return [.. numbers.Distinct()];

        IEnumerable<long> Item(string item)
        {
            if (item.Split('-') is not [var first, .. var rest] || rest.Length > 1 || Number(first) is not { } from) throw Wrong(item);
            if (rest.Length == 0) return [from];
            var at = rest[0].IndexOfAny(['+', '*']);
            var (end, step) = at < 0 ? (rest[0], "1") : (rest[0][..at], rest[0][(at + 1)..]);
            var multiplies = at >= 0 && rest[0][at] == '*';
            if (Number(end) is not { } last || last < from || ContextText.TryParse(step, most) is not { } by
                || (multiplies && (by < 2 || from == 0)))
                throw Wrong(item);
            return Range(from, last, by, multiplies);
        }

        int? Number(string digits) => ContextText.TryParse(digits, most, least);

        ConfigException Wrong(string item) => new(
            $"{option} '{item}'; allowed: numbers from {least} to {most} joined by commas, k for 1,000, and ranges: 512-4096*2, 0-2k+500");
    }

    private static IEnumerable<long> Range(long from, long last, long by, bool multiplies)
    {
        for (var number = from; number <= last; number = multiplies ? number * by : number + by) yield return number;
    }
}

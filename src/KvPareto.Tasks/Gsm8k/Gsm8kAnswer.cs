using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Gsm8k;

/// <summary>
/// Finds the answer in a generated text and compares it with a solution, as lm-evaluation-harness does for <c>gsm8k</c> and
/// <c>gsm8k_cot</c> (version 3.0): its filters <c>strict-match</c> and <c>flexible-extract</c>, and its <c>exact_match</c>.
/// </summary>
internal static partial class Gsm8kAnswer
{
    /// <summary>What stands for an answer where none is found.</summary>
    public const string None = "[invalid]";

    private const string HashMarker = "#### ";
    private const string CotMarker = "The answer is ";

    /// <summary>What stands before the answer.</summary>
    public static string Marker(Gsm8kFormat format) => format == Gsm8kFormat.Cot ? CotMarker : HashMarker;

    /// <summary>
    /// The first number after the format's marker, or <see cref="None"/>. That of <see cref="Gsm8kFormat.Cot"/> must be followed by a
    /// character that does not count to it: of "is 200" at a text's end it takes "20", as the original does.
    /// </summary>
    public static string Strict(string text, Gsm8kFormat format)
    {
        var match = (format == Gsm8kFormat.Cot ? AfterCotMarker() : AfterHashMarker()).Match(text);
        return match.Success ? match.Groups[1].Value : None;
    }

    /// <summary>The last thing that looks like a number, wherever it stands, or <see cref="None"/>.</summary>
    public static string Flexible(string text)
    {
        var last = None;
        for (var match = AnyNumber().Match(text); match.Success; match = match.NextMatch()) last = match.Value;
        return last;
    }

    /// <summary>What of a solution an answer is compared with: all of it, or for <see cref="Gsm8kFormat.Cot"/> what stands after the last
    /// "####", without white space around it.</summary>
    public static string Target(string solution, Gsm8kFormat format) =>
        format == Gsm8kFormat.Cot ? PythonText.Trim(solution.Split(HashMarker.TrimEnd())[^1]) : solution;

    /// <summary>Whether an answer is that of a solution: equal but for case, commas, dollar signs, all up to the last "#### ", and a final
    /// full stop.</summary>
    public static bool Matches(string answer, string solution) => Plain(answer) == Plain(solution);

    /// <summary>What counts of an answer: without what exact_match's patterns ",", "\$", "(?s).*#### " and "\.$" match, one after the
    /// other.</summary>
    internal static string Plain(string text)
    {
        text = text.Replace(",", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal);
        if (text.LastIndexOf(HashMarker, StringComparison.Ordinal) is >= 0 and var marker) text = text[(marker + HashMarker.Length)..];
        if (text.EndsWith('.')) text = text[..^1];
        else if (text.EndsWith(".\n", StringComparison.Ordinal)) text = text[..^2] + '\n';
        return PythonCase.Lower(text);
    }

    // Digits are [0-9] rather than \d in the original too, so that Python's and .NET's patterns mean the same.
    [GeneratedRegex(HashMarker + "(-?[0-9.,]+)")]
    private static partial Regex AfterHashMarker();

    [GeneratedRegex(CotMarker + "(-?[0-9.,]+).")]
    private static partial Regex AfterCotMarker();

    [GeneratedRegex("-?[$0-9.,]{2,}|-?[0-9]+")]
    private static partial Regex AnyNumber();
}

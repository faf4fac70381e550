using System.Text.RegularExpressions;

namespace KvPareto.Tasks.Ruler;

/// <summary>Splits a text of single blanks into sentences; RULER itself takes NLTK's trained splitter.</summary>
internal static partial class Sentences
{
    /// <summary>
    /// The sentences: each ends with '.', '!' or '?' and what closes it, before a blank and a capital, digit or opening quote.
    /// </summary>
    public static List<string> Split(string text) => [.. Boundary().Split(text).Where(sentence => sentence.Length > 0)];

    [GeneratedRegex("""(?<=[.!?]["')\]’”]{0,2}) (?=["'(\[‘“]?[\p{Lu}\p{N}])""")]
    private static partial Regex Boundary();
}

using System.Diagnostics;
using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>
/// A regex written for Oniguruma, matched by .NET's engine over whole characters: where the text has surrogate pairs, the engine
/// sees one stand-in of the same category for each, so that <c>\p{L}</c> and <c>.</c> take astral characters as Oniguruma does.
/// </summary>
internal sealed class RegexPattern : TextPattern
{
    // A pattern from outside may need exponential time; no useful one comes near this for a single match. It is time by the clock, so that
    // on a busy machine such a match is begun again: all matches of a text together have WorkBudget.MatchingLeft of processor time.
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(2);

    // A long pattern takes longer to compile than it saves.
    private const int LongestCompiled = 4096;

    private readonly string _source;
    private readonly OnigurumaTranslator _translator;
    private readonly Regex _regex;

    /// <summary>Translates <paramref name="pattern"/>.</summary>
    /// <exception cref="FormatException">A construct that is not known, or a pattern that is not well formed; one line.</exception>
    public RegexPattern(string pattern)
    {
        _source = pattern;
        try
        {
            _translator = new OnigurumaTranslator(pattern);
            var translated = _translator.Translate();
            var options = translated.Length > LongestCompiled ? RegexOptions.CultureInvariant
                : RegexOptions.CultureInvariant | RegexOptions.Compiled;
            _regex = new Regex(translated, options, MatchLimit);
        }
        catch (Exception problem) when (problem is ArgumentException or InsufficientExecutionStackException or NotSupportedException)
        {
            throw new FormatException(OneLine.OfMessage(problem.Message), problem);
        }
    }

    /// <summary>A twin where one is known, else the regex itself.</summary>
    public static TextPattern Create(string pattern) => WordPattern.TwinOf(pattern) ?? (TextPattern)new RegexPattern(pattern);

    /// <exception cref="ConfigException">The pattern needs too long; names file and pattern.</exception>
    public override void FindAll(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget)
    {
        if (text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0) FindBasic(text, matches, budget);
        else FindAstral(text, matches, budget);
    }

    private void FindBasic(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget)
    {
        for (var at = 0; at <= text.Length;)
        {
            var start = ProcessorTime.OfThread();
            at = FindSome(text, at, matches, budget.MatchingLeft);
            budget.SpendMatching(start, _source);
        }
    }

    // Until the end, or a match has taken too long by the clock, or all of them: where to go on.
    private int FindSome(ReadOnlySpan<char> text, int at, List<TextMatch> matches, TimeSpan allowed)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            foreach (var match in _regex.EnumerateMatches(text, at))
            {
                matches.Add(new(match.Index, match.Index + match.Length));
                at = match.Index + Math.Max(match.Length, 1);
                if (Stopwatch.GetElapsedTime(start) > allowed) return at;
            }
        }
        catch (RegexMatchTimeoutException)
        {
            return at;
        }
        return text.Length + 1;
    }

    private void FindAstral(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget)
    {
        var (standIns, positions, count) = (new char[text.Length], new int[text.Length + 1], 0);
        for (var at = 0; at < text.Length; count++)
        {
            var pair = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
            standIns[count] = pair ? _translator.StandIn(char.ConvertToUtf32(text[at], text[at + 1])) : text[at];
            positions[count] = at;
            at += pair ? 2 : 1;
        }
        positions[count] = text.Length;
        var found = matches.Count;
        FindBasic(standIns.AsSpan(0, count), matches, budget);
        for (var i = found; i < matches.Count; i++) matches[i] = new(positions[matches[i].Start], positions[matches[i].End]);
    }
}

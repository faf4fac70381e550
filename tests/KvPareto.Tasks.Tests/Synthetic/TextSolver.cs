using System.Globalization;
using System.Text.RegularExpressions;

namespace KvPareto.Tasks.Tests.Synthetic;

/// <summary>Answers synthetic questions from the text alone, by its own reading of the sentences.</summary>
internal static partial class TextSolver
{
    private static readonly (string Question, string[] Statements)[] Facts =
    [
        ("What is the job of (\\w+)\\?", ["(?<s>\\w+) works as a (?<v>\\w+)\\.", "(?<s>\\w+) has always been a (?<v>\\w+)\\."]),
        ("What is the pet of (\\w+)\\?", ["(?<s>\\w+) has a pet (?<v>\\w+)\\.", "The pet of (?<s>\\w+) is the (?<v>\\w+)\\."]),
        ("In which city does (\\w+) live\\?", ["(?<s>\\w+) lives in (?<v>\\w+)\\.", "(?<s>\\w+) has moved to (?<v>\\w+)\\."]),
        ("Which fruit does (\\w+) like\\?",
            ["The fruit that (?<s>\\w+) likes is the (?<v>\\w+)\\.", "Of all fruit (?<s>\\w+) likes the (?<v>\\w+) best\\."]),
        ("Where is the (\\w+)\\?", ["The (?<s>\\w+) is in the (?<v>\\w+)\\.", "Someone left the (?<s>\\w+) in the (?<v>\\w+)\\."]),
        ("What is the code of the (\\w+)\\?", ["The code of the (?<s>\\w+) is (?<v>\\d+)\\.", "The (?<s>\\w+) has the code (?<v>\\d+)\\."]),
        ("Where does the (\\w+) sleep\\?",
            ["The (?<s>\\w+) sleeps in the (?<v>\\w+)\\.", "Every night the (?<s>\\w+) sleeps in the (?<v>\\w+)\\."]),
        ("Where is the (\\w+) kept\\?",
            ["The (?<s>\\w+) is kept in the (?<v>\\w+)\\.", "You can find the (?<s>\\w+) in the (?<v>\\w+)\\."]),
        ("What does (\\w+) own\\?", ["(?<s>\\w+) owns the (?<v>\\w+)\\.", "Last year (?<s>\\w+) bought the (?<v>\\w+)\\."]),
    ];

    /// <summary>All answers that the text supports; a fair question has exactly one.</summary>
    public static string[] Solve(string context, string question)
    {
        if (TwoHopPet().Match(question) is { Success: true } pet)
            return Hop(context, $"What is the pet of {pet.Groups[1]}?", found => $"Where does the {found} sleep?");
        if (TwoHopThing().Match(question) is { Success: true } thing)
            return Hop(context, $"What does {thing.Groups[1]} own?", found => $"Where is the {found} kept?");
        if (Visits().Match(question) is { Success: true } visits)
        {
            var visit = $"he {visits.Groups[1]} came to the {visits.Groups[2]}.";
            var count = Sentences(context).Count(sentence => sentence.EndsWith(visit, StringComparison.Ordinal));
            return [count.ToString(CultureInfo.InvariantCulture)];
        }
        foreach (var (pattern, statements) in Facts)
        {
            if (Regex.Match(question, $"^{pattern}$") is not { Success: true } asked) continue;
            return [.. Sentences(context)
                .SelectMany(sentence => statements.Select(statement => Regex.Match(sentence, $"^{statement}$")))
                .Where(told => told.Success && told.Groups["s"].Value == asked.Groups[1].Value)
                .Select(told => told.Groups["v"].Value)];
        }
        throw new ArgumentException($"unknown question: {question}");
    }

    /// <summary>The labels of the examples whose thing is of the same sort as the asked one.</summary>
    public static string[] SolveLabel(string context, string question, string[][] sorts)
    {
        var asked = LabelQuestion().Match(question).Groups[1].Value;
        var sort = Assert.Single(sorts, sort => sort.Contains(asked));
        var examples = LabelExample().Matches(context);
        Assert.DoesNotContain(examples, example => example.Groups[1].Value == asked);
        return [.. examples.Where(example => sort.Contains(example.Groups[1].Value)).Select(example => example.Groups[2].Value).Distinct()];
    }

    /// <summary>The text's sentences.</summary>
    public static string[] Sentences(string context) =>
        [.. context.Replace('\n', ' ').Split(". ").Select(sentence => sentence.TrimEnd('.') + ".")];

    private static string[] Hop(string context, string first, Func<string, string> second) =>
        [.. Solve(context, first).SelectMany(found => Solve(context, second(found)))];

    [GeneratedRegex("^Where does the pet of (\\w+) sleep\\?$")]
    private static partial Regex TwoHopPet();

    [GeneratedRegex("^Where is the property of (\\w+) kept\\?$")]
    private static partial Regex TwoHopThing();

    [GeneratedRegex("^How many times did the (\\w+) come to the (\\w+)\\?$")]
    private static partial Regex Visits();

    [GeneratedRegex("^Into which box does the note about the (\\w+) go\\?$")]
    private static partial Regex LabelQuestion();

    [GeneratedRegex("(?:The|Put the) note about the (\\w+) (?:goes )?into the (\\w+) box\\.")]
    private static partial Regex LabelExample();
}

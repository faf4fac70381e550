using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Own;

/// <summary>A score that a user's task may name.</summary>
/// <param name="Name">In the task's YAML.</param>
/// <param name="Score">0 to 1, of a prediction, the right answers and the classes.</param>
internal sealed record OwnMetric(string Name, Func<string, IReadOnlyList<string>, IReadOnlyList<string>, double> Score)
{
    /// <summary>All there are.</summary>
    public static IReadOnlyList<OwnMetric> All { get; } =
    [
        Best("qa_f1", budget => prediction => QaF1.Against(prediction, budget)),
        Best("rouge_l", budget => prediction => answer => RougeL.Score(prediction, answer, budget: budget)),
        Best("exact", _ => prediction => answer => prediction.Trim() == answer.Trim() ? 1 : 0),
        Best("exact_words", _ => prediction => answer => QaF1.Exact(prediction, answer)),
        new("contains_all", (prediction, answers, _) => StringMatch.All(prediction, Written(answers))),
        new("contains_any", (prediction, answers, _) => StringMatch.Any(prediction, Written(answers))),
        Best("last_number", _ => prediction => answer => Gsm8kAnswer.Matches(Gsm8kAnswer.Flexible(prediction), answer) ? 1 : 0) with
        { Form = "a number" },
        Best("numbers", budget => prediction => NumberMatch.Against(prediction, budget)) with { Form = "a number's digits" },
        Best("code_similarity", budget => prediction => answer => CodeSimilarity.Score(prediction, answer, budget)),
        Best("choice", _ => prediction => answer => ChoiceMatch.One(prediction, answer)) with
        { Form = "one letter A to H first", Takes = answer => ChoiceMatch.Count(answer) == 1 },
        Best("choices", _ => prediction => answer => ChoiceMatch.Several(prediction, answer)) with
        { Form = "letters A to H first", Takes = answer => ChoiceMatch.Count(answer) > 0 },
        new(Classes, (prediction, answers, classes) =>
            answers.Select(answer => ClassMatch.Score(prediction, answer, classes)).DefaultIfEmpty().Max())
        { Form = "one of the row's classes" },
    ];

    /// <summary>What alone it finds in predictions, in words; null where that is any text.</summary>
    public string? Form { get; init; }

    // Whether an answer has that form; null where it does if it is right as a prediction.
    private Func<string, bool>? Takes { get; init; }

    /// <summary>The one that needs classes.</summary>
    public const string Classes = "class";

    /// <summary>The metric of a name.</summary>
    public static OwnMetric Of(string name) => All.Single(metric => metric.Name == name);

    /// <summary>Whether a prediction can be right; true too where scoring one takes too long, which a trial says.</summary>
    public bool CanFind(IReadOnlyList<string> answers, IReadOnlyList<string> classes)
    {
        try
        {
            return Form is null || answers.Any(Takes ?? (answer => Score(answer, [answer], classes) > 0));
        }
        catch (ScoreBudgetException)
        {
            return true;
        }
    }

    // Every prediction holds an empty text.
    private static string[] Written(IEnumerable<string> answers) => [.. answers.Where(answer => !string.IsNullOrWhiteSpace(answer))];

    private static OwnMetric Best(string name, Func<ScoreBudget, Func<string, Func<string, double>>> against) =>
        new(name, (prediction, answers, _) =>
        {
            var score = against(new())(prediction);
            return answers.Distinct(StringComparer.Ordinal).Select(score).DefaultIfEmpty().Max();
        });
}

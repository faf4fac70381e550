using System.Globalization;

namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Several animals come to one place, each 1 to 9 times, all over the text; how often did one of them? What the same animals do
/// elsewhere does not count.
/// </summary>
internal sealed class CountTopic : Topic
{
    private const int PiecesPerVisit = 9;
    private const int MostVisits = 9;
    private const int MostVisitors = 6;
    private const int VisitsPerDistraction = 6;

    private static readonly SentenceTemplate[] Visits = SentenceTemplate.Parse(
        "The {0} came to the {1}.", "Then the {0} came to the {1}.", "At {2} the {0} came to the {1}.",
        "Once more the {0} came to the {1}.");

    private static readonly SentenceTemplate[] Distractions = SentenceTemplate.Parse(
        "The {0} rested near the {1}.", "Nobody saw the {0} at the {1}.");

    private static readonly SentenceTemplate Question = SentenceTemplate.Parse("How many times did the {0} come to the {1}?")[0];
    private static readonly string[] Hours = ["dawn", "noon", "dusk", "night", "midnight"];

    private static readonly string[] Numbers =
        [.. Enumerable.Range(0, MostVisits + 1).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    private readonly string[] _animals = new string[Words.Animals.Length];

    /// <inheritdoc/>
    public override void Write(DocumentDraft draft, SampleRandom random, int budget)
    {
        random.Deal(Words.Animals, _animals);
        var sight = random.Pick(Words.Sights);
        var left = Math.Max(budget / PiecesPerVisit, 2);
        for (var visitor = 0; visitor < MostVisitors && left > 0; visitor++)
        {
            var animal = _animals[visitor];
            var visits = random.Between(1, Math.Min(left, MostVisits));
            left -= visits;
            for (var visit = 0; visit < visits; visit++)
                draft.AddFact(new Phrase(random.Pick(Visits), animal, sight, random.Pick(Hours)));
            draft.Questions.Add(new DraftQuestion(new Phrase(Question, animal, sight), Numbers[visits]));
        }
        for (var distraction = draft.Facts.Count / VisitsPerDistraction; distraction > 0; distraction--)
            draft.AddFact(new Phrase(random.Pick(Distractions), _animals[random.Below(draft.Questions.Count)], random.Pick(Words.Scenery)));
    }
}

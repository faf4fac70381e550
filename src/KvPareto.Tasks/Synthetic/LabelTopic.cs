namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Examples put notes about things into coloured boxes, one box for each sort of thing; which box is right for a thing that no
/// example names? The colours are drawn anew for each text, so only the examples tell.
/// </summary>
internal sealed class LabelTopic : Topic
{
    private const int PiecesPerExample = 12;
    private const int FewestSorts = 2;
    private const int MostSorts = 5;
    private const int ExamplesPerSort = 3;
    private const int HeldBack = 4;

    private static readonly SentenceTemplate[] Examples = SentenceTemplate.Parse(
        "The note about the {0} goes into the {1} box.", "Put the note about the {0} into the {1} box.");

    private static readonly SentenceTemplate Question = SentenceTemplate.Parse("Into which box does the note about the {0} go?")[0];

    private readonly string[] _labels = new string[Words.Labels.Length];
    private readonly string[][] _chosen = new string[Words.Sorts.Length][];
    private readonly string[][] _things = [.. Words.Sorts.Select(sort => new string[sort.Length])];

    /// <inheritdoc/>
    public override void Write(DocumentDraft draft, SampleRandom random, int budget)
    {
        random.Deal(Words.Labels, _labels);
        random.Deal(Words.Sorts, _chosen);
        var examples = Math.Max(budget / PiecesPerExample, 2 * FewestSorts);
        var sorts = random.Between(FewestSorts, Math.Clamp(examples / ExamplesPerSort, FewestSorts, MostSorts));
        for (var sort = 0; sort < sorts; sort++) random.Deal(_chosen[sort], _things[sort]);
        for (var example = 0; example < examples; example++)
        {
            // The first examples go round the sorts, so that each has one.
            var sort = example < sorts ? example : random.Below(sorts);
            var thing = _things[sort][random.Between(HeldBack, _things[sort].Length - 1)];
            draft.AddFact(new Phrase(random.Pick(Examples), thing, _labels[sort]));
        }
        for (var held = 0; held < HeldBack; held++)
            for (var sort = 0; sort < sorts; sort++)
                draft.Questions.Add(new DraftQuestion(new Phrase(Question, _things[sort][held]), _labels[sort]));
        var asked = random.Below(sorts);
        (draft.Questions[0], draft.Questions[asked]) = (draft.Questions[asked], draft.Questions[0]);
        draft.Classes.AddRange(_labels.AsSpan(0, sorts));
        draft.Classes.Sort(StringComparer.Ordinal);
    }
}

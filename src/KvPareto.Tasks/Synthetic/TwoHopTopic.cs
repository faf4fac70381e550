namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Chains of two facts: someone has an animal or a thing, and the animal or thing is somewhere. The sample's own question goes
/// from the person to the place, and the reply says what was found
/// on the way ("The fox sleeps in the cellar."); a question about one of the two hops follows it.
/// </summary>
internal sealed class TwoHopTopic : Topic
{
    private const int PiecesPerChain = 15;
    private const int FewestChains = 2;
    private const int MostChains = 36;

    private static readonly Chain[] Chains =
    [
        new(Words.Animals,
            SentenceTemplate.Parse("{0} has a pet {1}.", "The pet of {0} is the {1}."),
            SentenceTemplate.Parse("The {0} sleeps in the {1}.", "Every night the {0} sleeps in the {1}."),
            "What is the pet of {0}?", "Where does the {0} sleep?", "Where does the pet of {0} sleep?"),
        new(Words.Objects,
            SentenceTemplate.Parse("{0} owns the {1}.", "Last year {0} bought the {1}."),
            SentenceTemplate.Parse("The {0} is kept in the {1}.", "You can find the {0} in the {1}."),
            "What does {0} own?", "Where is the {0} kept?", "Where is the property of {0} kept?"),
    ];

    private readonly string[] _names = new string[Words.Names.Length];
    private readonly string[][] _middles = [.. Chains.Select(chain => new string[chain.Middles.Length])];

    /// <inheritdoc/>
    public override void Write(DocumentDraft draft, SampleRandom random, int budget)
    {
        random.Deal(Words.Names, _names);
        for (var which = 0; which < Chains.Length; which++) random.Deal(Chains[which].Middles, _middles[which]);
        var chains = Math.Clamp(budget / PiecesPerChain, FewestChains, MostChains);
        for (var index = 0; index < chains; index++)
        {
            var which = random.Below(Chains.Length);
            var chain = Chains[which];
            var name = _names[index];
            var middle = _middles[which][index];
            var place = random.Pick(Words.Places);
            draft.AddFact(new Phrase(random.Pick(chain.Second), middle, place));
            draft.AddFact(new Phrase(random.Pick(chain.First), name, middle));
            draft.Questions.Add(new DraftQuestion(new Phrase(chain.BothQuestion, name), place, new Phrase(chain.Second[0], middle, place)));
            draft.Questions.Add(random.Below(2) == 0
                ? new DraftQuestion(new Phrase(chain.FirstQuestion, name), middle)
                : new DraftQuestion(new Phrase(chain.SecondQuestion, middle), place));
        }
        draft.AnswerFact = 0;
    }

    private sealed class Chain(
        string[] middles,
        SentenceTemplate[] first,
        SentenceTemplate[] second,
        string firstQuestion,
        string secondQuestion,
        string bothQuestion)
    {
        public string[] Middles { get; } = middles;

        public SentenceTemplate[] First { get; } = first;

        public SentenceTemplate[] Second { get; } = second;

        public SentenceTemplate FirstQuestion { get; } = SentenceTemplate.Parse(firstQuestion)[0];

        public SentenceTemplate SecondQuestion { get; } = SentenceTemplate.Parse(secondQuestion)[0];

        public SentenceTemplate BothQuestion { get; } = SentenceTemplate.Parse(bothQuestion)[0];
    }
}

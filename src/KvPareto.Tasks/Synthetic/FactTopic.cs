namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Many facts about people and things, each said once. Others share the subject of the asked one or its relation, so that only
/// both together find it.
/// </summary>
internal sealed class FactTopic : Topic
{
    private const int PiecesPerFact = 8;
    private const int FewestRelations = 2;
    private const int FewestSubjects = 2;

    private static readonly Relation[] Relations =
    [
        new(Words.Names, Words.Jobs, "What is the job of {0}?", "{0} works as a {1}.", "{0} has always been a {1}."),
        new(Words.Names, Words.Animals, "What is the pet of {0}?", "{0} has a pet {1}.", "The pet of {0} is the {1}."),
        new(Words.Names, Words.Cities, "In which city does {0} live?", "{0} lives in {1}.", "{0} has moved to {1}."),
        new(Words.Names, Words.Sorts[0], "Which fruit does {0} like?",
            "The fruit that {0} likes is the {1}.", "Of all fruit {0} likes the {1} best."),
        new(Words.Objects, Words.Places, "Where is the {0}?", "The {0} is in the {1}.", "Someone left the {0} in the {1}."),
        new(Words.Objects, Words.Codes, "What is the code of the {0}?", "The code of the {0} is {1}.", "The {0} has the code {1}."),
    ];

    private readonly string[] _names = new string[Words.Names.Length];
    private readonly string[] _objects = new string[Words.Objects.Length];
    private readonly Relation[] _relations = new Relation[Relations.Length];
    private readonly HashSet<(int Relation, int Subject)> _used = [];

    /// <inheritdoc/>
    public override void Write(DocumentDraft draft, SampleRandom random, int budget)
    {
        random.Deal(Words.Names, _names);
        random.Deal(Words.Objects, _objects);
        random.Deal(Relations, _relations);
        var relations = random.Between(FewestRelations, Relations.Length);
        var target = Math.Max(budget / PiecesPerFact, 2);

        // About half of all pairs of subject and relation are told, so that neither alone finds a fact.
        var subjects = Math.Clamp(2 * target / relations, FewestSubjects, _objects.Length);
        target = Math.Min(target, (subjects * relations + 1) / 2);
        _used.Clear();
        while (_used.Count < target)
        {
            var relationIndex = random.Below(relations);
            var subjectIndex = random.Below(subjects);
            if (!_used.Add((relationIndex, subjectIndex))) continue;
            var relation = _relations[relationIndex];
            var subject = (ReferenceEquals(relation.Subjects, Words.Names) ? _names : _objects)[subjectIndex];
            var value = random.Pick(relation.Values);
            draft.AddFact(new Phrase(random.Pick(relation.Statements), subject, value));
            draft.Questions.Add(new DraftQuestion(new Phrase(relation.Question, subject), value));
        }
        draft.AnswerFact = 0;
    }

    private sealed class Relation(string[] subjects, string[] values, string question, params string[] statements)
    {
        public string[] Subjects { get; } = subjects;

        public string[] Values { get; } = values;

        public SentenceTemplate Question { get; } = SentenceTemplate.Parse(question)[0];

        public SentenceTemplate[] Statements { get; } = SentenceTemplate.Parse(statements);
    }
}

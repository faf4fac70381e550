namespace KvPareto.Tasks.Synthetic;

/// <summary>A question, its only right answer, and the sentence that gives it where one word would hide a step.</summary>
internal readonly record struct DraftQuestion(Phrase Text, string Answer, Phrase? Reply = null);

/// <summary>What a topic has written before filler is mixed in; reused from document to document.</summary>
internal sealed class DocumentDraft
{
    /// <summary>Sentences that questions rest on, and their like.</summary>
    public List<Phrase> Facts { get; } = [];

    /// <summary>All questions that the facts answer; the first is the sample's own.</summary>
    public List<DraftQuestion> Questions { get; } = [];

    /// <summary>The labels in use, or none.</summary>
    public List<string> Classes { get; } = [];

    /// <summary>Which fact holds the answer of the first question; −1 where it is spread over the whole text.</summary>
    public int AnswerFact { get; set; } = -1;

    /// <summary>Words and punctuation marks of all facts.</summary>
    public int FactPieces { get; private set; }

    /// <summary>Makes the draft ready for another document.</summary>
    public void Clear()
    {
        Facts.Clear();
        Questions.Clear();
        Classes.Clear();
        AnswerFact = -1;
        FactPieces = 0;
    }

    /// <summary>Adds a sentence.</summary>
    public void AddFact(in Phrase fact)
    {
        Facts.Add(fact);
        FactPieces += fact.Pieces;
    }
}

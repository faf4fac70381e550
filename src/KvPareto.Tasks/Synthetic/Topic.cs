namespace KvPareto.Tasks.Synthetic;

/// <summary>Writes the facts and questions of one kind of document.</summary>
internal abstract class Topic
{
    /// <summary>Fills an empty draft.</summary>
    /// <param name="draft">Receives facts and questions; at least one question.</param>
    /// <param name="random">The document's stream.</param>
    /// <param name="budget">Aim for at most this many words and punctuation marks of facts.</param>
    public abstract void Write(DocumentDraft draft, SampleRandom random, int budget);

    /// <summary>A writer for one kind; not safe for several threads at once.</summary>
    public static Topic Create(SyntheticKind kind) => kind switch
    {
        SyntheticKind.Fact => new FactTopic(),
        SyntheticKind.TwoHop => new TwoHopTopic(),
        SyntheticKind.Count => new CountTopic(),
        _ => new LabelTopic(),
    };
}

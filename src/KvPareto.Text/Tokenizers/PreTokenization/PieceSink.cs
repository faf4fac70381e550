using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>Takes pieces of text in order; the links of a chain of pre-tokenizers, with the model at its end.</summary>
internal abstract class PieceSink
{
    /// <summary>Takes one piece that is not empty.</summary>
    /// <param name="text">Text the piece lies in; only the piece may be looked at.</param>
    /// <param name="start">First UTF-16 unit of the piece.</param>
    /// <param name="length">UTF-16 units of the piece.</param>
    /// <param name="opensText">The piece begins where the whole text began.</param>
    public abstract void Accept(string text, int start, int length, bool opensText);
}

/// <summary>
/// Splits pieces into smaller ones; one <c>pre_tokenizer</c> of <c>tokenizer.json</c>. Immutable: its state lives in the sinks.
/// </summary>
internal abstract class PreTokenizer
{
    /// <summary>A sink that hands the parts of its pieces to <paramref name="next"/>.</summary>
    /// <param name="next">Next link.</param>
    /// <param name="budget">What the text as a whole may still cost.</param>
    public abstract PieceSink Attach(PieceSink next, WorkBudget budget);
}

/// <summary>Several pre-tokenizers, each splitting what the one before it left.</summary>
internal sealed class SequencePreTokenizer(IReadOnlyList<PreTokenizer> parts) : PreTokenizer
{
    /// <summary>The pre-tokenizers in order.</summary>
    public IReadOnlyList<PreTokenizer> Parts { get; } = parts;

    public override PieceSink Attach(PieceSink next, WorkBudget budget)
    {
        for (var i = Parts.Count - 1; i >= 0; i--) next = Parts[i].Attach(next, budget);
        return next;
    }
}

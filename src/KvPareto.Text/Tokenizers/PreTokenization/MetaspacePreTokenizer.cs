using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>Where a Metaspace puts its replacement character before the text.</summary>
internal enum PrependScheme
{
    /// <summary>Before every piece.</summary>
    Always,

    /// <summary>Before the piece that opens the text.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,
}

/// <summary>SentencePiece's convention: spaces become a visible character, which begins the pieces.</summary>
/// <param name="replacement">The visible character, usually ▁.</param>
/// <param name="scheme">Where it is prepended.</param>
/// <param name="split">Cut before each.</param>
internal sealed class MetaspacePreTokenizer(string replacement, PrependScheme scheme, bool split) : PreTokenizer
{
    public override PieceSink Attach(PieceSink next, WorkBudget budget)
    {
        if (split) next = new SplitPreTokenizer(new LiteralPattern(replacement), SplitBehavior.MergedWithNext).Attach(next, budget);
        if (scheme != PrependScheme.Never) next = new PrefixSink(replacement, next, budget, onlyFirst: scheme == PrependScheme.First);
        return new ReplacingSink(replacement, next, budget);
    }

    private sealed class ReplacingSink(string replacement, PieceSink next, WorkBudget budget) : PieceSink
    {
        public override void Accept(string text, int start, int length, bool opensText)
        {
            budget.Spend();
            budget.Text(length);
            var replaced = text.Substring(start, length).Replace(" ", replacement, StringComparison.Ordinal);
            next.Accept(replaced, 0, replaced.Length, opensText);
        }
    }
}

using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>
/// GPT-2's pre-tokenizer: optional leading space, optional splitting by <see cref="WordPattern.Gpt2Regex"/>, and one printable
/// character for each UTF-8 byte.
/// </summary>
/// <param name="addPrefixSpace">Pieces that do not start with a space get one.</param>
/// <param name="useRegex">Split.</param>
/// <param name="mapBytes">False where the model maps the bytes itself, because nothing stands between it and this pre-tokenizer.</param>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex, bool mapBytes = true) : PreTokenizer
{
    /// <summary>The same without the mapping of bytes.</summary>
    public ByteLevelPreTokenizer WithoutMapping() => new(addPrefixSpace, useRegex, mapBytes: false);

    public override PieceSink Attach(PieceSink next, WorkBudget budget)
    {
        if (mapBytes) next = new MappingSink(next, budget);
        if (useRegex) next = new SplitPreTokenizer(WordPattern.Gpt2, SplitBehavior.Isolated).Attach(next, budget);
        return addPrefixSpace ? new PrefixSink(" ", next, budget) : next;
    }

    private sealed class MappingSink(PieceSink next, WorkBudget budget) : PieceSink
    {
        public override void Accept(string text, int start, int length, bool opensText)
        {
            budget.Spend();
            budget.Text(length);
            var mapped = ByteAlphabet.Map(text.AsSpan(start, length));
            next.Accept(mapped, 0, mapped.Length, opensText);
        }
    }
}

/// <summary>Puts a prefix before pieces that do not start with it.</summary>
internal sealed class PrefixSink(string prefix, PieceSink next, WorkBudget budget, bool onlyFirst = false) : PieceSink
{
    public override void Accept(string text, int start, int length, bool opensText)
    {
        if ((onlyFirst && !opensText) || text.AsSpan(start, length).StartsWith(prefix, StringComparison.Ordinal))
        {
            next.Accept(text, start, length, opensText);
            return;
        }
        budget.Spend();
        budget.Text(length);
        var prefixed = string.Concat(prefix, text.AsSpan(start, length));
        next.Accept(prefixed, 0, prefixed.Length, opensText);
    }
}

using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>The end of the chain: pieces become ids.</summary>
internal sealed class ModelSink(MergeEngine model, List<int> ids, WorkBudget budget) : PieceSink
{
    private readonly PieceMemo _memo = new(ids);

    public override void Accept(string text, int start, int length, bool opensText)
    {
        budget.Spend(1 + length / 4);
        model.Encode(text.AsSpan(start, length), ids, _memo, budget);
    }
}

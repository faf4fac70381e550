using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>The end of the chain: pieces become ids.</summary>
internal sealed class ModelSink(BpeModel model, List<int> ids) : PieceSink
{
    public override void Accept(string text, int start, int length, bool opensText) => model.Encode(text.AsSpan(start, length), ids);
}

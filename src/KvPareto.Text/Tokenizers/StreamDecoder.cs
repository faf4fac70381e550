using KvPareto.Text.Tokenizers.Decoding;

namespace KvPareto.Text.Tokenizers;

/// <summary>
/// Decodes a growing sequence of ids; the pieces joined equal <see cref="Tokenizer.Decode"/> of all ids. A piece never ends within a
/// character. Bytes that a later one may still complete or spoil are held back.
/// </summary>
public sealed class StreamDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly TextStage _text = new();
    private readonly DecodeStage _first;
    private bool _finished;

    internal StreamDecoder(Tokenizer tokenizer, DecodeStageFactory decoder, bool skipSpecialTokens) =>
        (_tokenizer, _first, _skipSpecialTokens) = (tokenizer, decoder(_text), skipSpecialTokens);

    /// <summary>The text that <paramref name="id"/> completes, or an empty string while a character is incomplete.</summary>
    /// <param name="id">Next id; one that the vocabulary does not have adds nothing.</param>
    /// <exception cref="InvalidOperationException">After <see cref="Flush"/>.</exception>
    public string Push(int id)
    {
        Feed(id);
        return _text.Drain();
    }

    /// <summary>What is left when no more ids come. Ends the decoder; a second call gives an empty string.</summary>
    public string Flush()
    {
        if (!_finished) _first.Finish();
        _finished = true;
        return _text.Drain();
    }

    internal void Feed(int id)
    {
        if (_finished) throw new InvalidOperationException("this decoder has been flushed");
        if (_tokenizer.DecodableToken(id, _skipSpecialTokens) is { } token) _first.Take(token, true);
    }
}

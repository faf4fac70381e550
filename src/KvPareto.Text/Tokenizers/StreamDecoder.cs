using KvPareto.Text.Input;
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
    // What a token of any published tokenizer costs at most, many times over.
    private const int UnitsPerToken = 256;
    private const int FirstUnits = 1 << 20;
    private const int LongestText = 1 << 28;

    private readonly WorkBudget _budget;
    private readonly TextStage _text;
    private readonly DecodeStage _first;
    private bool _finished;

    internal StreamDecoder(Tokenizer tokenizer, DecodeStageFactory decoder, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);
        _budget = new(
            FirstUnits, LongestText, message => new ConfigException($"{tokenizer.Source}: this tokenizer's decoder needs {message}"));
        _text = new(_budget);
        _first = decoder(_text, _budget);
    }

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
        if (_tokenizer.DecodableToken(id, _skipSpecialTokens) is not { } token) return;
        _budget.Allow(UnitsPerToken + token.Length);
        _first.Take(token, true);
    }
}

using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Generation;

/// <summary>
/// Watches one generation for texts that end it. Special tokens are seen as the vocabulary writes them, so that a stop text may be one
/// that the model does not know as its end.
/// </summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="texts">Texts, none of them empty.</param>
public sealed class StopTexts(Tokenizer tokenizer, IReadOnlyList<string> texts)
{
    private readonly StreamDecoder _decoder = tokenizer.CreateStreamDecoder(skipSpecialTokens: false);
    private readonly int _kept = texts.Select(text => text.Length - 1).DefaultIfEmpty().Max();
    private string _tail = "";

    /// <summary>Takes the next new id; true once the text of all so far holds one of the texts.</summary>
    public bool Push(int id)
    {
        var text = _tail + _decoder.Push(id);
        _tail = text[Math.Max(0, text.Length - _kept)..];
        return texts.Any(stop => text.Contains(stop, StringComparison.Ordinal));
    }

    /// <summary>What of an answer stands before all of the texts.</summary>
    public string Cut(string answer)
    {
        foreach (var stop in texts)
            if (answer.IndexOf(stop, StringComparison.Ordinal) is >= 0 and var at) answer = answer[..at];
        return answer;
    }
}

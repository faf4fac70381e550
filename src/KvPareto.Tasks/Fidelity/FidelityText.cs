using System.Text;
using KvPareto.Engine;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Fidelity;

/// <summary>The beginning of a text file, and its windows.</summary>
internal sealed class FidelityText
{
    // Several times what any prose needs, so that the first tokens do not feel the cut.
    private const int CharactersPerToken = 16;

    private readonly string _file;

    private FidelityText(string file, string text)
    {
        (_file, Text) = (file, text);
    }

    /// <summary>As much of the file as was read.</summary>
    public string Text { get; }

    /// <summary>Reads what <paramref name="tokens"/> tokens can need, not more.</summary>
    /// <exception cref="ConfigException">The file is not there, cannot be read, or is not UTF-8.</exception>
    public static FidelityText Read(string file, int tokens)
    {
        try
        {
            // A byte order mark is a character like others: ids are those of the file's exact text.
            using var reader = new StreamReader(
                ForeignFile.OpenOnce(file), ForeignFile.StrictUtf8, detectEncodingFromByteOrderMarks: false);
            var text = new StringBuilder();
            var buffer = new char[1 << 14];
            var left = (long)tokens * CharactersPerToken;
            while (left > 0 && reader.ReadBlock(buffer, 0, (int)Math.Min(buffer.Length, left)) is > 0 and var count)
            {
                text.Append(buffer, 0, count);
                left -= count;
            }
            if (text.Length > 0 && char.IsHighSurrogate(text[^1])) text.Length--;
            return new(file, text.ToString());
        }
        catch (DecoderFallbackException error)
        {
            throw new ConfigException($"fidelity: {file}: not valid UTF-8; allowed: a text file, UTF-8", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"fidelity: {file}: cannot be read: {OneLine.OfMessage(error.Message)}", error);
        }
    }

    /// <summary>The first tokens of the text, without special tokens before or after, cut into windows.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="tokens">Tokens wanted, a multiple of <paramref name="window"/>; null for <see cref="FidelityOptions.DefaultTokens"/>
    /// or as many whole windows as the text has.</param>
    /// <param name="window">Tokens of a window.</param>
    /// <exception cref="ConfigException">The text is too short.</exception>
    public IReadOnlyList<int[]> Windows(Tokenizer tokenizer, int? tokens, int window)
    {
        var ids = tokenizer.Encode(Text, addSpecialTokens: false);
        var count = tokens ?? Math.Min(Math.Max(FidelityOptions.DefaultTokens, window), ids.Length) / window * window;
        if (count == 0 || count > ids.Length)
        {
            throw new ConfigException($"fidelity: {_file}: has {CountText.Of(ids.Length, "token")}"
                + $"; allowed: a text of {Math.Max(count, window)} or more, fewer tokens, or a shorter window");
        }
        return [.. ids.Take(count).Chunk(window)];
    }
}

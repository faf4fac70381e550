namespace KvPareto.Engine.Text;

/// <summary>Text to token ids and back, as a Hugging Face <c>tokenizer.json</c> defines it.</summary>
public sealed class Tokenizer
{
    /// <summary>Reads <c>tokenizer.json</c> (and <c>tokenizer_config.json</c> where there is one) of a model folder.</summary>
    /// <exception cref="ConfigException">Missing, damaged, or of a kind this reader does not know.</exception>
    public static Tokenizer Load(string folder) => throw new NotImplementedException();

    /// <summary>Ids 0 … this − 1 can occur, added tokens included.</summary>
    public int VocabularySize => throw new NotImplementedException();

    /// <summary>Token ids of <paramref name="text"/>; special tokens written in the text are recognised.</summary>
    /// <param name="text">Text.</param>
    /// <param name="addSpecialTokens">Apply the template (for example a leading BOS).</param>
    public int[] Encode(string text, bool addSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>Text of <paramref name="ids"/>.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>Id of a token by its exact content, or null.</summary>
    public int? TokenId(string content) => throw new NotImplementedException();

    /// <summary>A decoder that is fed one id at a time and returns only whole characters.</summary>
    public StreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => throw new NotImplementedException();
}

/// <summary>Decodes a growing sequence of ids; the pieces joined equal <see cref="Tokenizer.Decode"/> of all ids.</summary>
public sealed class StreamDecoder
{
    /// <summary>The text that <paramref name="id"/> completes, or an empty string while a character is incomplete.</summary>
    public string Push(int id) => throw new NotImplementedException();

    /// <summary>What is left when no more ids come.</summary>
    public string Flush() => throw new NotImplementedException();
}

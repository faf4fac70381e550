namespace KvPareto.Text.Tokenizers;

/// <summary>
/// Tokens that end an answer, known by their text: what llama.cpp stops at whatever a file's end-of-sequence key says
/// (src/llama-vocab.cpp). A chat template ends its turns with one of them even where the key names another.
/// </summary>
internal static class EndOfTurn
{
    private static readonly HashSet<string> Texts = new(StringComparer.Ordinal)
    {
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<|endoftext|>", "</s>",
            "<|eom_id|>",
        "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>",
            "<｜end▁of▁sentence｜>",
    };

    // These two are also found as ordinary pieces of web pages.
    private static readonly HashSet<string> Ambiguous = new(StringComparer.Ordinal) { "</s>", "<eos>" };

    /// <summary>True for a text that is a control token even where a GGUF file's token types call it an ordinary one.</summary>
    public static bool IsControl(string text) => Texts.Contains(text) && !Ambiguous.Contains(text);

    /// <summary>The ids of those among <paramref name="tokens"/> that end an answer.</summary>
    public static IEnumerable<int> Ids(IReadOnlyCollection<AddedToken> tokens)
    {
        var found = tokens.Where(static token => Texts.Contains(token.Content))
            .ToDictionary(static token => token.Content, static token => token.Id, StringComparer.Ordinal);
        // In gpt-oss and Solar <|end|> closes a message, not the answer; in Gemma 4 </s> is an ordinary token.
        if (Has("<|return|>", "<|call|>") || Has("<|call|>", "<|flush|>") || Has("<|calls|>", "<|flush|>")) found.Remove("<|end|>");
        if (Has("<|tool_response>")) found.Remove("</s>");
        return found.Values.Order();

        bool Has(params ReadOnlySpan<string> texts)
        {
            foreach (var text in texts)
                if (!found.ContainsKey(text)) return false;
            return true;
        }
    }
}

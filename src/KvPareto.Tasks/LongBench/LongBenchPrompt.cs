using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.LongBench;

/// <summary>A LongBench prompt, cut to a number of tokens as LongBench's <c>pred.py</c> cuts it.</summary>
internal static class LongBenchPrompt
{
    /// <summary>
    /// The text that goes into the chat template: <paramref name="prompt"/> itself where it has no more than
    /// <paramref name="maxLength"/> tokens (special ones included), else the decoded first and last halves of those tokens, joined.
    /// </summary>
    public static string Truncate(Tokenizer tokenizer, string prompt, int maxLength) =>
        Truncate(tokenizer, prompt, tokenizer.Encode(prompt), maxLength);

    /// <summary>Ids of at most <see cref="PromptContext.MaxPromptTokens"/>, after truncation and chat template.</summary>
    /// <param name="context">The model's side.</param>
    /// <param name="prompt">Filled template.</param>
    /// <param name="chat">Whether the chat template applies.</param>
    /// <param name="maxLength">LongBench's limit before the chat template; null: as many tokens as fit.</param>
    /// <exception cref="ConfigException">The chat template alone takes all the room.</exception>
    public static int[] Encode(PromptContext context, string prompt, bool chat, int? maxLength)
    {
        var bare = context.Tokenizer.Encode(prompt);
        var length = Math.Min(maxLength ?? int.MaxValue, context.MaxPromptTokens);
        while (length >= LongBenchOptions.SmallestMaxLength)
        {
            var ids = PromptText.Encode(context, Truncate(context.Tokenizer, prompt, bare, length), chat);
            if (ids.Length <= context.MaxPromptTokens) return ids;
            length = Math.Min(length, bare.Length) - (ids.Length - context.MaxPromptTokens);
        }
        throw new ConfigException(
            $"task longbench: a prompt limit of {context.MaxPromptTokens} tokens leaves no room beside the chat template");
    }

    private static string Truncate(Tokenizer tokenizer, string prompt, int[] ids, int maxLength)
    {
        if (ids.Length <= maxLength) return prompt;
        var half = maxLength / 2;
        return tokenizer.Decode(ids.AsSpan(0, half)) + tokenizer.Decode(ids.AsSpan(ids.Length - half));
    }
}

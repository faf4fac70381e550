using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks;

/// <summary>Which part of a prompt that is too long goes.</summary>
internal enum Truncation
{
    /// <summary>None: too long is too long.</summary>
    None,

    /// <summary>The middle, as in LongBench's <c>pred.py</c>.</summary>
    Middle,

    /// <summary>The beginning.</summary>
    Left,

    /// <summary>The end.</summary>
    Right,
}

/// <summary>A prompt, cut to a number of tokens before the chat template.</summary>
internal static class TruncatedPrompt
{
    /// <summary>Smallest prompt that the middle can be cut out of: one token from each end.</summary>
    public const int SmallestLength = 2;

    /// <summary>Ids of at most <see cref="PromptContext.MaxPromptTokens"/>, after truncation and chat template.</summary>
    /// <param name="context">The model's side.</param>
    /// <param name="prompt">Filled template.</param>
    /// <param name="chat">Whether the chat template applies.</param>
    /// <param name="maxLength">Limit before the chat template; null: as many tokens as fit.</param>
    /// <param name="truncation">What goes.</param>
    /// <param name="answer">How the answer begins: the end of the prompt, which is never cut.</param>
    /// <exception cref="ConfigException">The chat template alone takes all the room.</exception>
    public static int[] Encode(
        PromptContext context, string prompt, bool chat, int? maxLength, Truncation truncation = Truncation.Middle, string answer = "")
    {
        if (truncation == Truncation.None) return PromptText.Encode(context, prompt, chat, answer);
        var bare = context.Tokenizer.Encode(prompt);
        var length = Math.Min(maxLength ?? int.MaxValue, context.MaxPromptTokens);
        while (length >= SmallestLength)
        {
            var ids = PromptText.Encode(context, Truncate(context.Tokenizer, prompt, bare, length, truncation), chat, answer);
            if (ids.Length <= context.MaxPromptTokens) return ids;
            length = Math.Min(length, bare.Length) - (ids.Length - context.MaxPromptTokens);
        }
        throw new ConfigException($"a prompt limit of {context.MaxPromptTokens} tokens leaves no room beside the chat template");
    }

    /// <summary>
    /// The text that goes into the chat template: <paramref name="prompt"/> itself where it has no more than
    /// <paramref name="maxLength"/> tokens (special ones included), else those tokens that stay, decoded; of the middle cut out the first
    /// and the last half, joined.
    /// </summary>
    internal static string Truncate(Tokenizer tokenizer, string prompt, int[] ids, int maxLength, Truncation truncation)
    {
        if (ids.Length <= maxLength) return prompt;
        var half = maxLength / 2;
        return truncation switch
        {
            Truncation.Left => tokenizer.Decode(ids.AsSpan(ids.Length - maxLength)),
            Truncation.Right => tokenizer.Decode(ids.AsSpan(0, maxLength)),
            _ => tokenizer.Decode(ids.AsSpan(0, half)) + tokenizer.Decode(ids.AsSpan(ids.Length - half)),
        };
    }
}

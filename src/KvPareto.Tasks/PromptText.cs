using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Tasks;

/// <summary>Turns the text of a question into what a model is given.</summary>
internal static class PromptText
{
    /// <summary>
    /// Ids of <paramref name="text"/>: as one user turn of the chat template, which writes its own special tokens, or, where there is no
    /// template or <paramref name="chat"/> is false, bare with the tokenizer's.
    /// </summary>
    /// <param name="context">The model's side.</param>
    /// <param name="text">The question.</param>
    /// <param name="chat">Whether the chat template applies, where there is one.</param>
    /// <param name="answer">How the answer begins: the end of the prompt.</param>
    public static int[] Encode(PromptContext context, string text, bool chat = true, string answer = "") =>
        chat && context.ChatTemplate is { } template
            ? context.Tokenizer.Encode(template.Render([new ChatMessage("user", text)]) + answer, addSpecialTokens: false)
            : context.Tokenizer.Encode(text + answer);

    /// <summary>
    /// Ids of what follows a bare text: those that both together have beyond the text's own, as lm-evaluation-harness splits them.
    /// </summary>
    /// <exception cref="ConfigException">There are none: the tokenizer joins both.</exception>
    public static int[] Continuation(PromptContext context, string text, int textTokens, string continuation)
    {
        var whole = context.Tokenizer.Encode(text + continuation);
        return whole.Length > textTokens
            ? whole[textTokens..]
            : throw new ConfigException(
                $"the tokenizer has no token for '{continuation}' after a prompt; allowed: models that tell them apart");
    }
}

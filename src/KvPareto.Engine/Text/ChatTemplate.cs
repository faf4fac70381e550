namespace KvPareto.Engine.Text;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">system, user, assistant, …</param>
/// <param name="Content">Text of the turn.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>A model's chat template (Jinja), rendered as Hugging Face transformers renders it.</summary>
public sealed class ChatTemplate
{
    /// <summary>Reads the template of a model folder (<c>chat_template.jinja</c> or <c>tokenizer_config.json</c>); null if it has none.</summary>
    /// <exception cref="ConfigException">The template uses a construct this engine does not know; the message names line and construct.</exception>
    public static ChatTemplate? Load(string folder) => throw new NotImplementedException();

    /// <summary>The conversation as text for <see cref="Tokenizer.Encode"/> with <c>addSpecialTokens: false</c>.</summary>
    /// <exception cref="ConfigException">The template itself refuses the conversation (<c>raise_exception</c>).</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true) => throw new NotImplementedException();
}

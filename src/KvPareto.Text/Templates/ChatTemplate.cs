using System.Text;
using KvPareto.Text.Input;
using KvPareto.Text.Templates.Jinja;

namespace KvPareto.Text.Templates;

/// <summary>
/// A model's chat template (Jinja), rendered as Hugging Face transformers renders it: <c>trim_blocks</c>, <c>lstrip_blocks</c>,
/// <c>raise_exception</c>, <c>strftime_now</c>, <c>tojson</c> without HTML escapes, loop controls, generation tags.
/// </summary>
public sealed class ChatTemplate
{
    private const int LongestTemplate = 1 << 20;

    private readonly string _source;
    private readonly BlockStatement _body;
    private readonly IReadOnlyDictionary<string, object?> _variables;
    private readonly TemplateSettings _settings;

    private ChatTemplate(string source, BlockStatement body, IReadOnlyDictionary<string, object?> variables, TemplateSettings settings) =>
        (_source, _body, _variables, _settings) = (source, body, variables, settings);

    /// <summary>
    /// Reads the template of a model folder: <c>chat_template.jinja</c>, else <c>chat_template.json</c>, else the key
    /// <c>chat_template</c> of <c>tokenizer_config.json</c> (a string, or a list with one named <c>default</c>); null if it has none.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face's layout.</param>
    /// <exception cref="ConfigException">
    /// The template uses a construct this engine does not know; the message names line and construct.
    /// </exception>
    public static ChatTemplate? Load(string folder) =>
        ChatTemplateFiles.Find(folder) is var (name, text, variables) ? Parse(text, variables, name) : null;

    /// <summary>Makes a template of its text, for example from GGUF metadata.</summary>
    /// <param name="text">Jinja text.</param>
    /// <param name="variables">What the template sees beside the conversation, for example <c>bos_token</c>.</param>
    /// <param name="source">File name for messages.</param>
    /// <exception cref="ConfigException">Not well formed, or a construct that is not known.</exception>
    public static ChatTemplate Parse(
        string text, IReadOnlyDictionary<string, object?>? variables = null, string source = "chat template")
    {
        if (text.Length > LongestTemplate)
            throw new ConfigException($"{source}: the chat template has {text.Length} characters; allowed: up to {LongestTemplate}");
        try
        {
            return new(source, Parser.Parse(text), variables ?? new Dictionary<string, object?>(), TemplateSettings.Default);
        }
        catch (JinjaException problem)
        {
            throw Complaint(source, problem);
        }
    }

    /// <summary>The same template with variables and a date of the user's, which replace the model's own.</summary>
    public ChatTemplate With(TemplateSettings settings) => new(_source, _body, _variables, settings);

    /// <summary>The conversation as text for <see cref="Tokenizers.Tokenizer.Encode"/> with <c>addSpecialTokens: false</c>.</summary>
    /// <param name="messages">Turns.</param>
    /// <param name="addGenerationPrompt">End with the opening of the assistant's turn.</param>
    /// <param name="variables">
    /// More variables, for example <c>tools</c> or <c>enable_thinking</c>; they replace those of the template.
    /// </param>
    /// <exception cref="ConfigException">The template itself refuses the conversation (<c>raise_exception</c>).</exception>
    public string Render(
        IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, object?>? variables = null)
    {
        var turns = messages.Select(static object (m) => new Dictionary<string, object?> { ["role"] = m.Role, ["content"] = m.Content });
        return Render(turns, addGenerationPrompt, variables);
    }

    /// <summary>The same for messages with more than role and content, such as tool calls.</summary>
    /// <param name="messages">Turns: strings, numbers, booleans, lists and dictionaries with string keys, or JSON.</param>
    /// <param name="addGenerationPrompt">End with the opening of the assistant's turn.</param>
    /// <param name="variables">More variables.</param>
    /// <exception cref="ConfigException">The template itself refuses the conversation (<c>raise_exception</c>).</exception>
    public string Render(
        IEnumerable<object> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, object?>? variables = null)
    {
        var globals = Functions.Create(_settings.Date);
        // As transformers calls it: tools and documents are defined, and none.
        globals["tools"] = globals["documents"] = null;
        foreach (var (name, value) in _variables.Concat(_settings.Variables).Concat(variables ?? new Dictionary<string, object?>()))
            globals[name] = Values.From(value);
        globals["messages"] = Values.From(messages);
        globals["add_generation_prompt"] = addGenerationPrompt;
        try
        {
            var output = new StringBuilder();
            _body.Execute(new Scope(new RenderState(globals)), output);
            return output.ToString();
        }
        catch (JinjaException problem)
        {
            throw Complaint(_source, problem);
        }
    }

    private static ConfigException Complaint(string source, JinjaException problem)
    {
        var refusal = problem.IsRefusal ? "the chat template refuses the conversation: " : "";
        return new($"{source}: line {problem.Line}: {refusal}{OneLine.OfMessage(problem.Message)}", problem);
    }
}

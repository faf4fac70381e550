using System.Text;
using KvPareto.Text.Input;
using KvPareto.Text.Templates.Jinja;

namespace KvPareto.Text.Templates;

/// <summary>
/// A user's own template (Jinja) of a prompt, rendered as <see cref="ChatTemplate"/> is, but strictly: a variable without a value is a
/// mistake, not nothing.
/// </summary>
public sealed class PromptTemplate
{
    private readonly string _source;
    private readonly BlockStatement _body;

    private PromptTemplate(string source, BlockStatement body) => (_source, _body) = (source, body);

    /// <summary>Reads a template.</summary>
    /// <param name="text">Jinja text.</param>
    /// <param name="source">Where it stands, for messages.</param>
    /// <exception cref="ConfigException">Not well formed, or a construct that is not known; names its line.</exception>
    public static PromptTemplate Parse(string text, string source)
    {
        try
        {
            return new(source, Parser.Parse(text));
        }
        catch (JinjaException problem)
        {
            throw Complaint(source, problem);
        }
    }

    /// <summary>The template with its variables filled in.</summary>
    /// <param name="variables">Strings, numbers, booleans, lists and dictionaries with string keys, or JSON.</param>
    /// <exception cref="ConfigException">A variable has no value, or the template fails; names its line.</exception>
    public string Render(IReadOnlyDictionary<string, object?> variables)
    {
        var globals = Functions.Create(TemplateSettings.Default.Date);
        foreach (var (name, value) in variables) globals[name] = Values.From(value);
        try
        {
            var output = new StringBuilder();
            _body.Execute(new Scope(new RenderState(globals, strict: true)), output);
            return output.ToString();
        }
        catch (JinjaException problem)
        {
            throw Complaint(_source, problem);
        }
    }

    private static ConfigException Complaint(string source, JinjaException problem) =>
        new($"{source}: line {problem.Line} of the template: {OneLine.OfMessage(problem.Message)}", problem);
}

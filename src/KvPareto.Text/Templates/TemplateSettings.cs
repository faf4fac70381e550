using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates;

/// <summary>What a user tells chat templates: variables of theirs, and the day that <c>strftime_now</c> reads.</summary>
public sealed record TemplateSettings
{
    /// <summary>The name that sets <see cref="Date"/> among the variables.</summary>
    public const string DateName = "strftime_now";

    /// <summary>What a name and its value may be, for messages and help.</summary>
    public const string Words =
        "names of the template's variables, enable_thinking for example, and strftime_now for the date (yyyy-MM-dd)";

    private const string DateFormat = "yyyy-MM-dd";
    private const int DeepestNesting = 32;

    // The conversation, and functions that every template has.
    private static readonly string[] Reserved =
        ["messages", "add_generation_prompt", "raise_exception", "range", "namespace", "dict", "joiner"];

    private readonly SortedDictionary<string, object?> _variables = new(StringComparer.Ordinal);

    /// <summary>
    /// The date where none is given: that which the Llama 3 templates fall back to. Prompts, and so scores, must not depend on the day of
    /// the run.
    /// </summary>
    public static DateOnly DefaultDate { get; } = new(2024, 7, 26);

    /// <summary>No variables, and the default date.</summary>
    public static TemplateSettings Default { get; } = new();

    /// <summary>What <c>strftime_now</c> reads, at midnight.</summary>
    public DateOnly Date { get; private init; } = DefaultDate;

    /// <summary>Variables by name.</summary>
    public IReadOnlyDictionary<string, object?> Variables => _variables;

    /// <summary>Makes settings of names and values: text, numbers, truth values, null, lists, dictionaries with string keys.</summary>
    /// <param name="values">Names and values; a later one replaces an earlier one.</param>
    /// <exception cref="ConfigException">A name that cannot be set, a date that is none.</exception>
    public static TemplateSettings Create(IEnumerable<KeyValuePair<string, object?>> values)
    {
        var settings = new TemplateSettings();
        foreach (var (name, value) in values)
        {
            if (name.Length == 0 || Reserved.Contains(name))
                throw new ConfigException($"template: {OneLine.Quote(name)} cannot be set; allowed: {Words}");
            if (name == DateName) settings = settings with { Date = ReadDate(value) };
            else settings._variables[name] = value;
        }
        return settings;
    }

    /// <summary>
    /// The value of a text without quotes: <c>true</c>, <c>false</c>, <c>null</c>, a number, or JSON where it begins with a bracket, a
    /// brace or a quotation mark; else the text.
    /// </summary>
    /// <exception cref="ConfigException">It begins as JSON and is none.</exception>
    public static object? Value(string text) => text switch
    {
        "true" => true,
        "false" => false,
        "null" or "none" or "~" or "" => null,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        ['[' or '{' or '"', ..] => Json(text),
        _ => text,
    };

    /// <summary>All of it as it stands in <c>run.json</c>, the date included.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { [DateName] = Date.ToString(DateFormat, CultureInfo.InvariantCulture) };
        foreach (var (name, value) in _variables) json[name] = JsonSerializer.SerializeToNode(value);
        return json;
    }

    private static DateOnly ReadDate(object? value) =>
        value is string text && DateOnly.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date : throw new ConfigException($"template: '{DateName}' is no date; allowed: {DateFormat}, for example 2024-07-26");

    private static JsonElement Json(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = DeepestNesting });
            return document.RootElement.Clone();
        }
        catch (JsonException problem)
        {
            throw new ConfigException($"template: {OneLine.Quote(text)} begins as JSON and is none; allowed: JSON, or a text", problem);
        }
    }
}

using System.Globalization;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Tasks;

/// <summary>One object of a JSON Lines file, or row of a table; whatever is wrong with it is reported by file, line and field.</summary>
/// <param name="File">Path as the user gave it.</param>
/// <param name="Line">1-based.</param>
/// <param name="Root">The object.</param>
internal readonly record struct JsonRow(string File, int Line, JsonElement Root)
{
    private static readonly JsonElement Empty = JsonElement.Parse("{}");

    /// <summary>True where the field is there.</summary>
    public bool Has(string field) => TryGet(field, out _);

    /// <summary>A field that must be a string.</summary>
    public string Text(string field)
    {
        if (!TryGet(field, out var value)) throw Error(field, "is missing");
        return Text(field, value, "must be a string");
    }

    /// <summary>A field that must be a list of strings.</summary>
    public IReadOnlyList<string> Texts(string field) =>
        OptionalTexts(field) ?? throw Error(field, "is missing; it must be a list of strings");

    /// <summary>A list of strings, or null where the field is null or not there.</summary>
    public IReadOnlyList<string>? OptionalTexts(string field)
    {
        if (!TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        const string wanted = "must be a list of strings";
        if (value.ValueKind != JsonValueKind.Array) throw Error(field, wanted);
        var texts = new List<string>();
        foreach (var item in value.EnumerateArray()) texts.Add(Text(field, item, wanted));
        return texts;
    }

    /// <summary>A field that must be a number within bounds.</summary>
    public double Number(string field, double min, double max) =>
        TryGet(field, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= min
            && number <= max
            ? number
            : throw Error(field, string.Create(CultureInfo.InvariantCulture, $"must be a number from {min} to {max}"));

    /// <summary>The fields of an object; empty where the field is null or not there.</summary>
    public JsonRow Inner(string field)
    {
        if (!TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null) return this with { Root = Empty };
        return value.ValueKind == JsonValueKind.Object ? this with { Root = value } : throw Error(field, "must be an object");
    }

    /// <summary>The names of the fields.</summary>
    public IReadOnlyList<string> Fields()
    {
        try
        {
            return [.. Root.EnumerateObject().Select(field => field.Name)];
        }
        catch (InvalidOperationException)
        {
            throw new ConfigException($"{File}:{Line}: a field name has half of a surrogate pair");
        }
    }

    /// <summary>A string, or a number as it is written; null for anything else and for half of a surrogate pair.</summary>
    public static string? TextOf(JsonElement? value)
    {
        try
        {
            return value switch
            {
                { ValueKind: JsonValueKind.String } text => text.GetString(),
                { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A field of any kind, or null where it is not there.</summary>
    public JsonElement? Find(string field) => TryGet(field, out var value) ? value : null;

    /// <summary>What to throw where <paramref name="field"/> cannot be used.</summary>
    public ConfigException Error(string field, string problem) => new($"{File}:{Line}: field '{field}' {problem}");

    private bool TryGet(string field, out JsonElement value)
    {
        try
        {
            return Root.TryGetProperty(field, out value);
        }
        catch (InvalidOperationException)
        {
            throw new ConfigException($"{File}:{Line}: a field name has half of a surrogate pair");
        }
    }

    private string Text(string field, JsonElement value, string wanted)
    {
        if (value.ValueKind != JsonValueKind.String) throw Error(field, wanted);
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Error(field, "has half of a surrogate pair (an escape \\uD800 to \\uDFFF alone)");
        }
    }
}
